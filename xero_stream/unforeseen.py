"""What an unexpected exception is called where it is shown: its class and its place, never its message. Pure.

A message may quote what was read.
"""

from pathlib import Path
from traceback import extract_tb

_ROOT = Path(__file__).parents[1]
_OURS = {"cli", "console", "processors", "receiver", "xero_api", "xero_stream"}


def described(error: BaseException) -> str:
    """Class and innermost place in our code, e.g. ``RecursionError in xero_api/decode.py:240 (_mended)``."""
    for frame in reversed(extract_tb(error.__traceback__)):
        path = Path(frame.filename)
        if path.is_relative_to(_ROOT) and path.relative_to(_ROOT).parts[0] in _OURS:
            return f"{type(error).__name__} in {path.relative_to(_ROOT)}:{frame.lineno} ({frame.name})"
    return type(error).__name__
