"""The relay on the real Kafka and PostgreSQL: every change once and in order, wherever the one before it stopped."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import orjson
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.structs import ConsumerRecord, OffsetAndMetadata, TopicPartition

from processors.recorder.decide import Read
from processors.recorder.envelope import Fetch
from processors.recorder.recorder import Batch, Recorder
from processors.relay.outbox import microseconds
from processors.relay.relay import Relay
from processors.relay.resume import Committed, ForeignStoreError, committed_offset
from tests.support.topics import make_anew
from xero_stream.contracts.change_event import DeletionReason, Trigger, ce_id
from xero_stream.contracts.dead_letter import Stage
from xero_stream.contracts.names import STREAMED, EntityName, TenantId
from xero_stream.kafka.admin import TopicAdmin, wanted
from xero_stream.kafka.transactional import TransactionalProducer, _OnceSender
from xero_stream.settings.kafka import KafkaSettings
from xero_stream.store.deployment import Deployment, claim
from xero_stream.store.leases import FencedError, Lease
from xero_stream.store.ownership import take
from xero_stream.store.quarantine import LARGEST_LETTER, Kept, keep

PARTITION = 1
TENANT = TenantId("11111111-1111-1111-1111-111111111111")


@dataclass(slots=True)
class Told:
    """What relays told about themselves."""

    relayed_changes: int = 0
    rebuilds: int = 0
    rolled_back: int = 0
    emptied: int = 0
    worked: int = 0
    broker: float | None = None

    def relayed(self, partition: int, count: int, seconds: float) -> None:
        """A transaction was committed."""
        assert (partition, seconds >= 0) == (PARTITION, True)
        self.relayed_changes += count

    def relay_rebuilt(self, partition: int) -> None:
        """A producer was thrown away."""
        assert partition == PARTITION
        self.rebuilds += 1

    def relay_works(self, partition: int) -> None:
        """Nothing is left."""
        assert partition == PARTITION
        self.worked += 1

    def broker_time(self, broker: float) -> None:
        """The broker's clock."""
        self.broker = broker

    def store_rolled_back(self, partition: int) -> None:
        """The store is older than Kafka."""
        assert partition == PARTITION
        self.rolled_back += 1

    def topics_emptied(self, partition: int) -> None:
        """Kafka has lost all changes of an entity."""
        assert partition == PARTITION
        self.emptied += 1

    def beat(self, name: str) -> None:
        """Alive."""


def body(record_id: str, status: str) -> bytes:
    """A record."""
    return orjson.dumps({"tenant_id": TENANT, "id": record_id, "status": status})


