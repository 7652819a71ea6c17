"""Where an event belongs: the key and the partition of its organisation, and the app the organisation is read through. Pure.

The receiver gives each event the key and partition of its organisation, by the same functions. Whoever else can write to
the topic could put an event elsewhere; then two owners would work for one organisation, and its changes would come out on
two partitions. Nor may one app's signing key ask for reads of what another app is connected to.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from xero_stream.contracts.ids import tenant_id_of
from xero_stream.contracts.names import AppName, TenantId
from xero_stream.contracts.partition import partition_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The partition that events were read from.

    Attributes:
        partition: its number.
        partitions: how many the deployment has.
        owners: the app that each organisation is connected through, for those that the events' keys name.
    """

    partition: int
    partitions: int
    owners: Mapping[TenantId, AppName]

    def misplaced(self, tenant_id: TenantId, key: bytes | None) -> str | None:
        """Why an event should not lie here; None: it should.

        Args:
            tenant_id: the organisation that the event names.
        """
        home = partition_of(tenant_id, self.partitions)
        if home != self.partition:
            return f"organisation {tenant_id} belongs to partition {home}, the event lay in {self.partition}"
        if key != tenant_id.encode():
            return f"the record's key is not the organisation it is about, {tenant_id}"
        return None

    def refused(self, tenant_id: TenantId, app: AppName) -> str | None:
        """Why an app may not tell of an organisation; None: it may, or nobody is connected to that one.

        Args:
            app: the app whose webhook it came by.
        """
        owner = self.owners.get(tenant_id)
        if owner is None or owner == app:
            return None
        return f"app {app!r} sent it; organisation {tenant_id} is connected through app {owner!r}"


def home_of(value: bytes, partitions: int) -> tuple[bytes, int] | None:
    """Key and partition of an event's organisation; None where it names none.

    Args:
        partitions: how many the deployment has.
    """
    try:
        tenant_id = tenant_id_of(orjson.loads(value)["event"]["tenantId"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return None
    return None if tenant_id is None else (tenant_id.encode(), partition_of(tenant_id, partitions))
