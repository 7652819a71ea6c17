"""The recorder on the real PostgreSQL: versions, positions, settling and fencing in one transaction."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import orjson
import pytest

from processors.recorder import recorder as recorder_module
from processors.recorder.decide import Read
from processors.recorder.envelope import Draft, Encoded, Fetch, Placement, encode_change
from processors.recorder.judge import Verdict
from processors.recorder.recorder import Batch, Recorded, Recorder
from xero_api.entity import Form
from xero_api.registry import INVOICES
from xero_stream.contracts.change_event import ChangeEvent, DeletionReason, Op, Trigger
from xero_stream.contracts.dead_letter import Stage
from xero_stream.contracts.names import EntityName, TenantId
from xero_stream.contracts.topics import Topics
from xero_stream.store.leases import FencedError, Lease
from xero_stream.store.ownership import take
from xero_stream.store.quarantine import Kept
from xero_stream.store.records import PublishedRecord, take_over

T = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
S = timedelta(seconds=1)
TENANT = TenantId("11111111-1111-1111-1111-111111111111")
ALL = 2**40


class Desk:
    """Records reads as an answer would bring them."""

    def __init__(self, pool: "asyncpg.Pool[Any]", lease: Lease) -> None:
        self.pool = pool
        self.recorder = Recorder(pool=pool, lease=lease, topics=Topics(prefix="test"))

    async def record(
        self,
        *reads: Read,
        at: int = 100,
        entity: EntityName = EntityName.INVOICES,
        marks: int = ALL,
        trigger: Trigger = Trigger.POLL,
        bad: Sequence[Kept] = (),
        broken: Sequence[Kept] = (),
    ) -> Recorded:
        """One batch, sent when Xero's clock stood at so many seconds."""
        batch = Batch(
            tenant_id=TENANT,
            entity=entity,
            customer_ref="cust",
            reads=reads,
            bad=bad,
            broken=broken,
            read_at=T + at * S,
            marks=marks,
            trigger=trigger,
            fetch=Fetch(correlation_id="c", fetched_at=T),
        )
        return await self.recorder.record(batch, datetime.now(UTC))

    async def dirty(self, record: str, *, at: int = 0, marks: int | None = None, created: bool = False) -> int:
        """Mark a record; answers its marks."""
        found: int = await self.pool.fetchval(
            "INSERT INTO dirty (tenant_id, entity, record_id, partition, event_at, first_received_at, deliveries, "
            "marks, created) VALUES ($1, 'invoices', $2, 1, $3, $3, '{d1}', coalesce($4, nextval('dirty_marks')), $5) "
            "RETURNING marks",
            TENANT,
            record,
            T + at * S,
            marks,
            created,
        )
        return found

    async def load_begins(self) -> None:
        """The organisation was just connected."""
        await self.pool.execute("INSERT INTO apps (app, tier) VALUES ('default', 'core')")
        await self.pool.execute(
            "INSERT INTO grants (grant_id, app, kind) VALUES (gen_random_uuid(), 'default', 'authorization_code')"
        )
        await self.pool.execute(
            "INSERT INTO tenants (tenant_id, app, grant_id, partition) SELECT $1, 'default', grant_id, 1 FROM grants",
            TENANT,
        )
        await self.pool.execute(
            "INSERT INTO passes (tenant_id, entity, kind, partition) VALUES ($1, 'invoices', 'backfill', 1)", TENANT
        )

    async def changes(self) -> list[ChangeEvent]:
        """All changes in order, through the published contract."""
        rows = await self.pool.fetch("SELECT value FROM changes ORDER BY position")
        return [ChangeEvent.model_validate_json(row["value"]) for row in rows]


@pytest.fixture
def desk(pool: "asyncpg.Pool[Any]", lease: Lease) -> Desk:
    """A recorder and its store."""
    return Desk(pool, lease)


def read(record: str = "r1", value: int = 1, *, updated: int = 0, gone: DeletionReason | None = None) -> Read:
    """A record as read."""
    body = None if gone else orjson.dumps({"id": record, "value": value, "status": "draft"})
    return Read(record_id=record, body=body, gone=gone, status="draft", updated_at=T + updated * S)


