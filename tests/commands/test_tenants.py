"""``tenants``: listing organisations with their tags, and removing one for good."""

import json

from tests.commands.conftest import CommandLine, Simulated
from tests.commands.test_grants import fetch, tenants

TABLES = ("tenants", "passes", "dirty", "entity_holds")


def connected(deployed: CommandLine, simulator: Simulated) -> list[str]:
    """Both simulated organisations, by one grant."""
    ended = deployed("grants", "add", "--tag", "region=north", stdin=simulator.refresh_token())
    assert ended.code == 0, ended.err
    return list(tenants(simulator))


def test_list_shows_references_and_tags(deployed: CommandLine, simulator: Simulated) -> None:
    """One line each; the same fields as JSON."""
    ids = connected(deployed, simulator)

    shown, as_json = deployed("tenants", "list"), deployed("tenants", "list", "--json")

    assert shown.code == 0
    assert all(f"({tenant_id}) · app default · connected · since 20" in shown.out for tenant_id in ids)
    assert shown.out.count("region=north") == len(ids)
    rows = [json.loads(line) for line in as_json.out.splitlines()]
    assert {row["tenant_id"]: row["tags"] for row in rows} == {tenant_id: {"region": "north"} for tenant_id in ids}


def test_remove_one_organisation_then_the_other(deployed: CommandLine, simulator: Simulated) -> None:
    """Its rows go, the other one keeps its grant; the last one takes the grant with it, and nothing keeps an exit code of 1."""
    first, second = connected(deployed, simulator)

    ended = deployed("tenants", "remove", first.upper())

    assert ended.code == 0, ended.err
    assert f"({first}): removed; disconnected at Xero" in ended.out
    for table in TABLES:
        assert fetch(deployed, f"SELECT 1 FROM {table} WHERE tenant_id = $1", first) == []
    assert [
        row["tenant_id"] for row in fetch(deployed, "SELECT tenant_id FROM tenants JOIN grants USING (grant_id)")
    ] == [second]
    assert deployed("tenants", "remove", second).code == 0
    assert fetch(deployed, "SELECT 1 FROM grants") == []
    assert deployed("grants", "list").code == 0
    assert deployed("tenants", "list").out == "no organisation is connected: see `xero-stream connect --help`\n"
    again = deployed("tenants", "remove", second)
    assert (again.code, "tenants list" in again.complaint) == (1, True)


def test_remove_where_xero_does_not_answer(deployed: CommandLine, simulator: Simulated) -> None:
    """69 and nothing is removed; --keep-at-xero removes it here alone."""
    first, _ = connected(deployed, simulator)
    nowhere = {"XERO_API_URL": "http://127.0.0.1:9"}

    refused = deployed("tenants", "remove", first, env=nowhere)
    kept = fetch(deployed, "SELECT 1 FROM tenants WHERE tenant_id = $1", first)
    removed = deployed("tenants", "remove", first, "--keep-at-xero", env=nowhere)

    assert refused.code == 69
    assert "Nothing was removed; --keep-at-xero removes it here alone" in refused.complaint
    assert len(kept) == 1
    assert removed.code == 0
    assert "Xero keeps its connection" in removed.out
    assert fetch(deployed, "SELECT 1 FROM tenants WHERE tenant_id = $1", first) == []


def test_remove_after_xero_ended_the_connection(deployed: CommandLine, simulator: Simulated) -> None:
    """An organisation that somebody disconnected in Xero is removed all the same."""
    made = simulator.ask("POST", "/_sim/grants", {})
    assert deployed("grants", "add", stdin=made["refreshToken"]).code == 0
    first, _ = tenants(simulator)
    simulator.ask("DELETE", f"/_sim/grants/{made['id']}/tenants/{first}")

    ended = deployed("tenants", "remove", first)

    assert ended.code == 0, ended.err
    assert "removed; Xero had no connection of it any more" in ended.out
