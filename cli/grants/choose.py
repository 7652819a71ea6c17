"""Which of the organisations a grant reaches are to be connected."""

from collections.abc import Mapping, Sequence

from xero_api.connections import ORGANISATION, Connection
from xero_stream.contracts.names import TenantId
from xero_stream.store.connections import Organisation


class NothingToConnectError(Exception):
    """The grant reaches no organisation, or not the one asked for; the message says what it reaches."""


def choose(
    connections: Sequence[Connection],
    *,
    wanted: Sequence[TenantId] = (),
    customer_ref: str | None = None,
    tags: Mapping[str, str] | None = None,
) -> list[Organisation]:
    """The organisations to connect.

    Args:
        connections: what Xero says the grant reaches.
        wanted: only these; empty for all.
        customer_ref: your reference for the one organisation.
        tags: your labels, for each of them.

    Raises:
        NothingToConnectError: there is nothing to connect, or a reference for several.
    """
    reached = {one.tenant_id: one for one in connections if one.tenant_type == ORGANISATION}
    if not reached:
        raise NothingToConnectError(
            "the grant reaches no organisation: it was disconnected in Xero, or the consent was given for none"
        )
    absent = [tenant_id for tenant_id in wanted if tenant_id not in reached]
    if absent:
        raise NothingToConnectError(f"the grant does not reach {', '.join(absent)}; it reaches {_named(reached)}")
    chosen = [reached[tenant_id] for tenant_id in dict.fromkeys(wanted)] or list(reached.values())
    if customer_ref is not None and len(chosen) > 1:
        raise NothingToConnectError(
            f"--customer-ref is for one organisation, the grant reaches {len(chosen)}: choose with --tenant; it "
            f"reaches {_named(reached)}"
        )
    return [
        Organisation(
            tenant_id=one.tenant_id,
            name=one.tenant_name or "",
            connection_id=one.id,
            connection_created_at=one.created_at,
            customer_ref=customer_ref,
            tags=tags or {},
        )
        for one in chosen
    ]


def _named(reached: Mapping[TenantId, Connection]) -> str:
    return ", ".join(f"{tenant_id} ({one.tenant_name})" for tenant_id, one in reached.items())