async def test_positions_are_gapless_over_all_entities_and_previous_links_each_topic(desk: Desk) -> None:
    """What a consumer of one topic, or of all, can check."""
    await desk.record(read("a"), read("b"))
    await desk.record(read("c"), entity=EntityName.CONTACTS)
    await desk.record(read("a", 2, updated=1), read("b", updated=1), at=101)

    changes = await desk.changes()

    assert [change.source.position for change in changes] == [1, 2, 3, 4]
    assert [change.source.previous for change in changes] == [0, 1, 0, 2]
    assert [change.op for change in changes] == [Op.CREATE, Op.CREATE, Op.CREATE, Op.UPDATE]
    assert changes[3].before == {"id": "a", "value": 1, "status": "draft"}
    assert changes[3].changed_fields == ["value"]


async def test_replays_publish_nothing(desk: Desk) -> None:
    """The same answer recorded again, as after a crash behind the commit."""
    await desk.record(read("a"), read("b"))
    recorded = await desk.record(read("a"), read("b"))

    assert recorded.changes == {}
    assert len(await desk.changes()) == 2


async def test_a_b_a_without_a_moved_stamp(desk: Desk) -> None:
    """Three contents, one stamp, three changes."""
    for at, value in ((1, 1), (2, 2), (3, 1)):
        await desk.record(read(value=value), at=at)

    after = [change.after for change in await desk.changes()]
    assert [record and record["value"] for record in after] == [1, 2, 1]


async def test_a_read_settles_only_what_was_marked_when_it_was_sent(desk: Desk) -> None:
    """An event that came meanwhile stays, however new the record."""
    marks = await desk.dirty("r1")
    early = await desk.record(read(updated=5), marks=marks - 1)
    assert early.verdicts == {}
    assert await desk.pool.fetchval("SELECT count(*) FROM dirty") == 1

    late = await desk.record(read(updated=5), marks=marks, at=101)
    assert late.verdicts == {Verdict.SETTLED: 1}
    assert await desk.pool.fetchval("SELECT count(*) FROM dirty") == 0


async def test_the_webhook_travels_into_the_change(desk: Desk) -> None:
    """Trigger, deliveries, dates, trace."""
    await desk.dirty("r1")
    await desk.pool.execute("UPDATE dirty SET traceparent = 'trace'")
    await desk.record(read(updated=5))

    (change,) = await desk.changes()
    assert change.source.trigger is Trigger.WEBHOOK
    assert change.source.webhook is not None
    assert change.source.webhook.deliveries == ["d1"]
    headers = orjson.loads(await desk.pool.fetchval("SELECT headers FROM changes"))
    assert headers["traceparent"] == "trace"
    assert headers["customer_ref"] == "cust"


async def test_a_stale_read_keeps_the_row_and_waits(desk: Desk) -> None:
    """It is read again in a second, by id."""
    await desk.dirty("r1", at=50)
    recorded = await desk.record(read(updated=1))

    assert recorded.verdicts == {Verdict.STALE: 1}
    row = await desk.pool.fetchrow("SELECT attempts, mode, not_before > now() AS waits FROM dirty")
    assert tuple(row) == (1, "ids", True)


async def test_a_doubtful_read_marks_the_record_itself(desk: Desk) -> None:
    """A pass found another content with the same stamp, read no later: somebody has to look again."""
    await desk.record(read(value=1), at=100)
    recorded = await desk.record(read(value=2), at=100)

    assert recorded.changes == {}
    assert await desk.pool.fetchval("SELECT mode FROM dirty WHERE record_id = 'r1'") == "ids"
    await desk.record(read(value=2), at=103)
    assert len(await desk.changes()) == 2


