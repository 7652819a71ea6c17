"""``quarantine``: entries of a real store, sent round again through it or through a real Kafka."""

import asyncio
import json
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import orjson
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from tests.commands.conftest import CommandLine
from tests.commands.test_grants import fetch
from tests.support.servers import run_apart
from xero_stream.contracts.dead_letter import Stage
from xero_stream.contracts.names import TenantId
from xero_stream.contracts.partition import partition_of
from xero_stream.store.quarantine import Kept, keep

Keep = Callable[..., UUID]
BYTES = b'{"not": "an event"\x00\xff'


@pytest.fixture
def keep_one(deployed: CommandLine) -> Keep:
    """Puts something into quarantine as the processors do."""

    def put(**more: Any) -> UUID:
        fields: dict[str, Any] = {
            "identity": uuid4().hex,
            "stage": Stage.FETCH,
            "reason": "validation",
            "error": "LineItems[0].Quantity: no number",
            "source": "/Invoices",
            "value": BYTES,
            **more,
        }

        async def write() -> UUID:
            connection = await asyncpg.connect(deployed.environment["DATABASE_URL"])
            try:
                return await keep(connection, 2, Kept(**fields))
            finally:
                await connection.close()

        return run_apart(write())

    return put


def test_an_empty_quarantine(deployed: CommandLine) -> None:
    """0, and a word for it; in JSON no line at all."""
    assert deployed("quarantine", "list").out == "nothing open in quarantine\n"
    assert deployed("quarantine", "list", "--state", "all").out == "nothing in quarantine\n"
    assert deployed("quarantine", "list", "--json").out == ""
    assert deployed("quarantine", "retry", "--all").out == "nothing open in quarantine\n"


def test_list_and_show(deployed: CommandLine, keep_one: Keep) -> None:
    """Open entries make it 1; show tells all but the bytes, --bytes only those."""
    one = keep_one(tenant_id="t-1", entity="invoices", record_id="r-1")

    listed = deployed("quarantine", "list")
    as_json = deployed("quarantine", "list", "--json")
    shown = deployed("quarantine", "show", str(one))
    raw = deployed("quarantine", "show", str(one), "--bytes")

    assert listed.code == 1
    assert f"{one} " in listed.out
    assert "open fetch validation invoices/r-1 (1 attempt)" in listed.out
    assert json.loads(as_json.out)["bytes"] == len(BYTES)
    assert shown.code == 0
    assert "reason     validation" in shown.out
    assert "bytes      20" in shown.out
    assert "not" not in shown.out.replace("no number", "")
    assert raw.code == 0


def test_the_bytes_are_exact(deployed: CommandLine, keep_one: Keep) -> None:
    """NUL and bytes that are no text come out as they came in."""
    one = keep_one()
    ended = deployed.process_bytes("quarantine", "show", "--bytes", str(one))

    assert ended == BYTES


def test_an_entry_that_is_not_there(deployed: CommandLine) -> None:
    """1, and where to look."""
    ended = deployed("quarantine", "show", str(uuid4()))

    assert ended.code == 1
    assert "quarantine list" in ended.complaint


def test_retry_of_a_record_marks_it_dirty(deployed: CommandLine, keep_one: Keep) -> None:
    """The processors will read it again, alone; asking twice does not help."""
    one = keep_one(tenant_id="t-1", entity="invoices", record_id="r-1")

    first = deployed("quarantine", "retry", str(one))
    second = deployed("quarantine", "retry", str(one))

    assert (first.code, first.out) == (0, f"{one} sent round again\n")
    assert (second.code, second.out) == (1, f"{one} is on its way already\n")
    assert fetch(deployed, "SELECT tenant_id, entity, record_id, partition, mode FROM dirty") == [
        {"tenant_id": "t-1", "entity": "invoices", "record_id": "r-1", "partition": 2, "mode": "alone"}
    ]


async def first_of(kafka: str, partition: TopicPartition) -> Any:
    """The first record of a partition."""
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign([partition])
        async with asyncio.timeout(20):
            return await consumer.getone()
    finally:
        await consumer.stop()


def test_retry_of_an_unreadable_event_republishes_it(
    deployed: CommandLine, keep_one: Keep, kafka: str, topic_prefix: str
) -> None:
    """Byte for byte onto webhook-events, with the key, partition and trace it had; it counts as resolved then."""
    deployed("topics", "apply")
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    one = keep_one(stage=Stage.INTAKE, reason="invalid_json", key=b"t-1", traceparent=trace)

    ended = deployed("quarantine", "retry", "--all")
    again = deployed("quarantine", "retry", str(one))

    assert (ended.code, ended.out) == (0, f"{one} sent round again\n")
    record = run_apart(first_of(kafka, TopicPartition(f"{topic_prefix}.webhook-events", 2)))
    assert (record.key, record.value, record.headers) == (b"t-1", BYTES, (("traceparent", trace.encode()),))
    assert fetch(deployed, "SELECT state FROM quarantine") == [{"state": "resolved"}]
    assert (again.code, again.out) == (1, f"{one} is resolved already\n")


def test_retry_of_an_event_puts_it_in_its_organisations_place(
    deployed: CommandLine, keep_one: Keep, kafka: str, topic_prefix: str
) -> None:
    """Wherever it lay before: there it would only be refused again."""
    deployed("topics", "apply")
    tenant = "c2cc9b6e-9458-4c7d-93cc-f02b81b0594f"
    value = orjson.dumps({"app": "default", "event": {"tenantId": f"{{{tenant.upper()}}}"}})
    home = partition_of(TenantId(tenant), int(deployed.environment["KAFKA_PARTITIONS"]))
    one = keep_one(stage=Stage.INTAKE, reason="misplaced_event", key=b"another", value=value)

    ended = deployed("quarantine", "retry", str(one))

    assert (ended.code, ended.out) == (0, f"{one} sent round again\n")
    record = run_apart(first_of(kafka, TopicPartition(f"{topic_prefix}.webhook-events", home)))
    assert (record.key, record.value) == (tenant.encode(), value)


def test_retry_without_kafka_leaves_it_open(deployed: CommandLine, keep_one: Keep) -> None:
    """69, and the entry stays for the next time."""
    one = keep_one(stage=Stage.INTAKE)

    ended = deployed("quarantine", "retry", str(one), env={"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9"})

    assert ended.code == 69
    assert "stays in quarantine" in ended.complaint
    assert fetch(deployed, "SELECT state FROM quarantine") == [{"state": "open"}]


def test_what_can_not_be_retried_is_named(deployed: CommandLine, keep_one: Keep) -> None:
    """Unknown ids and entries about no record: 1, the others are sent all the same."""
    nothing, stranger = keep_one(), uuid4()
    record = keep_one(tenant_id="t-1", entity="invoices", record_id="r-1")

    ended = deployed("quarantine", "retry", str(nothing), str(stranger), str(record))

    assert ended.code == 1
    assert ended.out.splitlines() == [
        f"{nothing} names no record to read: nothing to send",
        f"{stranger} is not in quarantine",
        f"{record} sent round again",
    ]
