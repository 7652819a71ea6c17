"""Single records through the whole system: what counts as a change, what is too large, what can't be mapped.

One stack serves all these tests; each has an organisation or records of its own.
"""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime

import asyncpg
import pytest
import pytest_asyncio

from tests.e2e.conftest import INVOICES
from tests.support.stack import Stack
from verify.history import Change
from xero_stream.contracts.names import STREAMED, EntityName
from xero_stream.store.quarantine import entries, retry

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture
def stack(quiet: Stack) -> Stack:
    """The shared system."""
    return quiet


@pytest_asyncio.fixture(loop_scope="session")
async def tenants(quiet: Stack) -> list[str]:
    """Its organisations."""
    return await quiet.tenants()


async def ids_of(stack: Stack, tenant: str, path: str = "Invoices") -> list[str]:
    """Ids of an organisation's records that are there."""
    rows = (await stack.control("GET", f"/truth/{tenant}/{path}"))[path]
    gone = {"DELETED", "VOIDED"}
    key = path.removesuffix("s") + "ID"
    return [row[key] for row in rows if row.get("Status") not in gone]


async def changes_of(stack: Stack, record_id: str) -> list[Change]:
    """The published changes of a record."""
    return [change for change in await stack.changes() if change.ref.record_id == record_id]


async def recorded(stack: Stack, record_id: str, count: int, within: float = 15) -> None:
    """Wait until the store has so many changes of a record."""

    async def enough() -> bool:
        (row,) = await stack.fetch("SELECT count(*) AS n FROM changes WHERE record_id = $1", record_id)
        return bool(row["n"] >= count)

    await stack.until(enough, within, f"{count} changes of {record_id}")