async def test_a_deletion_carries_its_reason_and_leaves_a_tombstone(desk: Desk) -> None:
    """And is said once."""
    await desk.record(read())
    await desk.record(read(gone=DeletionReason.MERGED, updated=1), at=101)
    await desk.record(read(gone=DeletionReason.MERGED, updated=2), at=102)

    changes = await desk.changes()
    assert [change.op for change in changes] == [Op.CREATE, Op.DELETE]
    assert (changes[1].after, changes[1].deletion_reason) == (None, DeletionReason.MERGED)
    assert await desk.pool.fetchval("SELECT record IS NULL FROM changes WHERE position = 2")
    row = await desk.pool.fetchrow("SELECT gone, body, position FROM records")
    assert tuple(row) == ("merged", None, 2)


async def test_an_end_that_is_the_first_change_shows_what_xero_still_shows(desk: Desk) -> None:
    """``before`` is never null there: the deleted record as it was read; its key where that can't be mapped."""
    body = orjson.dumps({"tenant_id": TENANT, "id": "a", "status": "deleted"})
    await desk.record(Read(record_id="a", body=body, gone=DeletionReason.DELETED, updated_at=T))
    await desk.record(Read(record_id="b", gone=DeletionReason.ERASED, updated_at=T))

    changes = await desk.changes()
    assert [(change.op, change.after) for change in changes] == [(Op.DELETE, None)] * 2
    assert [change.before for change in changes] == [orjson.loads(body), {"tenant_id": TENANT, "id": "b"}]
    assert [change.changed_fields for change in changes] == [["id", "status", "tenant_id"], ["id", "tenant_id"]]
    rows = await desk.pool.fetch("SELECT gone, body FROM records ORDER BY record_id")
    assert [tuple(row) for row in rows] == [("deleted", None), ("erased", None)]


async def test_what_is_first_seen_while_its_load_is_open_is_read_and_not_created(desk: Desk) -> None:
    """An old record edited during the load; one that an event says was created; and after the load, one not seen before."""
    await desk.load_begins()
    await desk.dirty("old")
    await desk.dirty("new", created=True)
    await desk.record(read("old", updated=5), read("new", updated=5))
    await desk.record(read("elsewhere"), entity=EntityName.CONTACTS)
    await desk.pool.execute("UPDATE passes SET finished_at = now()")
    await desk.dirty("later")
    await desk.record(read("later", updated=5))

    changes = await desk.changes()
    assert [(change.source.record_id, change.op) for change in changes] == [
        ("old", Op.READ),
        ("new", Op.CREATE),
        ("elsewhere", Op.CREATE),
        ("later", Op.CREATE),
    ]
    assert [change.source.snapshot for change in changes] == ["true", "false", "false", "false"]
    headers = await desk.pool.fetch("SELECT headers FROM changes ORDER BY position")
    types = [orjson.loads(row["headers"])["ce_type"].rsplit(".", 1)[1] for row in headers]
    assert types == ["read", "created", "created", "created"]


async def test_what_a_first_load_left_to_a_catch_up_is_read_and_not_created(desk: Desk) -> None:
    """An old record that was edited while the load ran moves behind the load's bound: its event may bring it before the catch-up."""
    await desk.load_begins()
    await desk.pool.execute("UPDATE passes SET finished_at = now()")
    await desk.pool.execute(
        "INSERT INTO passes (tenant_id, entity, kind, partition, since) "
        "SELECT tenant_id, entity, 'catch_up', partition, now() FROM passes"
    )
    await desk.dirty("edited")
    await desk.dirty("new", created=True)
    await desk.record(read("edited", updated=5), read("new", updated=5))

    assert [(change.source.record_id, change.op) for change in await desk.changes()] == [
        ("edited", Op.READ),
        ("new", Op.CREATE),
    ]