class Bench:
    """A partition with a recorder to fill it and relays to empty it."""

    def __init__(self, pool: "asyncpg.Pool[Any]", kafka: KafkaSettings, deployment: Deployment) -> None:
        self.pool = pool
        self.kafka = kafka
        self.deployment = deployment
        self.told = Told()
        self._written = 0

    async def lease(self) -> Lease:
        """Take the partition over."""
        return await take(self.pool, PARTITION, "test")

    def relay(self, lease: Lease, **others: Any) -> Relay:
        """A relay that is not running yet."""
        given: dict[str, Any] = {"store_id": self.deployment.store_id, **others}
        return Relay(
            pool=self.pool,
            marks=self.pool,
            lease=lease,
            entities=STREAMED,
            kafka=self.kafka,
            observer=self.told,
            **given,
        )

    async def write(self, lease: Lease, count: int, given: Callable[[int], bytes] | None = None) -> None:
        """Record so many new records."""
        reads = []
        for _ in range(count):
            self._written += 1
            value = given(self._written) if given else orjson.dumps({"id": f"r{self._written}", "status": "draft"})
            reads.append(
                Read(
                    record_id=f"r{self._written}",
                    body=value,
                    status="draft",
                    updated_at=datetime(2026, 11, 1, tzinfo=UTC),
                )
            )
        recorder = Recorder(pool=self.pool, lease=lease, topics=self.kafka.topics)
        now = datetime.now(UTC)
        await recorder.record(
            Batch(
                tenant_id=TENANT,
                entity=EntityName.INVOICES,
                customer_ref=None,
                reads=reads,
                read_at=now,
                marks=0,
                trigger=Trigger.POLL,
                fetch=Fetch(correlation_id=None, fetched_at=now),
            ),
            now,
        )

    @property
    def changes(self) -> str:
        """The topic of changes."""
        return self.kafka.topics.changes(EntityName.INVOICES)

    async def record(
        self, lease: Lease, statuses: dict[str, str | None], entity: EntityName = EntityName.INVOICES
    ) -> None:
        """Read records in these statuses; None: deleted."""
        now = datetime.now(UTC)
        reads = [
            Read(record_id=name, gone=DeletionReason.DELETED, updated_at=now)
            if status is None
            else Read(record_id=name, body=body(name, status), status=status, updated_at=now)
            for name, status in statuses.items()
        ]
        await Recorder(pool=self.pool, lease=lease, topics=self.kafka.topics).record(
            Batch(
                tenant_id=TENANT,
                entity=entity,
                customer_ref=None,
                reads=reads,
                read_at=now,
                marks=0,
                trigger=Trigger.POLL,
                fetch=Fetch(correlation_id=None, fetched_at=now),
            ),
            now,
        )
        self._written = await self.pool.fetchval("SELECT position FROM positions WHERE partition = $1", PARTITION)

    async def ids(self) -> list[str]:
        """The ids of everything on both topics, in order."""
        topics = (self.changes, self.kafka.topics.records(EntityName.INVOICES))
        found = [record for topic in topics for record in await self.read(topic)]
        return [dict(record.headers)["ce_id"].decode() for record in found]

    async def run(self, relay: Relay) -> None:
        """Run a relay until everything is published."""
        task = asyncio.create_task(relay.run())
        await self.published(self._written, task)
        relay.stop()
        async with asyncio.timeout(20):
            await task

    async def published(self, count: int, task: "asyncio.Task[None]") -> None:
        """Wait until the store knows that so many are on Kafka."""
        async with asyncio.timeout(30):
            while not task.done():
                mark = await self.pool.fetchval("SELECT position FROM relay_marks WHERE partition = $1", PARTITION)
                if mark >= count:
                    return
                await asyncio.sleep(0.05)

    async def read(self, topic: str) -> list[ConsumerRecord]:
        """Everything a read_committed consumer gets."""
        place = TopicPartition(topic, PARTITION)
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.kafka.bootstrap_servers,
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=16 * 1024 * 1024,
        )
        ends = AIOKafkaConsumer(bootstrap_servers=self.kafka.bootstrap_servers)
        await consumer.start()
        await ends.start()
        try:
            consumer.assign([place])
            # The end of the log, not of what is decided: a marker comes a moment after its commit was answered.
            end = (await ends.end_offsets([place]))[place]
            found: list[ConsumerRecord] = []
            while await consumer.position(place) < end:
                for records in (await consumer.getmany(timeout_ms=300)).values():
                    found += records
            return found
        finally:
            await ends.stop()
            await consumer.stop()

    async def commit(self, offset: tuple[int, str]) -> None:
        """Make Kafka say that the relay's group is there."""
        producer = await TransactionalProducer.start(
            self.kafka, transactional_id=f"{self.kafka.topics.relay_group}.test", partition=PARTITION
        )
        anchor = TopicPartition(self.kafka.topics.webhook_events, PARTITION)
        try:
            await producer.publish(
                [], offsets={anchor: OffsetAndMetadata(*offset)}, group=self.kafka.topics.relay_group
            )
        finally:
            await producer.discard()

    async def positions(self) -> list[int]:
        """Positions of the published changes, as they stand in the log."""
        records = await self.read(self.kafka.topics.changes(EntityName.INVOICES))
        return [orjson.loads(record.value)["source"]["position"] for record in records]


@pytest.fixture
async def bench(pool: "asyncpg.Pool[Any]", kafka: str, topic_prefix: str) -> Bench:
    """A bench with topics of its own."""
    settings = KafkaSettings.read(
        bootstrap_servers=kafka, topic_prefix=topic_prefix, partitions=3, replication_factor=1
    )
    async with TopicAdmin(settings) as admin:
        await admin.apply(wanted(settings, [EntityName.INVOICES]))
    return Bench(pool, settings, await claim(pool, topic_prefix=topic_prefix, partitions=3))


