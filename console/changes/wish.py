"""Which changes a reader wants. Pure."""

from collections.abc import Set
from dataclasses import dataclass

from xero_stream.contracts.names import EntityName


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A filter.

    Attributes:
        tenants: the organisations, those that the key may not see left out; None: all.
        entities: the kinds of record; None: all.
        ops: what happened; None: all.
    """

    tenants: Set[str] | None = None
    entities: Set[EntityName] | None = None
    ops: Set[str] | None = None

    def takes(self, tenant_id: str, entity: str, op: str) -> bool:
        """Whether a change is wanted.

        Args:
            tenant_id: whose it is.
            entity: what it concerns.
            op: what happened.
        """
        return (
            (self.tenants is None or tenant_id in self.tenants)
            and (self.entities is None or entity in self.entities)
            and (self.ops is None or op in self.ops)
        )


def narrowed(*sets: Set[str] | None) -> frozenset[str] | None:
    """What is in all of them; None stands for everything.

    Args:
        sets: restrictions.
    """
    left: frozenset[str] | None = None
    for one in sets:
        if one is not None:
            left = frozenset(one) if left is None else left & one
    return left