async def test_what_quarantine_gives_back_is_created_only_if_an_event_said_so(desk: Desk) -> None:
    """The load could not apply it; later edits bring it, and so does an event of its creation that was set aside."""
    for name, created in (("old", False), ("new", True)):
        await desk.dirty(name, created=created)
    kept = [
        Kept(
            identity=name,
            stage=Stage.FETCH,
            reason="invalid_record",
            error="LineItems: not a list",
            source=f"invoices/{name}",
            value=b"{}",
            tenant_id=TENANT,
            entity="invoices",
            record_id=name,
        )
        for name in ("old", "new")
    ]
    await desk.record(bad=kept)
    await desk.record(bad=kept)  # tried again, without an event

    for name in ("old", "new"):
        await desk.dirty(name)
    await desk.record(read("old", updated=5), read("new", updated=5), at=101)

    assert [(change.source.record_id, change.op) for change in await desk.changes()] == [
        ("old", Op.READ),
        ("new", Op.CREATE),
    ]


async def test_a_proven_absence_is_a_deletion(desk: Desk) -> None:
    """A 404 to a single GET, long after the event."""
    await desk.record(read())
    await desk.dirty("r1")
    await desk.record(Read(record_id="r1", missing=True), at=700)

    assert (await desk.changes())[-1].deletion_reason is DeletionReason.MISSING


async def test_an_event_for_what_never_was_goes_to_quarantine(desk: Desk) -> None:
    """Accepted events end in a state or in a visible entry."""
    await desk.dirty("r1")
    recorded = await desk.record(Read(record_id="r1", missing=True), at=700)

    assert recorded.quarantined == 1
    row = await desk.pool.fetchrow("SELECT reason, record_id FROM quarantine")
    assert tuple(row) == ("never_seen", "r1")
    assert await desk.pool.fetchval("SELECT count(*) FROM dirty") == 0


async def test_a_bad_record_takes_its_row_along_and_a_later_good_one_resolves_it(desk: Desk) -> None:
    """Its neighbours are recorded in the same transaction."""
    await desk.dirty("bad")
    kept = Kept(
        identity="x",
        stage=Stage.FETCH,
        reason="invalid_record",
        error="LineItems: not a list",
        source="invoices/bad",
        value=b"{}",
        tenant_id=TENANT,
        entity="invoices",
        record_id="bad",
    )
    recorded = await desk.record(read("good"), bad=[kept])
    assert (recorded.quarantined, recorded.last_position) == (1, 1)
    assert await desk.pool.fetchval("SELECT count(*) FROM dirty") == 0
    assert await desk.pool.fetchval("SELECT state FROM quarantine") == "open"

    await desk.record(read("bad"), at=101)
    assert await desk.pool.fetchval("SELECT state FROM quarantine") == "resolved"


async def test_a_previous_owner_records_nothing(desk: Desk, pool: "asyncpg.Pool[Any]", lease: Lease) -> None:
    """Fenced by the epoch, whatever it still has in hand."""
    await take(pool, lease.partition, "another")

    with pytest.raises(FencedError):
        await desk.record(read())

    assert await pool.fetchval("SELECT count(*) FROM changes") == 0
    assert await pool.fetchval("SELECT count(*) FROM records") == 0


async def test_a_new_owner_waits_for_an_open_transaction_and_goes_on_behind_it(
    pool: "asyncpg.Pool[Any]", lease: Lease
) -> None:
    """Positions are taken once: the lease is given only when the last recorder transaction is over."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.fetchrow(
            "SELECT position FROM positions WHERE partition = $1 AND epoch = $2 FOR UPDATE",
            lease.partition,
            lease.epoch,
        )
        taking = asyncio.create_task(take(pool, lease.partition, "another"))
        done, _ = await asyncio.wait([taking], timeout=0.3)
        assert not done
        await connection.execute("UPDATE positions SET position = 41 WHERE partition = $1", lease.partition)
    assert (await taking).position == 41


async def test_nul_and_long_numbers_survive(desk: Desk) -> None:
    """Bodies are bytes: what JSONB refuses is kept, what a double can't carry keeps its digits."""
    body = b'{"id":"r1","name":"a\\u0000b","total":12345678901234567.89,"status":"draft"}'
    await desk.record(Read(record_id="r1", body=body, status="draft", updated_at=T))
    await desk.record(
        Read(record_id="r1", body=body.replace(b"67.89", b"67.88"), status="draft", updated_at=T + S), at=101
    )

    changes = await desk.pool.fetch("SELECT value FROM changes ORDER BY position")
    assert b"12345678901234567.89" in changes[0]["value"]
    assert orjson.loads(changes[1]["value"])["changed_fields"] == ["total"]


