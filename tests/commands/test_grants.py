"""``grants``: organisations connected through a simulated Xero into a real store."""

import json
import os
import pty
from typing import Any

import asyncpg
import pytest

from tests.commands.conftest import COMMAND, CommandLine, Simulated
from tests.support.servers import run_apart
from xero_stream.contracts.names import STREAMED


def fetch(deployed: CommandLine, statement: str, *arguments: Any) -> list[dict[str, Any]]:
    """Ask the store."""

    async def ask() -> list[dict[str, Any]]:
        connection = await asyncpg.connect(deployed.environment["DATABASE_URL"])
        try:
            return [dict(row) for row in await connection.fetch(statement, *arguments)]
        finally:
            await connection.close()

    return run_apart(ask())


def tenants(simulator: Simulated) -> dict[str, str]:
    """The simulated organisations: name by id."""
    return {one["tenantId"]: one["name"] for one in simulator.ask("GET", "/_sim/tenants")["tenants"]}


def test_a_refresh_token_connects_all_it_reaches(deployed: CommandLine, simulator: Simulated) -> None:
    """Organisations, encrypted tokens and first loads are stored; nothing that was typed is kept or shown."""
    token = simulator.refresh_token()

    ended = deployed("grants", "add", "--tag", "region=north", stdin=f"{token}\n")

    assert (ended.code, ended.err) == (0, "")
    for tenant_id, name in tenants(simulator).items():
        assert f"{name} ({tenant_id}): connected, {len(STREAMED)} entities are being loaded" in ended.out
    rows = fetch(deployed, "SELECT * FROM tenants JOIN grants USING (grant_id)")
    assert {row["tenant_id"]: row["name"] for row in rows} == tenants(simulator)
    assert {json.loads(row["tags"])["region"] for row in rows} == {"north"}
    assert {row["kind"] for row in rows} == {"authorization_code"}
    stored = b"".join(rows[0][name] for name in ("access_token", "refresh_token", "previous_token"))
    assert token.encode() not in stored
    assert token not in ended.out
    loads = fetch(deployed, "SELECT * FROM passes WHERE kind = 'backfill' AND finished_at IS NULL")
    assert len(loads) == len(STREAMED) * len(rows)


def test_what_the_grant_lacks_is_told_held_and_shown(deployed: CommandLine, simulator: Simulated) -> None:
    """One scope is missing: that kind of record waits with the scope's name; a grant that has it ends the wait."""
    scopes = ["offline_access", "accounting.invoices.read", "accounting.payments.read"]
    made = simulator.ask("POST", "/_sim/grants", {"scopes": scopes})

    ended = deployed("grants", "add", stdin=made["refreshToken"])

    assert ended.code == 0, ended.err
    assert "not read, as the grant lacks the scope: contacts (accounting.contacts.read)" in ended.out
    assert f"connected, {len(STREAMED) - 1} entities are being loaded" in ended.out
    listed = deployed("grants", "list")
    assert listed.code == 1
    assert "contacts: no scope since 20" in listed.out
    assert "Connect the organisation again with the scope accounting.contacts.read" in listed.out
    as_json = [json.loads(line) for line in deployed("grants", "list", "--json").out.splitlines()]
    assert [[hold["entity"] for hold in row["held"]] for row in as_json] == [["contacts"]] * len(as_json)

    retried = deployed("grants", "retry", "--entity", "contacts")
    assert (retried.code, "tried again" in retried.out) == (0, True)
    assert deployed("grants", "retry", "--entity", "teapots").code == 2

    again = deployed("grants", "add", stdin=simulator.refresh_token())
    assert again.code == 0, again.err
    assert "lacks" not in again.out
    assert deployed("grants", "list").code == 0
    assert fetch(deployed, "SELECT * FROM entity_holds") == []
    assert deployed("grants", "retry").out == "nothing is held\n"


def test_one_organisation_with_your_reference(deployed: CommandLine, simulator: Simulated) -> None:
    """Chosen by its id in any case; the other one is left out."""
    chosen = next(iter(tenants(simulator)))

    ended = deployed(
        "grants", "add", "--tenant", chosen.upper(), "--customer-ref", "c-1001", stdin=simulator.refresh_token()
    )

    assert ended.code == 0
    rows = fetch(deployed, "SELECT tenant_id, customer_ref FROM tenants")
    assert rows == [{"tenant_id": chosen, "customer_ref": "c-1001"}]


