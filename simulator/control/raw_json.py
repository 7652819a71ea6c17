"""A JSON object's members as the texts they were sent as: a 17-digit amount must not pass through a float. Pure."""

import json
from typing import Any, NoReturn

_SPACE = " \t\r\n"


class RawJsonError(Exception):
    """It isn't a JSON object."""


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_no_constant)


def members(text: str) -> dict[str, str]:
    """Name → value's text of each member of a JSON object.

    Raises:
        RawJsonError: the text isn't one JSON object.
    """
    try:
        found, end = _members(text, _skip(text, 0))
    except (ValueError, IndexError) as error:
        raise RawJsonError(f"not a JSON object: {error}") from error
    if _skip(text, end) != len(text):
        raise RawJsonError("more than one JSON object")
    return found


def _members(text: str, position: int) -> tuple[dict[str, str], int]:
    position = _expect(text, position, "{")
    found: dict[str, str] = {}
    if text[position] == "}":
        return found, position + 1
    while True:
        if text[position] != '"':
            raise ValueError(f"a member's name expected at {position}")
        name, position = _value(text, position)
        position = start = _expect(text, _skip(text, position), ":")
        _, position = _value(text, position)
        found[name] = text[start:position]
        position = _skip(text, position)
        if text[position] == "}":
            return found, position + 1
        position = _expect(text, position, ",")


def _value(text: str, position: int) -> tuple[Any, int]:
    return _DECODER.raw_decode(text, position)


def _expect(text: str, position: int, letter: str) -> int:
    if text[position] != letter:
        raise ValueError(f"{letter!r} expected at {position}")
    return _skip(text, position + 1)


def _skip(text: str, position: int) -> int:
    while position < len(text) and text[position] in _SPACE:
        position += 1
    return position