async def test_a_transaction_that_had_to_give_way_begins_again(desk: Desk) -> None:
    """A deadlock or a conflict costs no call to Xero, and takes no position twice; indefinitely it is not tried."""
    await desk.pool.execute("""
        CREATE SEQUENCE conflicts;
        CREATE FUNCTION conflict() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF nextval('conflicts') <= 2 THEN RAISE EXCEPTION USING ERRCODE = '40P01'; END IF;
            RETURN NULL;
        END $$;
        CREATE TRIGGER conflict AFTER INSERT ON changes EXECUTE FUNCTION conflict();
    """)

    await desk.record(read("a"))
    await desk.record(read("b"))
    assert [change.source.position for change in await desk.changes()] == [1, 2]

    await desk.pool.execute("SELECT setval('conflicts', 1, false); ALTER SEQUENCE conflicts INCREMENT -1 MINVALUE -99")
    with pytest.raises(asyncpg.DeadlockDetectedError):
        await desk.record(read("c"))
    assert await desk.pool.fetchval("SELECT 1 - last_value FROM conflicts") == 2


async def test_only_one_transaction_waits_inside_the_store(desk: Desk, pool: "asyncpg.Pool[Any]") -> None:
    """A process that freezes leaves one transaction behind, not a queue of them before the next owner's."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    async with pool.acquire() as connection:
        async with connection.transaction():
            await connection.execute("SELECT 1 FROM positions WHERE partition = 1 FOR UPDATE")
            work = [asyncio.create_task(desk.record(Read(record_id=f"r{n}", body=b"{}"))) for n in range(4)]
            async with asyncio.timeout(10):
                while not await pool.fetchval(waiting):  # noqa: ASYNC110 - PostgreSQL does not tell
                    await asyncio.sleep(0.02)
            await asyncio.sleep(0.2)
            assert await pool.fetchval(waiting) == 1
        await asyncio.gather(*work)
    assert len(await desk.changes()) == 4


async def test_a_form_that_can_not_tell_has_the_record_read_alone(desk: Desk) -> None:
    """Rounded by a single read: a list of the same stamp changes nothing, one of a newer stamp asks for a single read."""

    def invoice(form: Form, *, total: float, updated: int, reference: str) -> Read:
        rounding = 0.03 if form is Form.ONE else None
        raw = {"RoundingAmount": rounding} if rounding else {}
        record = {"id": "r1", "total": total, "rounding_amount": rounding, "reference": reference}
        absent = INVOICES.absent(raw, form)
        return Read(record_id="r1", body=orjson.dumps(record), updated_at=T + updated * S, form=form, absent=absent)

    async def row() -> Any:
        return await desk.pool.fetchrow("SELECT mode, event_at FROM dirty WHERE record_id = 'r1'")

    async def stored() -> Any:
        return await desk.pool.fetchrow("SELECT form, shown, version_at FROM records WHERE record_id = 'r1'")

    await desk.record(invoice(Form.ONE, total=10.03, updated=0, reference="A"), at=100)
    await desk.record(invoice(Form.IDS, total=10.0, updated=0, reference="A"), at=101)
    assert len(await desk.changes()) == 1
    assert (await row(), (await stored())["form"]) == (None, "one")
    assert orjson.loads((await stored())["shown"])["total"] == 10.0

    nobody_waits = await desk.record(invoice(Form.PAGE, total=10.0, updated=5, reference="B"), at=102)
    assert (nobody_waits.changes, (await stored())["version_at"]) == ({}, T)
    assert dict(await row()) == {"mode": "alone", "event_at": T + 5 * S}

    someone_waits = await desk.record(invoice(Form.IDS, total=10.0, updated=5, reference="B"), at=103)
    assert (someone_waits.verdicts, (await row())["mode"]) == ({Verdict.UNTOLD: 1}, "alone")

    told = await desk.record(invoice(Form.ONE, total=10.03, updated=5, reference="B"), at=104)
    assert (told.verdicts, await row()) == ({Verdict.SETTLED: 1}, None)
    await desk.record(invoice(Form.PAGE, total=10.0, updated=5, reference="B"), at=105)
    within = await desk.record(invoice(Form.PAGE, total=11.0, updated=5, reference="B"), at=106)
    assert (within.changes, (await row())["mode"]) == ({}, "alone")
    changes = [change.after for change in await desk.changes()]
    assert [change and (change["total"], change["reference"]) for change in changes] == [(10.03, "A"), (10.03, "B")]


async def test_forms_that_differ_in_more_than_is_known_are_told(desk: Desk) -> None:
    """One stamp, two forms, two contents: published, and named."""
    first, second = read(value=1), read(value=2)
    await desk.record(replace(first, form=Form.ONE), at=100)
    recorded = await desk.record(replace(second, form=Form.PAGE), at=101)

    (difference,) = recorded.form_differences
    assert (difference.record_id, difference.forms, difference.paths) == ("r1", (Form.ONE, Form.PAGE), ("value",))
    assert recorded.changes == {Op.UPDATE: 1}


def with_raw(raw: bytes, form: Form, *, updated: int = 0) -> Read:
    """A record as read where Xero's own JSON is kept."""
    return replace(read(updated=updated), raw=raw, form=form)