def test_a_custom_connection(deployed: CommandLine, simulator: Simulated) -> None:
    """An app of its own in the apps file; client credentials need no standard input, and leave no refresh token."""
    made = simulator.ask("POST", "/_sim/grants", {"kind": "client_credentials"})
    apps = deployed.folder / "apps.toml"
    apps.write_text(f"[apps.shop]\nclient_id = '{made['clientId']}'\nclient_secret = '{made['clientSecret']}'\n")

    ended = deployed("grants", "add", "--app", "shop", "--client-credentials", env={"XERO_STREAM_APPS_FILE": str(apps)})

    assert ended.code == 0, ended.err
    assert fetch(deployed, "SELECT app, kind, refresh_token FROM grants") == [
        {"app": "shop", "kind": "client_credentials", "refresh_token": None}
    ]
    assert [row["tenant_id"] for row in fetch(deployed, "SELECT tenant_id FROM tenants")] == made["tenants"]


def test_a_custom_connection_that_may_not_list_its_connections(deployed: CommandLine, simulator: Simulated) -> None:
    """/connections answers its token with 401: the organisation itself says which one it is."""
    made = simulator.ask("POST", "/_sim/grants", {"kind": "client_credentials", "listsConnections": False})
    credentials = {"XERO_CLIENT_ID": made["clientId"], "XERO_CLIENT_SECRET": made["clientSecret"]}

    ended = deployed("grants", "add", "--client-credentials", env=credentials)

    assert ended.code == 0, ended.err
    (tenant_id,) = made["tenants"]
    assert fetch(deployed, "SELECT tenant_id, name, connection_id, state FROM tenants") == [
        {"tenant_id": tenant_id, "name": tenants(simulator)[tenant_id], "connection_id": None, "state": "connected"}
    ]


@pytest.mark.parametrize(("status", "body"), [(403, "<html>Access Denied</html>"), (400, "")])
def test_a_firewall_answers_for_the_token_endpoint(
    deployed: CommandLine, simulator: Simulated, status: int, body: str
) -> None:
    """69: nothing is known of the client id or the token, and neither is blamed."""
    rule = {"operation": "token", "times": 1, "fault": {"kind": "status", "status": status, "body": body}}
    simulator.ask("POST", "/_sim/faults", {"rules": [rule]})

    ended = deployed("grants", "add", stdin=simulator.refresh_token())

    assert ended.code == 69
    assert "XERO_IDENTITY_URL" in ended.complaint
    assert "XERO_CLIENT" not in ended.complaint
    assert fetch(deployed, "SELECT * FROM grants") == []


def test_a_dead_grant_is_given_anew(deployed: CommandLine, simulator: Simulated) -> None:
    """List says who waits for you (1); the same command with a new token lets them go on (0)."""
    deployed("grants", "add", stdin=simulator.refresh_token())
    fetch(deployed, "UPDATE tenants SET state = 'needs_reauth'")

    waiting = deployed("grants", "list")
    again = deployed("grants", "add", stdin=simulator.refresh_token())
    well = deployed("grants", "list", "--json")

    assert waiting.code == 1
    assert waiting.out.count("connect it again with `xero-stream connect`") == 2
    assert "connected again (it was needs reauth)" in again.out
    assert well.code == 0
    listed = [json.loads(line) for line in well.out.splitlines()]
    assert [one["state"] for one in listed] == ["connected", "connected"]
    assert "token" not in well.out


def test_nothing_is_connected_yet(deployed: CommandLine) -> None:
    """An empty list says what to do."""
    ended = deployed("grants", "list")

    assert (ended.code, ended.out) == (0, "no organisation is connected: see `xero-stream connect --help`\n")


@pytest.mark.usefixtures("simulator")
def test_a_token_xero_refuses(deployed: CommandLine) -> None:
    """1, why, and nothing stored; the token itself is never shown."""
    ended = deployed("grants", "add", stdin="not-a-token-of-anybody\n")

    assert ended.code == 1
    assert "invalid_grant" in ended.complaint
    assert "not-a-token" not in ended.err
    assert fetch(deployed, "SELECT * FROM grants") == []


