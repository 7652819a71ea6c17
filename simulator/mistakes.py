"""What is wrong with a request, in words that name the place."""

from pydantic import ValidationError


def problems(error: ValidationError, *root: str) -> list[str]:
    """Each mistake as ``place: what is wrong``.

    Args:
        error: what pydantic found.
        root: where the checked value lies in the request; left out: it is the whole body.
    """
    return [
        f"{'.'.join(map(str, (*root, *one['loc']))) or 'the body'}: {one['msg'].removeprefix('Value error, ')}"
        for one in error.errors()
    ]
