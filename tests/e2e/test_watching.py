"""What the processes show of themselves: health, metrics, traces; and what they never show."""

import uuid
from collections.abc import Sequence
from urllib.parse import urlsplit

import asyncpg
import orjson
import pytest
import pytest_asyncio

from tests.e2e.conftest import UNCONNECTED
from tests.support.servers import SharedServers
from tests.support.stack import CLIENT_SECRET, WEBHOOK_KEY, Stack
from tests.support.webhooks import sign
from xero_stream.contracts.names import EntityName
from xero_stream.store.crypto import Column, TokenCipher
from xero_stream.store.unconnected import expire
from xero_stream.telemetry import trace

pytestmark = pytest.mark.asyncio(loop_scope="session")

NAME = "Canary Zebrafish Holdings"
MAIL = "canary.zebrafish@example.test"


@pytest_asyncio.fixture(loop_scope="session")
async def tenants(quiet: Stack) -> list[str]:
    """The organisations of the shared system."""
    return await quiet.tenants()


async def post(stack: Stack, events: Sequence[dict[str, str]], **headers: str) -> int:
    """A webhook of our own; answers the status."""
    document = {"events": list(events), "firstEventSequence": 1, "lastEventSequence": len(events), "entropy": "E" * 20}
    body = orjson.dumps(document)
    given = {"x-xero-signature": sign(body, WEBHOOK_KEY), "content-type": "application/json", **headers}
    return (await stack.http.post(stack.webhook_url, content=body, headers=given)).status_code


async def some_contact(stack: Stack, tenant: str, place: int = 0) -> str:
    """The id of a contact."""
    contacts = (await stack.control("GET", f"/truth/{tenant}/Contacts"))["Contacts"]
    found: str = [contact for contact in contacts if contact["ContactStatus"] == "ACTIVE"][place]["ContactID"]
    return found


async def test_a_trace_travels_from_the_webhook_to_its_change(quiet: Stack, tenants: Sequence[str]) -> None:
    """The sender's trace goes on in webhook-events and in the change; a delivery without one begins its own."""
    ours = trace.root(0x1234567890ABCDEF << 70)
    record_id = await some_contact(quiet, tenants[0])
    edit = {"tenantId": tenants[0], "endpoint": "Contacts", "kind": "change", "recordId": record_id}
    await quiet.edit(**edit, webhook=False)
    told = await quiet.event_of(tenants[0], "Contacts", record_id)
    assert await post(quiet, [told], traceparent=ours.header()) == 200
    await quiet.drained()
    await quiet.edit(**edit)
    await quiet.drained()

    events = [
        (dict(record.headers)["traceparent"].decode(), orjson.loads(record.value)["event"]["resourceId"])
        for record in await quiet.read([quiet.topics.webhook_events])
    ]
    changes = [
        (dict(record.headers).get("traceparent", b"").decode(), orjson.loads(record.value)["source"]["record_id"])
        for record in await quiet.read([quiet.topics.changes(EntityName.CONTACTS)])
    ]
    of_events = [_trace_id(header) for header, record in events if record == record_id]
    of_changes = [_trace_id(header) for header, record in changes if record == record_id and header]
    assert of_events == of_changes
    assert of_events[0] == ours.trace_id
    assert of_events[1] not in ("", ours.trace_id)


def _trace_id(header: str) -> str:
    context = trace.parse(header)
    return context.trace_id if context else ""


async def test_health_and_metrics_of_the_processors(quiet: Stack, tenants: Sequence[str]) -> None:
    """``/livez``, ``/readyz`` and every counter of a hop that worked."""
    before = await quiet.series("processors-0")
    await quiet.edit(tenantId=tenants[1], endpoint="Invoices", kind="change", count=3)
    await quiet.drained()
    after = await quiet.series("processors-0")

    for page in ("livez", "readyz"):
        answer = await quiet.http.get(f"http://127.0.0.1:{quiet.private_ports['processors-0']}/{page}")
        assert (answer.status_code, answer.json()["ok"]) == (200, True), answer.text
    moved = {
        "xero_stream_events_total": 3,
        "xero_stream_intake_seconds_count": 1,
        'xero_stream_xero_call_seconds_count{priority="webhook"}': 1,
        'xero_stream_xero_received_bytes_total{priority="webhook"}': 500,
        'xero_stream_changes_total{entity="invoices",op="u"}': 1,
        'xero_stream_reads_judged_total{verdict="settled"}': 1,
        "xero_stream_event_to_record_seconds_count": 1,
        "xero_stream_recorder_seconds_count": 1,
        "xero_stream_relayed_changes_total": 1,
        "xero_stream_relay_seconds_count": 1,
    }
    for name, least in moved.items():
        assert after[name] - before[name] >= least, f"{name} did not move"
    calls = 'xero_stream_xero_calls_total{outcome="ok",priority="webhook"}'
    assert after[calls] - before[calls] >= 1
    assert after["xero_stream_partitions_owned"] == 3

    async def nothing_unpublished() -> bool:
        return (await quiet.series("processors-0")).get("xero_stream_relay_lag_changes") == 0

    await quiet.until(nothing_unpublished, 15, "the gauge to say that everything is on Kafka")
    assert after['xero_stream_lease_changes_total{change="taken"}'] >= 3
    assert not [name for name in after if "tenant" in name and "{" in name], "a tenant in a label"


