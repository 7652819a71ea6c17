"""Events of organisations that are not connected: how many of their records are kept marked. Pure.

An app's webhook brings the events of every organisation that the app is connected to in Xero, also of those that nobody
connected here, and whoever has a signing key can make organisations up. Their records wait in ``dirty`` for the
organisation to be connected. That they wait is a convenience: its first load reads everything. So they are bounded.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from processors.intake.fold import Mark
from xero_stream.contracts.names import AppName, TenantId

MOST_ORGANISATIONS = 1_000
"""Organisations that are not connected and noted by name, per partition; events of others are only counted."""


@dataclass(slots=True, kw_only=True)
class Admitted:
    """What becomes of marks of organisations that are not connected.

    Attributes:
        marks: those to write.
        apps: the app that each organisation to be noted sent events by.
        events: their events, by organisation.
        dropped: their events that mark nothing, by organisation.
        nameless: events of organisations that are not even noted.
    """

    marks: list[Mark] = field(default_factory=list)
    apps: dict[TenantId, AppName] = field(default_factory=dict)
    events: Counter[TenantId] = field(default_factory=Counter)
    dropped: Counter[TenantId] = field(default_factory=Counter)
    nameless: int = 0


def admit(marks: Sequence[Mark], kept: Mapping[TenantId, int], limit: int) -> Admitted:
    """Decide which marks are written. Pure.

    Args:
        marks: of organisations that are not connected, all of one partition.
        kept: records of the partition that are kept marked already, by organisation that is noted.
        limit: the most records that may be kept.
    """
    admitted = Admitted()
    room = limit - sum(kept.values())
    names = set(kept)
    for mark in marks:
        tenant_id = mark.tenant_id
        if tenant_id not in names and len(names) >= MOST_ORGANISATIONS:
            admitted.nameless += mark.events
            continue
        names.add(tenant_id)
        admitted.apps.setdefault(tenant_id, mark.app)
        admitted.events[tenant_id] += mark.events
        if room > 0:
            admitted.marks.append(mark)
            room -= 1
        else:
            admitted.dropped[tenant_id] += mark.events
    return admitted
