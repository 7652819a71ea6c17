"""What a mapping had to guess or leave out, collected beside the record. Pure.

A mapping returns the record alone. Whoever wants to count what was odd calls it through :func:`observed`.
"""

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

T = TypeVar("T")
A = TypeVar("A")


class OddityKind(StrEnum):
    """What is odd about a field; also the label of the metric."""

    UNREADABLE = "unreadable"  # its value is of a kind the field can't have: the record has null, or false
    CONTRADICTION = "contradiction"  # Xero sends the same fact twice, and the two differ


@dataclass(frozen=True, slots=True)
class Oddity:
    """One odd field.

    Attributes:
        kind: what is odd.
        path: where, in Xero's names and without positions in lists: ``LineItems.Quantity``. Never the value.
    """

    kind: OddityKind
    path: str

    def under(self, parent: str) -> "Oddity":
        """The same oddity, seen from the enclosing object.

        Args:
            parent: name of the enclosing field.
        """
        return Oddity(self.kind, f"{parent}.{self.path}")


_collected: ContextVar[list[Oddity] | None] = ContextVar("oddities", default=None)


def observed(mapping: Callable[[A], T], raw: A) -> tuple[T, list[Oddity]]:
    """Map a record and say what was odd about it.

    Args:
        mapping: ``entity.unify``.

    Returns:
        The mapping's result, and each oddity once for every time it occurs.
    """
    found: list[Oddity] = []
    token = _collected.set(found)
    try:
        return mapping(raw), found
    finally:
        _collected.reset(token)


def notice(kind: OddityKind, path: str) -> None:
    """Collect an oddity, if anybody observes."""
    found = _collected.get()
    if found is not None:
        found.append(Oddity(kind, path))


def collected() -> list[Oddity] | None:
    """The list that is being filled, for readers of nested objects; None if nobody observes."""
    return _collected.get()