async def test_no_log_holds_a_secret_or_a_customer(
    quiet: Stack, tenants: Sequence[str], shared_servers: SharedServers
) -> None:
    """Everything logged at debug level of a run with tokens renewed, errors of every kind, and a record set aside."""
    tenant = tenants[2]
    contact, invalid = await some_contact(quiet, tenant), await some_contact(quiet, tenant, 1)
    cipher = TokenCipher([quiet._key])
    secrets = {CLIENT_SECRET, WEBHOOK_KEY, quiet._key, str(urlsplit(quiet.database_url).password), NAME, MAIL}
    secrets |= await tokens(quiet, cipher)
    # A token refused right after its renewal is not renewed again; this one is old enough.
    await quiet.fetch("UPDATE grants SET refreshed_at = refreshed_at - interval '15 minutes'")
    one = {"operation": ["list", "get"], "tenantId": tenant, "times": 1}
    await quiet.plan_faults(
        {"name": "renew the token", **one, "fault": {"kind": "status", "status": 401}},
        {"name": "an error page", **one, "after": 1, "fault": {"kind": "status", "status": 500, "body": NAME}},
        {"name": "half an answer", **one, "after": 2, "fault": {"kind": "truncate", "fraction": 0.9}},
    )
    place = f"/_sim/records/{tenant}/Contacts"
    fields = {"Name": NAME, "EmailAddress": MAIL}
    await quiet.http.put(f"{place}/{contact}", json={"fields": fields})
    await quiet.http.put(f"{place}/{invalid}", json={"fields": {**fields, "Phones": NAME}})
    body = orjson.dumps({"events": [NAME], "unread": MAIL})
    for signature in (sign(body, WEBHOOK_KEY), sign(body, "another key")):
        secrets.add(signature)
        await quiet.http.post(quiet.webhook_url, content=body, headers={"x-xero-signature": signature})
    await quiet.drained()
    await quiet.assert_faults_fired("renew the token", "an error page", "half an answer")
    secrets |= await tokens(quiet, cipher)

    assert len(secrets) == 12, "the tokens were renewed: two sets of two"
    assert await quiet.fetch("SELECT 1 FROM quarantine WHERE record_id = $1", invalid)
    logs = [*(process.log for process in quiet.processes.values()), *shared_servers.logs]
    for log in logs:
        text = log.read_text(encoding="utf-8", errors="replace")
        assert not [secret for secret in secrets if secret in text], f"in {log}"
    processors = quiet.processes["processors-0"].log.read_text(encoding="utf-8")
    assert '"event":"xero_call"' in processors, "not logged at debug level"
    assert '"event":"call_failed"' in processors
    for record_id in (contact, invalid):
        # Also because a new name shows in documents of the contact, of which Xero tells nobody.
        await quiet.http.put(f"{place}/{record_id}", json={"reset": True})
    await quiet.drained()


async def tokens(stack: Stack, cipher: TokenCipher) -> set[str]:
    """The tokens in the store."""
    rows = await stack.fetch("SELECT grant_id, access_token, refresh_token FROM grants")
    columns = (Column.ACCESS, Column.REFRESH)
    return {cipher.open(row[column], row["grant_id"], column) for row in rows for column in columns if row[column]}


async def test_an_event_of_an_unknown_organisation_waits(quiet: Stack, tenants: Sequence[str]) -> None:
    """It is kept, costs no call, disturbs nobody."""
    stranger = str(uuid.uuid4())
    event = {"tenantId": stranger, "resourceId": str(uuid.uuid4()), "eventCategory": "CONTACT"}
    assert await post(quiet, [event]) == 200
    await quiet.drained()

    assert await quiet.fetch("SELECT 1 FROM dirty WHERE tenant_id = $1", stranger)
    (noted,) = await quiet.fetch("SELECT app, events, kept, dropped FROM unconnected WHERE tenant_id = $1", stranger)
    assert tuple(noted) == ("default", 1, 1, 0)
    await quiet.until(lambda: shown(quiet, "xero_stream_unconnected_organisations", 1), 15, "the gauge")
    assert stranger not in (await quiet.control("GET", "/calls"))["tenants"]
    await quiet.judged(tenants)


async def shown(stack: Stack, series: str, least: float) -> bool:
    """Whether a series of the processors has that value, or more."""
    return (await stack.series("processors-0"))[series] >= least


async def test_an_organisation_is_loaded_whole_whatever_was_dropped_or_expired(quiet: Stack) -> None:
    """More records change than may wait, and what waits expires; then it is connected, and nothing is missing."""
    figures = {"contacts": 6, "invoices": 40, "creditNotes": 4}
    tenant = (await quiet.control("POST", "/tenants", figures))["tenantId"]
    await quiet.edit(tenantId=tenant, count=80)
    await quiet.drained()
    (waiting,) = await quiet.fetch("SELECT count(*) AS n FROM dirty WHERE tenant_id = $1", tenant)
    (noted,) = await quiet.fetch("SELECT * FROM unconnected WHERE tenant_id = $1", tenant)
    assert 0 < waiting["n"] == noted["kept"] <= UNCONNECTED
    assert noted["dropped"] > 0
    dropped = (await quiet.series("processors-0"))["xero_stream_unconnected_dropped_events_total"]
    assert dropped >= noted["dropped"]
    assert tenant not in (await quiet.control("GET", "/calls"))["tenants"]

    await quiet.fetch("UPDATE dirty SET first_received_at = now() - interval '8 days' WHERE tenant_id = $1", tenant)
    await quiet.fetch("UPDATE unconnected SET dropped_at = now() - interval '1 hour' WHERE tenant_id = $1", tenant)
    async with asyncpg.create_pool(quiet.database_url, min_size=1, max_size=1) as pool:
        assert await expire(pool, 7) == waiting["n"]
    await quiet.connect([tenant])
    await quiet.drained()

    assert not await quiet.fetch("SELECT 1 FROM unconnected WHERE tenant_id = $1", tenant)
    await quiet.judged(await quiet.tenants())
