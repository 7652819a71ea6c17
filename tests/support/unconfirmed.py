"""Marks tests whose fact about Xero nobody has confirmed: a demo company would settle it."""

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

PROPERTY = "unconfirmed"
"""Name of the user property, in ``--junit-xml`` reports and for plug-ins."""

T = TypeVar("T", bound=Callable[..., Any])

_FIXTURE = "record_property"


def unconfirmed(fact: str) -> Callable[[T], T]:
    """Say that a test holds the simulator to a guess.

    The fact becomes a user property of the test, and stands in its attribute ``unconfirmed`` for whoever lists them.

    Args:
        fact: what is assumed of Xero, one sentence.
    """

    def mark(test: T) -> T:
        signature = inspect.signature(test)
        wanted = _FIXTURE in signature.parameters

        def told(given: dict[str, Any]) -> dict[str, Any]:
            given[_FIXTURE](PROPERTY, fact)
            return given if wanted else {name: value for name, value in given.items() if name != _FIXTURE}

        if inspect.iscoroutinefunction(test):

            @functools.wraps(test)
            async def run(**given: Any) -> Any:
                return await test(**told(given))
        else:

            @functools.wraps(test)
            def run(**given: Any) -> Any:
                return test(**told(given))

        if not wanted:
            extra = inspect.Parameter(_FIXTURE, inspect.Parameter.KEYWORD_ONLY)
            signature = signature.replace(parameters=[*signature.parameters.values(), extra])
        marked: Any = run
        marked.__signature__ = signature  # what pytest reads to find fixtures
        marked.unconfirmed = fact
        found: T = marked
        return found

    return mark
