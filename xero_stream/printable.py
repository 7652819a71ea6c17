"""Text for people: nothing in it steers a terminal, hides, or changes the order of what is shown. Pure."""

import re

_STEERING = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # C0, DEL, C1: cursor movements, colours, titles, and on some terminals commands
    "\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff"  # direction, and what has no width (Unicode TR 36, 3.1)
    "\u2028\u2029\ufff9-\ufffb"  # line and paragraph ends, annotations
    "\ud800-\udfff"  # lone surrogates: no encoding has them
    "\U000e0000-\U000e007f"  # tags
    "]"
)


def printable(text: str, *, lines: bool = False) -> str:
    """The text with such characters written as escapes, as Python and JSON write them.

    Args:
        text: of anybody.
        lines: whether line ends stay, as in a traceback.
    """
    return _STEERING.sub(_kept if lines else _escape, text)


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code in _SHORT:
        return _SHORT[code]
    return f"\\u{code:04x}" if code <= 0xFFFF else "".join(f"\\u{half:04x}" for half in _halves(code))


def _kept(found: re.Match[str]) -> str:
    return found[0] if found[0] == "\n" else _escape(found)


def _halves(code: int) -> tuple[int, int]:
    """The surrogates that JSON writes such a character with."""
    high, low = divmod(code - 0x10000, 0x400)
    return 0xD800 + high, 0xDC00 + low


_SHORT = {0x0A: "\\n", 0x0D: "\\r", 0x09: "\\t"}