async def put(stack: Stack, tenant: str, path: str, record_id: str, fields: str, **switches: bool) -> None:
    """Set fields of a record to any JSON."""
    more = "".join(f', "{name}": {str(value).lower()}' for name, value in switches.items())
    answer = await stack.http.put(
        f"/_sim/records/{tenant}/{path}/{record_id}",
        content=f'{{"fields": {fields}{more}}}'.encode(),
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 200, answer.text


async def test_there_and_back_without_a_moved_stamp(stack: Stack, tenants: Sequence[str]) -> None:
    """A → B → A, UpdatedDateUTC unmoved: three changes, each with the one before as its ``before``."""
    tenant = tenants[0]
    record_id = (await ids_of(stack, tenant))[0]
    edit = {"tenantId": tenant, "endpoint": "Invoices", "recordId": record_id}

    await stack.edit(**edit, kind="touch_without_stamp")
    await recorded(stack, record_id, 2)
    await stack.edit(**edit, kind="restore")
    await recorded(stack, record_id, 3)
    await stack.drained()

    first, second, third = await changes_of(stack, record_id)
    assert [change.event["op"] for change in (first, second, third)] == ["r", "u", "u"]
    assert first.event["after"] == third.event["after"] != second.event["after"]
    assert len({change.source["ts_ms"] for change in (first, second, third)}) == 1
    await stack.judged(tenants)


async def test_the_same_record_by_any_form_publishes_nothing(stack: Stack, tenants: Sequence[str]) -> None:
    """One GET, ``IDs=``, a sweep and a pass of everything (the forms Xero has) read the same records again: no change, but later reads."""
    tenant = tenants[1]
    (before,) = await stack.fetch("SELECT sum(position) AS positions FROM positions")

    for mode, most in (("alone", 1), ("ids", 20), ("any", INVOICES)):
        calls = await calls_of(stack, tenant)
        # One call per entity: of one record, of as many as any kind takes by ids (payments 20), of more than that.
        await stack.fetch(
            "INSERT INTO dirty (tenant_id, entity, record_id, partition, event_at, first_received_at, mode) "
            "SELECT tenant_id, entity, record_id, partition, to_timestamp(0), now(), $2 FROM ("
            "  SELECT *, row_number() OVER (PARTITION BY entity ORDER BY record_id) AS place FROM records"
            "  WHERE tenant_id = $1 AND gone IS NULL) AS r WHERE place <= $3",
            tenant,
            mode,
            most,
        )
        await read_again(stack, tenant, everything=mode == "any")
        made = await calls_of(stack, tenant) - calls
        assert len(STREAMED) <= made <= len(STREAMED) + 1, f"{mode}: {made} calls"  # one of a late event, perhaps
    await stack.fetch(
        "UPDATE passes SET kind = 'catch_up', place = NULL, finished_at = NULL WHERE tenant_id = $1", tenant
    )
    await read_again(stack, tenant, everything=True)

    (after,) = await stack.fetch("SELECT sum(position) AS positions FROM positions")
    assert after["positions"] == before["positions"]
    await stack.judged(tenants)


async def calls_of(stack: Stack, tenant: str) -> int:
    """Calls the simulator counted."""
    calls: int = (await stack.control("GET", "/calls"))["tenants"][tenant]["calls"]
    return calls


async def read_again(stack: Stack, tenant: str, *, everything: bool) -> None:
    """Wait until the records were read after now."""
    since = datetime.now(UTC)
    await stack.drained()
    (row,) = await stack.fetch(
        # S is a lower bound of Xero's clock: up to a second early.
        "SELECT count(*) FILTER (WHERE read_at > $2::timestamptz - interval '1.5 seconds') AS read, count(*) AS all FROM records "
        "WHERE tenant_id = $1 AND gone IS NULL",
        tenant,
        since,
    )
    assert row["read"] == row["all"] if everything else row["read"] >= 3, dict(row)


def lines(count: int, letters: int) -> str:
    """Line items as JSON."""
    line = (
        '{"LineItemID": "%s", "Description": "' + "x" * letters + '", "Quantity": 1.0, "UnitAmount": 1.0, '
        '"LineAmount": 1.0, "TaxType": "OUTPUT2", "TaxAmount": 0.15, "AccountCode": "200", "Tracking": []}'
    )
    return "[" + ", ".join(line % uuid.UUID(int=number) for number in range(count)) + "]"


async def test_large_invoices_shorten_their_changes_and_stall_nothing(stack: Stack, tenants: Sequence[str]) -> None:
    """What does not fit 8 MiB goes with a shorter ``before``, then ``after``; neighbours go on, omissions are named."""
    tenant = tenants[2]
    large, huge, neighbour = (await ids_of(stack, tenant))[:3]

    await put(stack, tenant, "Invoices", large, f'{{"LineItems": {lines(2_500, 1_800)}}}')
    await recorded(stack, large, 2)
    await put(stack, tenant, "Invoices", large, '{"Reference": "another"}')
    await put(stack, tenant, "Invoices", huge, f'{{"LineItems": {lines(5_000, 1_800)}}}')
    await put(stack, tenant, "Invoices", neighbour, '{"Reference": "beside it"}')
    await stack.drained()

    whole, shorter = (await changes_of(stack, large))[1:]
    (both,) = (await changes_of(stack, huge))[1:]
    (beside,) = (await changes_of(stack, neighbour))[1:]
    assert whole.event["omitted"] is None
    assert len(whole.event["after"]["line_items"]) == 2_500
    lists = [name for name, value in whole.event["after"].items() if isinstance(value, list) and value]
    assert shorter.event["omitted"] == [f"before.{name}" for name in lists]
    assert shorter.event["before"] == {**whole.event["after"], **{key: [] for key in lists}}
    assert len(shorter.event["after"]["line_items"]) == 2_500
    assert shorter.event["changed_fields"] == ["updated_at", "reference"]
    assert {"before.line_items", "after.line_items"} <= set(both.event["omitted"])
    assert (both.event["before"]["id"], both.event["after"]["id"]) == (huge, huge)
    assert both.event["after"]["line_items"] == []
    assert "line_items" in both.event["changed_fields"]
    assert beside.event["after"]["reference"] == "beside it"
    held = [record.value for record in await stack.records() if record.ref.record_id == huge][-1]
    assert held is not None
    assert "record.line_items" in held["omitted"]
    assert held["record"] == both.event["after"]
    assert held["position"] == both.position
    await stack.judged(tenants)


async def test_long_numbers_and_nul_keep_every_digit_and_byte(stack: Stack, tenants: Sequence[str]) -> None:
    """A 17-digit amount is a number of the same value; a NUL is text like any other, wherever Xero puts it."""
    tenant = tenants[2]
    amount, text, status, neighbour = (await ids_of(stack, tenant))[3:7]

    await put(stack, tenant, "Invoices", amount, '{"Total": 123456789012345.67}')
    await put(stack, tenant, "Invoices", text, '{"Reference": "a\\u0000b"}')
    await put(stack, tenant, "Invoices", status, '{"Status": "AUTH\\u0000ORISED"}')
    await put(stack, tenant, "Invoices", neighbour, '{"Reference": "beside a NUL"}')
    await stack.drained()

    raw = {r.key: r.value for r in await stack.read([stack.topics.changes(EntityName.INVOICES)])}
    assert b'"total":123456789012345.67,' in raw[f'{{"tenant_id":"{tenant}","id":"{amount}"}}'.encode()]
    assert (await changes_of(stack, text))[-1].event["after"]["reference"] == "a\x00b"
    assert (await changes_of(stack, status))[-1].event["after"]["status"] == "auth\x00orised"
    assert (await changes_of(stack, neighbour))[-1].event["after"]["reference"] == "beside a NUL"
    await stack.judged(tenants)


async def test_a_webhook_of_two_mebibytes(stack: Stack, tenants: Sequence[str]) -> None:
    """3,000 events in one delivery, most of them old: one row and one read per record that changed."""
    tenant = tenants[3]
    ids = await ids_of(stack, tenant)
    edited = ids[:10]
    for record_id in edited:
        await put(stack, tenant, "Invoices", record_id, '{"Reference": "told later"}', webhook=False)
    # Within two seconds of an edit a read does not settle it for good: repeats of its event would be read again.
    await stack.control("PUT", "/clock", {"aheadSeconds": 3})
    calls = await calls_of(stack, tenant)
    owed = [await stack.event_of(tenant, "Invoices", record_id) | {"unknownField": "x" * 400} for record_id in ids]
    events = [owed[number % len(owed)] for number in range(3_000)]
    await stack.control("POST", "/webhooks/events", {"events": events, "together": True})
    await stack.drained()

    log = await stack.control("GET", "/webhooks?limit=5")
    delivery = max(log["deliveries"], key=lambda row: row["events"])
    assert delivery["events"] == 3_000
    assert delivery["bytes"] >= 2 * 1024 * 1024
    assert [attempt["answer"] for attempt in delivery["attempts"]] == [200]
    for record_id in edited:
        assert (await changes_of(stack, record_id))[-1].event["after"]["reference"] == "told later"
    # One call brings fifty records. What is appended while a call is under way may ask for one more, as it should: how
    # often depends on the machine. Each event for itself would take sixty.
    assert await calls_of(stack, tenant) - calls <= 6
    await stack.judged(tenants)


async def dead_letters(stack: Stack) -> list[tuple[dict[str, str], bytes]]:
    """Headers and bytes of everything on dead-letters."""
    found = await stack.read([stack.topics.dead_letters])
    return [({name: text.decode() for name, text in record.headers}, record.value) for record in found]


async def test_an_invalid_record_is_set_aside_and_comes_back(stack: Stack, tenants: Sequence[str]) -> None:
    """Its bytes are kept and on dead-letters, its page goes on; fixed and sent round again, it is published."""
    tenant = tenants[3]
    ids = await ids_of(stack, tenant)
    bad, *neighbours = ids[10:14]
    await put(stack, tenant, "Invoices", bad, '{"LineItems": 5, "Reference": "kept with its bytes"}', webhook=False)
    for neighbour in neighbours:
        await put(stack, tenant, "Invoices", neighbour, '{"Reference": "the rest goes on"}', webhook=False)
    events = [await stack.event_of(tenant, "Invoices", one) for one in (bad, *neighbours)]
    await stack.control("POST", "/webhooks/events", {"events": events, "together": True})
    await stack.drained()

    for neighbour in neighbours:
        assert (await changes_of(stack, neighbour))[-1].event["after"]["reference"] == "the rest goes on"
    pool = await asyncpg.create_pool(stack.database_url, min_size=1, max_size=1)
    try:
        (entry,) = [one for one in await entries(pool) if one.record_id == bad]
        assert (entry.stage, entry.reason, entry.state) == ("fetch", "invalid_record", "open")
        assert b"kept with its bytes" in entry.value
        letter = await letter_of(stack, str(entry.id))
        assert letter == entry.value

        await put(stack, tenant, "Invoices", bad, '{"Reference": "fixed"}', webhook=False, reset=True)
        assert await retry(pool, entry.id)
        await recorded(stack, bad, 2)
        await stack.drained()
        (resolved,) = [one for one in await entries(pool, state="resolved") if one.record_id == bad]
        assert resolved.id == entry.id
    finally:
        await pool.close()
    assert (await changes_of(stack, bad))[-1].event["after"]["reference"] == "fixed"
    await stack.judged(tenants)


async def letter_of(stack: Stack, entry: str) -> bytes:
    """The bytes of a dead letter, once it is there."""

    async def there() -> bool:
        return any(headers["xs_id"] == entry for headers, _ in await dead_letters(stack))

    await stack.until(there, 10, f"the dead letter {entry}")
    (found,) = [value for headers, value in await dead_letters(stack) if headers["xs_id"] == entry]
    return found


async def test_an_invalid_record_beyond_kafkas_limit_stalls_no_relay(stack: Stack, tenants: Sequence[str]) -> None:
    """Its whole bytes stay in the store; the dead letter carries what fits and says so; changes behind it go on."""
    tenant = tenants[3]
    bad, neighbour = (await ids_of(stack, tenant))[14:16]
    await put(stack, tenant, "Invoices", bad, f'{{"LineItems": {lines(5_000, 1_800)}, "Contact": 5}}')
    await put(stack, tenant, "Invoices", neighbour, '{"Reference": "before the letter"}')
    await stack.drained()
    (entry,) = await stack.fetch("SELECT id, length(value) AS size FROM quarantine WHERE record_id = $1", bad)

    letter = await letter_of(stack, str(entry["id"]))
    await put(stack, tenant, "Invoices", neighbour, '{"Reference": "behind the letter"}')
    await recorded(stack, neighbour, 3)
    await stack.drained()

    assert entry["size"] > 9 * 1024 * 1024
    assert len(letter) < 8 * 1024 * 1024
    (headers,) = [headers for headers, _ in await dead_letters(stack) if headers["xs_id"] == str(entry["id"])]
    assert headers["xs_cut_from"] == str(entry["size"])
    assert (await changes_of(stack, neighbour))[-1].event["after"]["reference"] == "behind the letter"
    await put(stack, tenant, "Invoices", bad, "{}", reset=True)
    await stack.drained()
    await stack.judged(tenants)


async def write(stack: Stack, tenant: str, record_id: str, fields: dict[str, object]) -> None:
    """Change an invoice through Xero's API, as another app would."""
    grant = await stack.control("POST", "/grants", {"kind": "client_credentials", "tenants": [tenant]})
    form = {"grant_type": "client_credentials"}
    token = await stack.http.post("/connect/token", data=form, auth=(grant["clientId"], grant["clientSecret"]))
    headers = {"authorization": f"Bearer {token.json()['access_token']}", "xero-tenant-id": tenant}
    body = {"Invoices": [{"InvoiceID": record_id, **fields}]}
    answer = await stack.http.post(f"/api.xro/2.0/Invoices/{record_id}?unitdp=4", json=body, headers=headers)
    assert answer.status_code == 200, answer.text


async def read_in(stack: Stack, tenant: str, mode: str, ids: Sequence[str]) -> None:
    """Have invoices read again: alone, by ids, or (of more than one call of ids) by a sweep."""
    rows = [(tenant, one, mode) for one in ids]
    await stack.fetch(
        "INSERT INTO dirty (tenant_id, entity, record_id, partition, event_at, first_received_at, mode) "
        "SELECT r.tenant_id, r.entity, r.record_id, r.partition, to_timestamp(0), now(), $3 FROM records r "
        "WHERE r.tenant_id = $1 AND r.entity = 'invoices' AND r.record_id = ANY($2)",
        tenant,
        [record_id for _, record_id, _ in rows],
        mode,
    )
    await stack.drained()


async def test_forms_of_one_truth_are_one_record(stack: Stack, tenants: Sequence[str]) -> None:
    """An organisation whose lists lack the rounding and the ids of options: A → B → A, each by another form, is two changes."""
    tenant = tenants[1]
    await stack.control("PUT", f"/forms/{tenant}", {"rounding": True, "listsOptionIds": False})
    rows = (await stack.control("GET", f"/truth/{tenant}/Invoices"))["Invoices"]
    tracked = [row for row in rows if any(line["Tracking"] for line in row["LineItems"])]
    rounded = next(
        row for row in tracked if row["Status"] in {"DRAFT", "SUBMITTED", "AUTHORISED"} and not row["Payments"]
    )
    record_id, other = rounded["InvoiceID"], next(row["InvoiceID"] for row in rows if row is not rounded)
    every = [row["InvoiceID"] for row in rows if row["Status"] not in {"DELETED", "VOIDED"}]
    assert len(every) > 50, "a sweep needs more than one call's ids"
    known = len(await changes_of(stack, record_id))
    totals = {name: rounded[name] for name in ("SubTotal", "TotalTax", "Total")}

    await write(stack, tenant, record_id, totals | {"RoundingAmount": -0.03, "Reference": "A"})
    await stack.drained()
    (first,) = (await changes_of(stack, record_id))[known:]
    total = round(rounded["Total"] - 0.03, 2)
    assert (first.event["after"]["rounding_amount"], first.event["after"]["total"]) == (-0.03, total)

    for mode, ids in (("ids", [record_id, other]), ("alone", [record_id]), ("any", every), ("ids", [record_id, other])):
        await read_in(stack, tenant, mode, ids)
    assert len(await changes_of(stack, record_id)) == known + 1

    for reference in ("B", "A"):
        # Both at once: they are read by ids, which can't tell the total of the one that is rounded.
        for one in (record_id, other):
            await put(stack, tenant, "Invoices", one, f'{{"Reference": "{reference}"}}', webhook=False)
        events = [await stack.event_of(tenant, "Invoices", one) for one in (record_id, other)]
        await stack.control("POST", "/webhooks/events", {"events": events, "together": True})
        await stack.drained()
        for mode, ids in (("any", every), ("alone", [record_id]), ("ids", [record_id, other])):
            await read_in(stack, tenant, mode, ids)

    there, back = (await changes_of(stack, record_id))[known + 1 :]
    assert [change.event["changed_fields"] for change in (there, back)] == [["updated_at", "reference"]] * 2
    after = back.event["after"]
    assert {**after, "updated_at": None} == {**first.event["after"], "updated_at": None}
    options = [one["option_id"] for line in after["line_items"] for one in line["tracking"]]
    assert options
    assert all(options)

    await write(stack, tenant, record_id, totals | {"RoundingAmount": 0})
    await stack.drained()
    (cleared,) = (await changes_of(stack, record_id))[known + 3 :]
    assert (cleared.event["after"]["rounding_amount"], cleared.event["after"]["total"]) == (None, rounded["Total"])
    await stack.judged(tenants)
    await stack.control("PUT", f"/forms/{tenant}", {"rounding": False, "listsOptionIds": True})


DEEP = '{"a":[' * 350 + r'"\ud83d"' + "]}" * 350
HOSTILE = {
    "bounds": '{"Reference": "bounds", "SubTotal": 1e999999999, "AmountDue": -1e-999999999, "SentToContact": 1}',
    "digits": f'{{"Reference": "digits", "Total": {"7" * 4_000}, "Unknown": {"7" * 4_000}}}',
    "half": r'{"Reference": "half", "Url": "cut \ud83d", "Unknown": "\u0000"}',
    "deep": f'{{"Reference": "deep", "Unknown": {DEEP}}}',
}
"""Fields by the reference they come with; each record can be published without what can't be read of it."""


async def test_hostile_fields_cost_themselves_only(stack: Stack, tenants: Sequence[str]) -> None:
    """Numbers beyond all bounds, nesting, half a surrogate pair: the record is published without them, and its neighbours."""
    tenant = tenants[2]
    *odd, neighbour = (await ids_of(stack, tenant))[10 : 11 + len(HOSTILE)]
    records = dict(zip(HOSTILE, odd, strict=True))
    for name, fields in HOSTILE.items():
        await put(stack, tenant, "Invoices", records[name], fields, webhook=False)
    await put(stack, tenant, "Invoices", neighbour, '{"Reference": "beside them"}', webhook=False)
    events = [await stack.event_of(tenant, "Invoices", one) for one in (*odd, neighbour)]
    await stack.control("POST", "/webhooks/events", {"events": events, "together": True})
    await stack.drained()

    after = {name: (await changes_of(stack, record_id))[-1].event["after"] for name, record_id in records.items()}
    assert {name: record["reference"] for name, record in after.items()} == {name: name for name in HOSTILE}
    assert (after["bounds"]["sub_total"], after["bounds"]["amount_due"]) == (None, None)
    assert after["bounds"]["sent_to_contact"] is True
    assert after["digits"]["total"] is None
    assert after["half"]["url"] == "cut \ufffd"
    assert (await changes_of(stack, neighbour))[-1].event["after"]["reference"] == "beside them"
    series = [series for name in stack.processors for series in (await stack.series(name)).items()]
    counted = sum(value for name, value in series if "record_oddities_total" in name and "unreadable" in name)
    assert counted >= 3, series
    await stack.judged(tenants)


async def test_a_hostile_answer_is_kept_and_its_neighbours_go_on(stack: Stack, tenants: Sequence[str]) -> None:
    """A single read brings bytes that can't be mapped, or another record: quarantined with them, once, without a loop."""
    tenant = tenants[2]
    deep, stranger, neighbour = (await ids_of(stack, tenant))[20:23]
    broken = f'{{"InvoiceID":"{deep}","LineItems":{"[" * 1_500 + "]" * 1_500},"Total":NaN}}'
    for record_id, record in ((deep, broken), (stranger, f'{{"InvoiceID":"{neighbour}"}}')):
        fault = {
            "kind": "status",
            "status": 200,
            "contentType": "application/json",
            "body": f'{{"Invoices":[{record}]}}',
        }
        rule = {"operation": ["get"], "tenantId": tenant, "endpoint": "Invoices", "times": 1, "fault": fault}
        await stack.plan_faults(rule | {"name": record_id})
        calls = await calls_of(stack, tenant)
        await put(stack, tenant, "Invoices", record_id, '{"Reference": "behind bytes"}')
        await stack.drained()
        await stack.assert_faults_fired(record_id)
        assert await calls_of(stack, tenant) == calls + 1

    await put(stack, tenant, "Invoices", neighbour, '{"Reference": "not held up"}')
    await stack.drained()

    assert (await changes_of(stack, neighbour))[-1].event["after"]["reference"] == "not held up"
    pool = await asyncpg.create_pool(stack.database_url, min_size=1, max_size=1)
    try:
        kept = {one.record_id: one for one in await entries(pool) if one.record_id in {deep, stranger}}
        assert {one.reason for one in kept.values()} == {"invalid_record", "refused"}
        assert b"[[[[[[" in kept[deep].value
        assert neighbour.encode() in kept[stranger].value
        for one in kept.values():
            assert await letter_of(stack, str(one.id)) == one.value
            assert await retry(pool, one.id)
    finally:
        await pool.close()
    await stack.drained()
    for record_id in (deep, stranger):
        assert (await changes_of(stack, record_id))[-1].event["after"]["reference"] == "behind bytes"
    await stack.judged(tenants)


async def test_a_short_day_limit_ends_by_itself(stack: Stack, tenants: Sequence[str]) -> None:
    """A refusal that says "in four seconds" keeps the organisation waiting for four seconds, and not for a day."""
    tenant = tenants[0]
    record_id = (await ids_of(stack, tenant))[1]
    rule = {"kind": "rate_limit", "problem": "day", "retryAfter": 4}
    await stack.plan_faults({"name": "day", "operation": ["get"], "tenantId": tenant, "times": 1, "fault": rule})

    await put(stack, tenant, "Invoices", record_id, '{"Reference": "after the limit"}')
    await stack.drained(within=20)

    await stack.assert_faults_fired("day")
    assert (await changes_of(stack, record_id))[-1].event["after"]["reference"] == "after the limit"
    await stack.judged(tenants)
