"""Paths of a unified record that differ. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

MOST = 500


def changed_fields(before: Any, after: Any) -> list[str]:
    """The paths that differ, e.g. ``status`` or ``line_items[0].quantity``.

    A list that changed its length is named as a whole. At most 500 paths; a last one ``…`` says that there are more.

    Args:
        before: the record before, or None.
        after: the record after, or None.

    Returns:
        Paths in the order of the newer record; empty for equal records.
    """
    if before is None or after is None:
        return sorted((before or after or {}).keys()) if before is not after else []
    paths: list[str] = []
    _walk(before, after, "", paths)
    return paths if len(paths) <= MOST else [*paths[:MOST], "…"]


def _walk(before: Any, after: Any, path: str, paths: list[str]) -> None:
    if len(paths) > MOST:
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in [*after, *(name for name in before if name not in after)]:
            if name not in before or name not in after:
                paths.append(f"{path}.{name}" if path else name)
            else:
                _walk(before[name], after[name], f"{path}.{name}" if path else name, paths)
    elif _is_list(before) and _is_list(after) and len(before) == len(after):
        for index, (old, new) in enumerate(zip(before, after, strict=True)):
            _walk(old, new, f"{path}[{index}]", paths)
    elif type(before) is not type(after) or before != after:
        paths.append(path)


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)
