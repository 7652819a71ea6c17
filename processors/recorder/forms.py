"""One record in different forms: what a read adds to what is stored, when its form leaves fields out. Pure.

The registry says what each form leaves out. Where an answer did leave such a field out, its stored value is kept: at once,
where the record has the same stamp; in a list of the record, where the element is the same one. Any other missing field is
null in the record, or a field that was cleared would never be seen to be.

A field that is left out may be part of others: lists give an invoice's totals without its rounding. While the stamp is the
same, those keep their stored value too, and what this form shows for them is remembered (``shown``): another value in the same
form is a change. Neither that change nor a newer stamp can be told by such a form, where the stored record has a value that
the form leaves out: then nothing is recorded from it, and the record is read alone.
"""

import re
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from processors.recorder.decide import Read, Stored
from processors.recorder.diff import changed_fields
from xero_api.decode import decode, encode
from xero_api.entity import Form, LeftOut

_PLACE = re.compile(r"\[\d+\]")
Leaves = Mapping[Form, tuple[LeftOut, ...]]
"""What each form of an entity leaves out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """A read beside what is stored.

    Attributes:
        read: the read with what its form leaves out.
        untold: its form can't tell what the record is now.
        shown: what is to be remembered of how this form shows the fields that it gives with other values.
        beyond: paths in which two forms differ for one stamp, though the registry doesn't say so.
    """

    read: Read
    untold: bool = False
    shown: bytes | None = None
    beyond: tuple[str, ...] = ()


def fit(read: Read, stored: Stored | None, leaves_out: Leaves) -> Fit:
    """Complete a read by what is stored.

    Args:
        stored: what the store has.
        leaves_out: of the entity.
    """
    if stored is None or stored.body is None or read.body is None:
        return Fit(read=read)
    if stored.body == read.body:
        return Fit(read=read, shown=stored.shown)
    same_stamp = stored.version.updated_at == read.updated_at
    before, after = decode(stored.body), decode(read.body)
    completed = after
    shown = None
    for one in read.absent:
        completed = _carried(before, completed, one.ours.split("."), one.same)
    held = [one for one in read.absent if not one.same and before.get(one.ours) is not None]
    if held:
        shown = encode({name: after.get(name) for one in held for name in sorted(one.skews)})
        if not same_stamp:
            return Fit(read=read, untold=True, shown=stored.shown)
        if stored.shown not in {None, shown}:
            return Fit(read=read, untold=True, shown=shown)
        skewed = {name for one in held for name in one.skews if name in before and name in after}
        completed = {**completed, **{name: before[name] for name in skewed}}
    if completed is not after:
        status = completed.get("status")
        read = replace(read, body=encode(completed), status=read.status if status == after.get("status") else status)
    beyond = _beyond(stored, read, before, completed, leaves_out) if same_stamp else ()
    return Fit(read=read, shown=shown, beyond=beyond)


def _carried(before: Any, after: Any, path: list[str], same: tuple[tuple[str, ...], ...]) -> Any:
    """A copy of ``after`` that has the values of ``before`` at the end of the path, where it has none."""
    name = path[0]
    if name not in before or name not in after:
        return after
    if len(path) == 1:
        return {**after, name: before[name]} if after[name] is None and before[name] is not None else after
    known = _by_identity(before[name], same[0])
    elements = []
    for item in after[name]:
        twin = known.get(_identity(item, same[0]))
        elements.append(item if twin is None else _carried(twin, item, path[1:], same[1:]))
    return {**after, name: elements}


def _by_identity(items: Any, fields: Collection[str]) -> dict[tuple[Any, ...] | None, Any]:
    times = Counter(_identity(item, fields) for item in items)
    return {key: item for item in items if (key := _identity(item, fields)) is not None and times[key] == 1}


def _identity(item: Any, fields: Collection[str]) -> tuple[Any, ...] | None:
    values = tuple(item.get(field) for field in fields)
    return None if None in values else values


def _beyond(stored: Stored, read: Read, before: Any, after: Any, leaves_out: Leaves) -> tuple[str, ...]:
    forms = {stored.form, read.form} - {None}
    if len(forms) < 2 or read.updated_at is None:
        return ()
    known = {
        name
        for form in forms
        if form is not None
        for one in leaves_out.get(form, ())
        for name in (one.ours, *one.skews)
    }
    paths = {_PLACE.sub("", path) for path in changed_fields(before, after)}
    return tuple(sorted(paths - known))
