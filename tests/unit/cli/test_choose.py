"""Which organisations of a grant are connected."""

from datetime import UTC, datetime
from typing import Any

import pytest

from cli.grants.choose import NothingToConnectError, choose
from xero_api.connections import Connection
from xero_stream.contracts.names import TenantId

A, B = TenantId("aaaaaaaa-0000-4000-8000-000000000000"), TenantId("bbbbbbbb-0000-4000-8000-000000000000")


def connection(tenant_id: TenantId, **more: Any) -> Connection:
    """What ``/connections`` says about an organisation."""
    fields: dict[str, Any] = {
        "id": f"c-{tenant_id}",
        "tenant_type": "ORGANISATION",
        "tenant_name": f"Name {tenant_id[0]}",
        "auth_event_id": None,
        "created_at": None,
        "updated_at": None,
        **more,
    }
    return Connection(tenant_id=tenant_id, **fields)


def test_all_by_default() -> None:
    """Every organisation, with name and connection and how old that is; practices are none."""
    made = datetime(2026, 11, 23, tzinfo=UTC)
    reached = [connection(A, created_at=made), connection(B), connection(TenantId("p"), tenant_type="PRACTICE")]
    chosen = choose(reached, tags={"x": "y"})

    assert [one.connection_created_at for one in chosen] == [made, None]
    assert [(one.tenant_id, one.name, one.connection_id, one.customer_ref, one.tags) for one in chosen] == [
        (A, "Name a", f"c-{A}", None, {"x": "y"}),
        (B, "Name b", f"c-{B}", None, {"x": "y"}),
    ]


def test_only_those_asked_for() -> None:
    """Named ones, once each, in the order asked; a reference goes with a single one."""
    [chosen] = choose([connection(A), connection(B, tenant_name=None)], wanted=[B, B], customer_ref="c-1")

    assert (chosen.tenant_id, chosen.name, chosen.customer_ref) == (B, "", "c-1")


@pytest.mark.parametrize(
    ("connections", "arguments", "message"),
    [
        ([], {}, "reaches no organisation"),
        ([connection(A, tenant_type="PRACTICE")], {}, "reaches no organisation"),
        ([connection(A)], {"wanted": [B]}, f"does not reach {B}; it reaches {A} \\(Name a\\)"),
        ([connection(A), connection(B)], {"customer_ref": "c"}, "choose with --tenant"),
    ],
)
def test_refusals_say_what_there_is(connections: list[Connection], arguments: dict[str, Any], message: str) -> None:
    """Nothing to connect, a stranger asked for, one reference for two."""
    with pytest.raises(NothingToConnectError, match=message):
        choose(connections, **arguments)