@pytest.mark.usefixtures("simulator")
def test_an_app_xero_refuses(deployed: CommandLine) -> None:
    """78: the client id or secret is wrong."""
    ended = deployed("grants", "add", stdin="x", env={"XERO_CLIENT_SECRET": "wrong"})

    assert ended.code == 78
    assert "XERO_CLIENT_SECRET" in ended.complaint


def test_an_organisation_it_does_not_reach(deployed: CommandLine, simulator: Simulated) -> None:
    """1, what it reaches instead; the grant is not kept, and the same token may be used again."""
    token = simulator.refresh_token()

    wrong = deployed("grants", "add", "--tenant", "00000000-0000-4000-8000-000000000000", stdin=token)
    kept = fetch(deployed, "SELECT * FROM grants")
    right = deployed("grants", "add", stdin=token)

    assert wrong.code == 1
    assert "does not reach 00000000-0000-4000-8000-000000000000; it reaches" in wrong.complaint
    assert "takes the same refresh token again for 30 minutes" in wrong.complaint
    assert kept == []
    assert right.code == 0


def test_xero_is_not_there(deployed: CommandLine) -> None:
    """69; nothing was used up, nothing stored."""
    ended = deployed("grants", "add", stdin="x")

    assert ended.code == 69
    assert "token endpoint" in ended.complaint
    assert fetch(deployed, "SELECT * FROM grants") == []


def test_settings_of_another_deployment(deployed: CommandLine, simulator: Simulated) -> None:
    """78: an organisation must not be put into a partition nobody looks at."""
    deployed("grants", "add", stdin=simulator.refresh_token())

    ended = deployed("grants", "add", stdin=simulator.refresh_token(), env={"KAFKA_PARTITIONS": "7"})

    assert ended.code == 78
    assert "KAFKA_PARTITIONS=3" in ended.complaint


@pytest.mark.parametrize("typed", ["", "\n", "   \n"])
def test_no_token_at_all(deployed: CommandLine, typed: str) -> None:
    """2, and the other way to do it."""
    ended = deployed("grants", "add", stdin=typed)

    assert ended.code == 2
    assert "--client-credentials" in ended.err


def test_on_a_terminal_the_token_is_asked_for_and_not_shown(deployed: CommandLine, simulator: Simulated) -> None:
    """Typed at a prompt, it does not appear."""
    token = simulator.refresh_token()
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(deployed.folder)
        os.execve(COMMAND[0], [COMMAND[0], "grants", "add"], deployed.environment)
    shown = b""
    while b"not shown" not in shown:
        shown += os.read(terminal, 1024)
    os.write(terminal, f"{token}\n".encode())
    while True:
        try:
            chunk = os.read(terminal, 1024)
        except OSError:  # Linux's way to say that the other side was closed
            break
        if not chunk:
            break
        shown += chunk
    _, status = os.waitpid(pid, 0)

    assert os.waitstatus_to_exitcode(status) == 0, shown
    assert b"being loaded" in shown
    assert token.encode() not in shown


def test_organisations_that_are_not_connected_are_listed(deployed: CommandLine) -> None:
    """After the grants, as a line and as JSON; nobody has to do anything about them, so the exit code stays 0."""
    stranger = "c2cc9b6e-9458-4c7d-93cc-f02b81b0594f"
    fetch(
        deployed,
        "INSERT INTO unconnected (tenant_id, partition, app, events, kept, dropped) VALUES ($1, 1, 'shop', 40, 10, 30)",
        stranger,
    )

    listed, as_json = deployed("grants", "list"), deployed("grants", "list", "--json")

    assert (listed.code, as_json.code) == (0, 0)
    assert f"{stranger} · app shop · not connected · 40 events since" in listed.out
    assert "10 records wait · 30 events only counted" in listed.out
    document = json.loads(as_json.out.splitlines()[-1])
    assert (document["state"], document["tenant_id"], document["kept"]) == ("unconnected", stranger, 10)


def test_an_organisation_may_be_named_in_any_spelling(deployed: CommandLine) -> None:
    """What is not a valid id at all is a usage error that says so, before a token is used up."""
    ended = deployed("grants", "add", "--tenant", "Ridgeway University", stdin="t")

    assert ended.code == 2
    assert "is no tenant id of Xero's" in ended.err