@pytest.mark.parametrize(("before", "other"), [("one", Form.PAGE), ("list", Form.ONE)])
async def test_records_of_the_release_before_are_compared_by_the_form_that_it_stored(
    desk: Desk, before: str, other: Form
) -> None:
    """Xero's own JSON differs between forms: after an upgrade each record would be published once."""
    form = Form.ONE if before == "one" else Form.PAGE
    await desk.record(with_raw(b'{"of":"this form"}', form))
    # That release knows no column "form": it leaves there what a process of this one wrote.
    for left in (None, other.value):
        await desk.pool.execute("UPDATE records SET raw_form = $1, form = $2", before, left)

        recorded = await desk.record(with_raw(b'{"of":"another form"}', other, updated=1), at=101)
        assert recorded.changes == {}

    recorded = await desk.record(with_raw(b'{"of":"this form, edited"}', form, updated=2), at=102)
    assert recorded.changes == {Op.UPDATE: 1}
    assert await desk.pool.fetchval("SELECT raw_form FROM records") is None, "this release wrote it last"
    assert await desk.pool.fetchval("SELECT form FROM records") == form


@pytest.mark.parametrize("form", [Form.PAGE, Form.ONE])
async def test_a_record_taken_over_from_kafka_gets_its_raw_json_without_a_change(
    desk: Desk, lease: Lease, form: Form
) -> None:
    """After a rollback nobody knows which raw JSON consumers have: only what changes from then on is published."""
    await desk.record(with_raw(b'{"raw":1}', form))
    body = await desk.pool.fetchval("SELECT body FROM records")
    await desk.pool.execute("UPDATE records SET position = 7")
    published = PublishedRecord(
        tenant_id=TENANT, record_id="r1", position=1, status="draft", version_at=T, body=body, recorded_at=T
    )
    assert await take_over(desk.pool, lease, EntityName.INVOICES, [published]) == 1

    assert (await desk.record(with_raw(b'{"raw":1}', form), at=101)).changes == {}
    (row,) = await desk.pool.fetch("SELECT raw, form, position FROM records")
    assert dict(row) == {"raw": b'{"raw":1}', "form": form, "position": 1}
    assert (await desk.record(with_raw(b'{"raw":2}', form), at=102)).changes == {Op.UPDATE: 1}


async def test_raw_json_that_is_kept_from_now_on_is_published_in_any_form(desk: Desk) -> None:
    """``deployment set XERO_STREAM_KEEP_RAW --read-again`` reads pages; a record may have been read alone before."""
    await desk.record(replace(read(), form=Form.ONE))

    assert (await desk.record(with_raw(b'{"raw":1}', Form.PAGE), at=101)).changes == {Op.UPDATE: 1}