async def test_changes_are_published_in_order_with_their_record_and_position(bench: Bench) -> None:
    """The stored bytes, the latest record beside them, and the position as the group's offset with the store's id."""
    lease = await bench.lease()
    await bench.write(lease, 7)

    await bench.run(bench.relay(lease))

    changes = await bench.read(bench.kafka.topics.changes(EntityName.INVOICES))
    stored = await bench.pool.fetch("SELECT value, record FROM changes ORDER BY position")
    assert [record.value for record in changes] == [row["value"] for row in stored]
    records = await bench.read(bench.kafka.topics.records(EntityName.INVOICES))
    assert [record.value for record in records] == [row["record"] for row in stored]
    ids = [dict(record.headers)["ce_id"].decode() for record in changes]
    incarnation = await bench.pool.fetchval("SELECT incarnation FROM positions WHERE partition = $1", PARTITION)
    assert ids == [ce_id(incarnation, PARTITION, position) for position in range(1, 8)]
    assert len({*ids, *(dict(record.headers)["ce_id"].decode() for record in records)}) == 14
    assert {dict(record.headers)["ce_type"] for record in records} == {b"io.xerostream.invoice.latest"}
    assert {dict(record.headers)["ce_dataschema"] for record in records} == {b"urn:xero-stream:schema:invoice-latest:1"}
    async with TopicAdmin(bench.kafka) as admin:
        topics = bench.kafka.topics
        found = await admin.committed(topics.relay_group, topics.webhook_events, PARTITION)
    recorded_at = await bench.pool.fetchval("SELECT recorded_at FROM changes WHERE position = 7")
    store_id = bench.deployment.store_id
    assert committed_offset(found) == Committed(position=7, store_id=store_id, stamp=microseconds(recorded_at))


async def test_a_crash_behind_the_commit_repeats_nothing(bench: Bench) -> None:
    """The mark was never written: Kafka's own offset says where to go on."""
    lease = await bench.lease()
    await bench.write(lease, 4)
    await bench.run(bench.relay(lease))
    await bench.pool.execute("UPDATE relay_marks SET position = 0")

    lease = await bench.lease()
    await bench.write(lease, 2)
    await bench.run(bench.relay(lease))

    assert await bench.positions() == [1, 2, 3, 4, 5, 6]


async def test_a_crash_before_the_commit_leaves_nothing_behind(bench: Bench) -> None:
    """What a dead relay had sent and not committed is seen by nobody, and sent again."""
    lease = await bench.lease()
    await bench.write(lease, 3)
    topics = bench.kafka.topics
    dying = await TransactionalProducer.start(
        bench.kafka, transactional_id=topics.relay_transactional_id(PARTITION), partition=PARTITION
    )
    await dying._producer.begin_transaction()
    sent = await dying._producer.send(topics.changes(EntityName.INVOICES), b"half", partition=PARTITION)
    await sent
    await dying.discard()

    await bench.run(bench.relay(await bench.lease()))

    assert await bench.positions() == [1, 2, 3]


