"""Groups that contacts belong to."""

from dataclasses import dataclass, field, replace

from simulator.books.words import Presence, RuleError


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactGroup:
    """A group."""

    id: str
    name: str
    status: Presence
    contact_ids: tuple[str, ...]
    updated_ms: int
    overrides: dict[str, str] = field(default_factory=dict)


def delete(group: ContactGroup) -> ContactGroup:
    """Delete it.

    Raises:
        RuleError: it was deleted before.
    """
    if group.status is Presence.DELETED:
        raise RuleError("the group was deleted before")
    return replace(group, status=Presence.DELETED)