@pytest.fixture
def fault(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Records on whose changes our code fails, as no input can make it fail."""
    spoilt: set[str] = set()

    def failing(draft: Draft, placement: Placement) -> Encoded:
        if draft.record_id in spoilt:
            raise RecursionError("SECRET of the record")
        return encode_change(draft, placement)

    monkeypatch.setattr(recorder_module, "encode_change", failing)
    return spoilt


async def test_what_breaks_our_code_is_asked_for_alone_and_ends_in_quarantine(desk: Desk, fault: set[str]) -> None:
    """Its neighbours are recorded at once, what belongs to the batch with them; the third failure is the last."""
    fault.add("b")
    await desk.dirty("b", at=50)
    reads = [read("a"), read("b"), read("c")]

    first = await desk.record(*reads)

    assert [change.source.record_id for change in await desk.changes()] == ["a", "c"]
    assert first.quarantined == 0
    row = await desk.pool.fetchrow("SELECT mode, broke, not_before > now() AS waits FROM dirty")
    assert row is not None
    assert dict(row) == {"mode": "alone", "broke": 1, "waits": True}

    assert (await desk.record(read("b"), at=110)).quarantined == 0
    assert (await desk.record(read("b"), at=120)).quarantined == 1

    kept = await desk.pool.fetchrow("SELECT reason, error, value, record_id, state FROM quarantine")
    assert kept is not None
    assert (kept["reason"], kept["record_id"], kept["state"]) == ("broke", "b", "open")
    assert kept["value"] == read("b").body
    assert kept["error"].startswith("RecursionError in ")
    assert "SECRET" not in kept["error"]
    assert await desk.pool.fetchval("SELECT count(*) FROM dirty") == 0


async def test_what_broke_in_a_page_gets_a_row_of_its_own_and_heals(desk: Desk, fault: set[str]) -> None:
    """No event was about it; once the fault is gone it is recorded, and nothing is left."""
    fault.add("b")
    moved: list[str] = []

    async def move(connection: Any) -> None:
        moved.append(await connection.fetchval("SELECT 'moved'"))

    batch = Batch(
        tenant_id=TENANT,
        entity=EntityName.INVOICES,
        customer_ref=None,
        reads=[read("a"), read("b")],
        read_at=T + 100 * S,
        marks=ALL,
        trigger=Trigger.BACKFILL,
        fetch=Fetch(correlation_id="c", fetched_at=T),
        also=move,
    )
    await desk.recorder.record(batch, datetime.now(UTC))
    assert moved == ["moved"], "the pass goes on"

    fault.clear()
    await desk.record(read("b"), at=110)

    changes = await desk.changes()
    assert [(change.source.record_id, change.op) for change in changes] == [("a", Op.READ), ("b", Op.READ)]
    assert changes[1].source.webhook is None
    assert changes[1].source.trigger is not Trigger.WEBHOOK
    assert await desk.pool.fetchval("SELECT count(*) FROM dirty") == 0
    assert await desk.pool.fetchval("SELECT count(*) FROM quarantine") == 0


async def test_an_event_that_came_while_a_record_was_given_up_stays(desk: Desk) -> None:
    """What is known of the record by then is in quarantine; the event asks for it once more."""
    await desk.dirty("b", at=50)
    broken = Kept(
        identity=f"{TENANT}/invoices/b",
        stage=Stage.FETCH,
        reason="broke",
        error="KeyError",
        source="invoices/b",
        value=b"{}",
        tenant_id=TENANT,
        entity="invoices",
        record_id="b",
    )
    for _ in range(3):
        await desk.record(broken=[broken], marks=0)

    assert await desk.pool.fetchval("SELECT count(*) FROM quarantine WHERE state = 'open'") == 1
    assert await desk.pool.fetchval("SELECT count(*) FROM dirty") == 1