async def test_an_end_of_a_transaction_without_an_answer_is_looked_up(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Committed or not, nobody knows: another producer, then Kafka is asked. Neither lost nor twice."""
    commit, outcomes = _OnceSender._do_txn_commit, iter(["lost", "unsent", "fine"])

    async def fragile(self: _OnceSender, commit_result: Any) -> None:
        outcome = next(outcomes, "fine")
        if outcome != "unsent":
            await commit(self, commit_result)
        if outcome != "fine":
            raise KafkaError(f"EndTxn: {outcome}")

    monkeypatch.setattr(_OnceSender, "_do_txn_commit", fragile)
    lease = await bench.lease()
    relay = bench.relay(lease)
    await bench.write(lease, 3)
    task = asyncio.create_task(relay.run())
    await bench.published(3, task)
    await bench.write(lease, 3)
    relay.wake()
    await bench.published(6, task)
    relay.stop()
    await task

    assert bench.told.rebuilds == 2
    assert await bench.positions() == [1, 2, 3, 4, 5, 6]


async def test_a_relay_that_lost_its_lease_stops(bench: Bench) -> None:
    """Before every session it looks; what it published before stays once."""
    old = await bench.lease()
    await bench.write(old, 2)
    await bench.lease()

    with pytest.raises(FencedError):
        await bench.relay(old).run()

    assert await bench.positions() == []


async def test_a_zombie_publishes_nothing_once_another_took_over(bench: Bench) -> None:
    """Its producer is fenced by Kafka; when it wants a new one, its lease is gone."""
    old = await bench.lease()
    await bench.write(old, 2)
    zombie = bench.relay(old)
    running = asyncio.create_task(zombie.run())
    await bench.published(2, running)

    new = await bench.lease()
    successor = bench.relay(new)
    running_too = asyncio.create_task(successor.run())
    await asyncio.wait_for(successor.resumed.wait(), 20)
    await bench.write(new, 3)
    zombie.wake()
    successor.wake()
    async with asyncio.timeout(30):
        with pytest.raises(FencedError):
            await running
    await bench.published(5, running_too)
    successor.stop()
    await running_too

    assert await bench.positions() == [1, 2, 3, 4, 5]


async def test_topics_of_another_store_are_refused(bench: Bench) -> None:
    """By the store's id beside the offset: nothing is published."""
    lease = await bench.lease()
    await bench.write(lease, 2)
    await bench.run(bench.relay(lease))
    await bench.write(lease, 1)

    with pytest.raises(ForeignStoreError, match="another store"):
        await bench.relay(lease, store_id=uuid4()).run()

    assert await bench.positions() == [1, 2]


@pytest.mark.parametrize("lost", ["changes", "records"])
async def test_topics_that_lost_everything_are_filled_again(bench: Bench, lost: str) -> None:
    """Deleted and made anew behind our back: records are forgotten and their load begins again, loudly."""
    lease = await bench.lease()
    await bench.pool.execute("INSERT INTO apps (app, tier) VALUES ('default', 'core')")
    await bench.pool.execute(
        "INSERT INTO grants (grant_id, app, kind) VALUES ($1, 'default', 'authorization_code')", uuid4()
    )
    await bench.pool.execute(
        "INSERT INTO tenants (tenant_id, app, grant_id, partition) SELECT $1, 'default', grant_id, $2 FROM grants",
        TENANT,
        PARTITION,
    )
    await bench.pool.execute(
        "INSERT INTO passes (tenant_id, entity, kind, partition, seen, finished_at) "
        "VALUES ($1, 'invoices', 'backfill', $2, 9, now())",
        TENANT,
        PARTITION,
    )
    await bench.write(lease, 3)
    await bench.run(bench.relay(lease))
    await bench.run(bench.relay(lease))
    assert bench.told.emptied == 0

    topics = bench.kafka.topics
    specs = [
        spec
        for spec in wanted(bench.kafka, [EntityName.INVOICES])
        if spec.name == getattr(topics, lost)(EntityName.INVOICES)
    ]
    async with TopicAdmin(bench.kafka) as admin:
        await make_anew(bench.kafka.bootstrap_servers, admin, specs)
    await bench.write(lease, 1)
    await bench.run(bench.relay(lease))

    assert bench.told.emptied == 1
    assert await bench.pool.fetchval("SELECT count(*) FROM records") == 0
    (load,) = await bench.pool.fetch("SELECT * FROM passes")
    assert (load["seen"], load["finished_at"]) == (0, None)
    # What was not published yet still is; what comes next begins the chain anew.
    assert (await bench.positions())[-1] == 4
    await bench.write(lease, 1)
    await bench.run(bench.relay(lease))
    last = (await bench.read(topics.changes(EntityName.INVOICES)))[-1]
    assert orjson.loads(last.value)["source"]["previous"] == 0
    assert bench.told.emptied == 1


ROLLED_BACK = ["behind", "behind, offset forgotten", "went on"]


async def roll_back(bench: Bench, lease: Lease, how: str) -> None:
    """The store loses all behind its second position; or has given out the positions behind it to other changes since."""
    for table in ("positions", "relay_marks"):
        await bench.pool.execute(f"UPDATE {table} SET position = 2")
    await bench.pool.execute("UPDATE positions SET heads = $1", orjson.dumps({bench.changes: 2}))
    for table in ("changes", "records", "record_versions"):
        await bench.pool.execute(f"DELETE FROM {table} WHERE position > 2")
    await bench.pool.execute("UPDATE records SET body = $1 WHERE record_id = 'r1'", body("r1", "draft"))
    if how == "went on":
        await bench.record(lease, {"r4": "other than before", "r8": "new", "r9": "new", "r2": "other"})


@pytest.mark.parametrize("how", ROLLED_BACK)
async def test_a_store_older_than_kafka_takes_over_what_kafka_has(
    bench: Bench, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No position twice, no gap, ``previous`` unbroken, ``before`` and ``op`` as consumers know it, ids never seen before."""
    lease = await bench.lease()
    await bench.record(lease, {"r1": "draft", "r2": "draft"})
    await bench.record(lease, {"r1": "paid", "r4": "draft", "r5": "draft"})
    await bench.record(lease, {"r5": None})
    await bench.run(bench.relay(lease))
    ids = await bench.ids()
    await bench.record(lease, {"r7": "recorded and never relayed"})
    never = orjson.loads(await bench.pool.fetchval("SELECT headers FROM changes WHERE position = 7"))["ce_id"]

    await roll_back(bench, lease, how)
    if how == "behind, offset forgotten":
        monkeypatch.setattr(TopicAdmin, "committed", nobody_knows)
    lease = await bench.lease()
    relay = bench.relay(lease)
    running = asyncio.create_task(relay.run())
    await asyncio.wait_for(relay.resumed.wait(), 20)
    assert bench.told.rolled_back == 1
    stored = await bench.pool.fetch("SELECT record_id, gone, position, body FROM records ORDER BY record_id")
    live = {row["record_id"]: (row["position"], row["body"]) for row in stored if not row["gone"]}
    assert live == {"r1": (3, body("r1", "paid")), "r2": (2, body("r2", "draft")), "r4": (4, body("r4", "draft"))}
    await bench.record(lease, {"r1": "paid", "r2": "paid", "r4": "paid", "r5": "draft", "r6": "draft"})
    relay.wake()
    await bench.published(10, running)
    relay.stop()
    await running

    changes = [orjson.loads(record.value) for record in await bench.read(bench.changes)]
    assert [change["source"]["position"] for change in changes] == list(range(1, 11))
    assert [change["source"]["previous"] for change in changes] == list(range(10))
    found = [(c["source"]["record_id"], c["op"], c["before"] and c["before"]["status"]) for c in changes[6:]]
    assert found == [("r2", "u", "draft"), ("r4", "u", "draft"), ("r5", "c", None), ("r6", "c", None)]
    assert len({*await bench.ids(), never}) == len(ids) + 2 * 4 + 1


@pytest.mark.parametrize("how", ["behind", "went on"])
async def test_an_end_that_was_published_is_not_published_again_after_a_rollback(bench: Bench, how: str) -> None:
    """The store has never heard of a record that was made and deleted meanwhile, and Xero shows its end when it is read again."""
    lease = await bench.lease()
    await bench.record(lease, {"r1": "draft", "r2": "draft"})
    await bench.record(lease, {"r4": "draft", "r5": "draft"})
    await bench.record(lease, {"r5": None, "r6": None})
    await bench.run(bench.relay(lease))
    await roll_back(bench, lease, how)

    lease = await bench.lease()
    relay = bench.relay(lease)
    running = asyncio.create_task(relay.run())
    await asyncio.wait_for(relay.resumed.wait(), 20)
    await bench.record(lease, {"r5": None, "r6": None, "r7": "draft"})
    relay.wake()
    await bench.published(7, running)
    relay.stop()
    await running

    changes = [orjson.loads(record.value) for record in await bench.read(bench.changes)]
    found = [(change["source"]["record_id"], change["op"]) for change in changes]
    assert found[4:] == [("r5", "d"), ("r6", "d"), ("r7", "c")]


async def test_the_first_records_of_an_entity_that_a_rollback_left_unpublished_are_published(bench: Bench) -> None:
    """Recorded by a store that had gone on from an older state, on topics that had never held anything."""
    async with TopicAdmin(bench.kafka) as admin:
        await admin.apply(wanted(bench.kafka, [EntityName.CONTACTS]))
    lease = await bench.lease()
    await bench.record(lease, {"r1": "draft", "r2": "draft"})
    await bench.record(lease, {"r4": "draft", "r5": "draft"})
    await bench.run(bench.relay(lease))
    await roll_back(bench, lease, "went on")
    await bench.record(lease, {"c1": "active"}, EntityName.CONTACTS)

    lease = await bench.lease()
    relay = bench.relay(lease)
    running = asyncio.create_task(relay.run())
    await asyncio.wait_for(relay.resumed.wait(), 20)
    await bench.record(lease, {"c1": "active"}, EntityName.CONTACTS)
    relay.wake()
    await bench.published(5, running)
    relay.stop()
    await running

    published = await bench.read(bench.kafka.topics.changes(EntityName.CONTACTS))
    assert [orjson.loads(record.value)["after"]["status"] for record in published] == ["active"]


FOREIGN = (
    (b"no json", b'{"record":{}}'),
    (b'{"tenant_id":7,"id":"r1"}', b'{"record":{}}'),
    (None, b'{"record":{}}'),
    (b'{"tenant_id":"TENANT","id":"r1"}', b'{"record":null}'),
    (b'{"tenant_id":"TENANT","id":"r2"}', b"[]"),
    (b'{"tenant_id":"TENANT","id":"r4"}', b'{"position":-1,"ts_ms":0,"record":{"status":"foreign"}}'),
    (b'{"tenant_id":"TENANT","id":"r4"}', b'{"position":5,"ts_ms":1e300,"record":{"status":"foreign"}}'),
    (b'{"tenant_id":"TENANT","id":"never-seen"}', b""),
)


async def test_messages_of_others_do_not_stop_a_store_from_taking_over_what_kafka_has(bench: Bench) -> None:
    """On the compacted topic and at the end of the changes: what we published counts, all else is named and left out."""
    lease = await bench.lease()
    await bench.record(lease, {"r1": "draft", "r2": "draft"})
    await bench.record(lease, {"r1": "paid", "r4": "draft"})
    await bench.run(bench.relay(lease))
    producer = AIOKafkaProducer(bootstrap_servers=bench.kafka.bootstrap_servers)
    await producer.start()
    for key, value in FOREIGN:
        whose = None if key is None else key.replace(b"TENANT", TENANT.encode())
        # Kafka takes nothing without a key on a compacted topic.
        topics = [bench.changes] if whose is None else [bench.kafka.topics.records(EntityName.INVOICES), bench.changes]
        for topic in topics:
            await producer.send_and_wait(topic, value, key=whose, partition=PARTITION)
    await producer.stop()

    await roll_back(bench, lease, "behind")
    lease = await bench.lease()
    relay = bench.relay(lease)
    running = asyncio.create_task(relay.run())
    try:
        await asyncio.wait_for(relay.resumed.wait(), 20)
    finally:
        relay.stop()
        await running

    stored = await bench.pool.fetch("SELECT record_id, gone, position, body FROM records ORDER BY record_id")
    live = {row["record_id"]: (row["position"], row["body"]) for row in stored if not row["gone"]}
    assert live == {"r1": (3, body("r1", "paid")), "r2": (2, body("r2", "draft")), "r4": (4, body("r4", "draft"))}
    heads = orjson.loads(await bench.pool.fetchval("SELECT heads FROM positions WHERE partition = $1", PARTITION))
    assert heads[bench.changes] == 4


async def nobody_knows(*_: Any) -> None:
    """Kafka forgot the group's offset."""


async def test_a_store_that_loses_its_tail_under_the_relay_is_noticed(bench: Bench) -> None:
    """A failover that lost what was committed last: nothing of it is published, and the lease is taken anew."""
    lease = await bench.lease()
    await bench.record(lease, {"r1": "draft", "r2": "draft", "r3": "draft"})
    relay = bench.relay(lease)
    running = asyncio.create_task(relay.run())
    await bench.published(3, running)

    async with bench.pool.acquire() as connection, connection.transaction():
        await connection.execute("UPDATE positions SET position = 2")
        await connection.execute("DELETE FROM changes WHERE position > 2")
        await connection.execute("DELETE FROM record_versions WHERE position > 2")
        await connection.execute("DELETE FROM records WHERE position > 2")
    await bench.record(lease, {"r3": "other", "r4": "draft", "r5": "draft"})
    relay.wake()
    async with asyncio.timeout(20):
        with pytest.raises(FencedError):
            await running
    assert await bench.positions() == [1, 2, 3]

    lease = await bench.lease()
    relay = bench.relay(lease)
    running = asyncio.create_task(relay.run())
    await asyncio.wait_for(relay.resumed.wait(), 20)
    await bench.record(lease, {"r3": "other", "r4": "draft", "r5": "draft"})
    relay.wake()
    await bench.published(6, running)
    relay.stop()
    await running

    changes = [orjson.loads(record.value) for record in await bench.read(bench.changes)]
    assert [change["source"]["position"] for change in changes] == [1, 2, 3, 4, 5, 6]
    assert [(change["op"], change["after"]["status"]) for change in changes[3:]] == [
        ("u", "other"),
        ("c", "draft"),
        ("c", "draft"),
    ]


async def test_where_kafka_forgot_the_mark_is_believed(bench: Bench) -> None:
    """Offsets of an idle group expire: the mark says what is on Kafka."""
    lease = await bench.lease()
    await bench.write(lease, 3)
    await bench.pool.execute("UPDATE relay_marks SET position = 2")

    await bench.run(bench.relay(lease))

    assert await bench.positions() == [3]


async def test_where_kafka_answers_an_older_offset_the_mark_is_believed(bench: Bench) -> None:
    """A broker that crashed may know an earlier commit only: what follows the mark is published, by the same lease."""
    lease = await bench.lease()
    await bench.write(lease, 2)
    await bench.run(bench.relay(lease))
    topics = bench.kafka.topics
    async with TopicAdmin(bench.kafka) as admin:
        older = await admin.committed(topics.relay_group, topics.webhook_events, PARTITION)
    assert older is not None
    await bench.write(lease, 2)
    await bench.run(bench.relay(await bench.lease()))
    await bench.commit(older)
    lease = await bench.lease()
    await bench.write(lease, 2)

    await bench.run(bench.relay(lease))

    assert await bench.positions() == [1, 2, 3, 4, 5, 6]
    assert bench.told.rolled_back == 0


async def test_large_transactions_are_cut(bench: Bench) -> None:
    """Not more than about 2 MiB at a time, and a change of any size goes alone: all arrive, in order."""
    lease = await bench.lease()
    sizes = [10, 3_000_000, 10, 900_000, 900_000, 900_000, 10]
    await bench.write(lease, len(sizes), lambda number: orjson.dumps({"id": "r", "text": "x" * sizes[number - 1]}))

    await bench.run(bench.relay(lease))

    assert await bench.positions() == list(range(1, len(sizes) + 1))


async def test_dead_letters_are_published_once_and_fit(bench: Bench) -> None:
    """With headers that say why; one beyond Kafka's limit is cut, says so, and holds nothing up."""
    lease = await bench.lease()
    values = {"small": b"small", "huge": bytes(LARGEST_LETTER + 1_000), "last": b"\x00last"}
    async with bench.pool.acquire() as connection:
        for name, value in values.items():
            kept = Kept(identity=name, stage=Stage.FETCH, reason="r", error="e", source=name, value=value)
            await keep(connection, PARTITION, kept)
            await connection.execute("UPDATE quarantine SET first_at = first_at + $1", -timedelta(seconds=1))
    await bench.write(lease, 1)

    for _ in range(2):
        relay = bench.relay(lease)
        running = asyncio.create_task(relay.run())
        await asyncio.wait_for(relay.resumed.wait(), 20)
        relay.stop()  # it publishes what is there first
        await running

    letters = await bench.read(bench.kafka.topics.dead_letters)
    found = {dict(letter.headers)["xs_source"].decode(): letter for letter in letters}
    assert list(found) == ["small", "huge", "last"]
    assert len(letters) == 3
    assert found["small"].value == b"small"
    assert found["last"].value == b"\x00last"
    assert len(found["huge"].value) == LARGEST_LETTER
    assert dict(found["huge"].headers)["xs_cut_from"] == str(LARGEST_LETTER + 1_000).encode()
    assert "xs_cut_from" not in dict(found["small"].headers)
