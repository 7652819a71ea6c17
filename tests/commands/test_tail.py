"""``tail``: committed changes of a real Kafka, as lines or as they are."""

import json
import signal
import subprocess
from collections.abc import Sequence
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaProducer

from tests.commands.conftest import COMMAND, CommandLine
from tests.support.servers import run_apart
from xero_stream.contracts.names import TenantId
from xero_stream.contracts.partition import partition_of

HERE = TenantId("aaaaaaaa-1111-4111-8111-111111111111")
THERE = TenantId("bbbbbbbb-2222-4222-8222-222222222222")


def message(
    tenant: TenantId, number: str, entity: str = "invoices", total: float | str = 10
) -> tuple[TenantId, str, bytes]:
    """A change event as the processors publish it: tenant, entity, value."""
    after = {"number": number, "type": "receivable", "status": "authorised", "currency": "NZD", "total": 0}
    change: dict[str, Any] = {
        "op": "c",
        "before": None,
        "after": after,
        "changed_fields": [],
        "source": {"entity": entity, "record_id": number, "tenant_id": tenant},
    }
    value = orjson.dumps(change).replace(b'"total":0', f'"total":{total}'.encode())
    return tenant, entity, value


def publish(kafka: str, prefix: str, messages: Sequence[tuple[TenantId, str, bytes]], *, commit: bool = True) -> None:
    """Publish in one transaction, and commit or abort it."""

    async def send() -> None:
        producer = AIOKafkaProducer(bootstrap_servers=kafka, transactional_id=f"{prefix}-test")
        await producer.start()
        try:
            await producer.begin_transaction()
            for tenant, entity, value in messages:
                key = orjson.dumps({"tenant_id": tenant, "id": "r"})
                partition = partition_of(tenant, 3)
                await producer.send_and_wait(f"{prefix}.changes.{entity}", value, key=key, partition=partition)
            await (producer.commit_transaction() if commit else producer.abort_transaction())
        finally:
            await producer.stop()

    run_apart(send())


@pytest.fixture
def filled(deployed: CommandLine, kafka: str, topic_prefix: str) -> CommandLine:
    """Topics with two tenants, two entities, and an aborted transaction in front and at the end."""
    assert deployed("topics", "apply").code == 0
    publish(kafka, topic_prefix, [message(HERE, "ABORTED")], commit=False)
    publish(
        kafka,
        topic_prefix,
        [
            message(HERE, "INV-1"),
            message(HERE, "INV-2", total="12345678901234567.89"),
            message(THERE, "INV-3"),
            message(HERE, "CN-1", "credit-notes"),
        ],
    )
    publish(kafka, topic_prefix, [message(HERE, "ABORTED")], commit=False)
    return deployed


def test_readable_lines(filled: CommandLine) -> None:
    """Committed ones only, in order within a partition, every digit shown; it ends at the end."""
    ended = filled("tail", "--from-beginning", "--until-end")

    lines = ended.out.splitlines()
    assert (ended.code, ended.err) == (0, "")
    assert sorted(lines) == [
        "CN-1 · created · authorised · 10.00 NZD",
        "INV-1 · created · authorised · 10.00 NZD",
        "INV-2 · created · authorised · 12,345,678,901,234,567.89 NZD",
        "INV-3 · created · authorised · 10.00 NZD",
    ]
    assert lines.index("INV-1 · created · authorised · 10.00 NZD") < lines.index(
        "INV-2 · created · authorised · 12,345,678,901,234,567.89 NZD"
    )


def test_json_is_what_was_published(filled: CommandLine) -> None:
    """Byte for byte, one per line."""
    ended = filled("tail", "--from-beginning", "--until-end", "--json", "--entity", "credit-notes")

    assert ended.out.encode() == message(HERE, "CN-1", "credit-notes")[2] + b"\n"


@pytest.mark.parametrize(
    ("filters", "numbers"),
    [
        (["--tenant", THERE.upper()], {"INV-3"}),
        (["--tenant", HERE, "--entity", "invoices"], {"INV-1", "INV-2"}),
        (["--entity", "invoices", "--entity", "credit-notes"], {"INV-1", "INV-2", "INV-3", "CN-1"}),
        (["--entity", "contacts"], set()),
    ],
)
def test_filters(filled: CommandLine, filters: list[str], numbers: set[str]) -> None:
    """By organisation, whatever the case of its id, and by entity."""
    ended = filled("tail", "--from-beginning", "--until-end", "--json", *filters)

    assert {json.loads(line)["after"]["number"] for line in ended.out.splitlines()} == numbers


def test_one_topic_for_all(deployed: CommandLine, kafka: str, topic_prefix: str) -> None:
    """Where all changes share a topic, entities are told by the change itself."""
    deployed.environment["XERO_STREAM_ONE_CHANGES_TOPIC"] = "true"
    deployed("topics", "apply")

    async def send() -> None:
        producer = AIOKafkaProducer(bootstrap_servers=kafka)
        await producer.start()
        for entity in ("invoices", "contacts"):
            tenant, _, value = message(HERE, entity, entity)
            key = orjson.dumps({"tenant_id": tenant, "id": "r"})
            await producer.send_and_wait(f"{topic_prefix}.changes", value, key=key)
        await producer.stop()

    run_apart(send())

    ended = deployed("tail", "--from-beginning", "--until-end", "--json", "--entity", "contacts")

    assert [json.loads(line)["source"]["entity"] for line in ended.out.splitlines()] == ["contacts"]


def test_from_now_on_until_ctrl_c(filled: CommandLine, kafka: str, topic_prefix: str) -> None:
    """Without --from-beginning nothing old is shown, what comes is; Ctrl-C is the usual end: 0."""
    with filled.running("tail") as running:
        number = 100
        # It says nothing before something comes: go on until it is there.
        while "INV-" not in running.said:
            number += 1
            publish(kafka, topic_prefix, [message(HERE, f"INV-{number}")])
            assert number < 200
        code = running.end(signal.SIGINT)

    assert code == 0
    assert "INV-1 " not in running.said
    assert "Traceback" not in running.said


def test_a_reader_that_has_seen_enough(filled: CommandLine) -> None:
    """`| head` ends it without a complaint."""
    done = subprocess.run(
        f"{COMMAND[0]} tail --from-beginning --until-end | head -c 1; echo ${{PIPESTATUS[0]}}",
        shell=True,
        executable="/bin/bash",
        capture_output=True,
        text=True,
        cwd=filled.folder,
        env=filled.environment,
        timeout=60,
        check=False,
    )

    assert done.stdout.splitlines()[-1].endswith("0")
    assert done.stderr == ""


def test_topics_that_do_not_exist(deployed: CommandLine, topic_prefix: str) -> None:
    """78, and the step that is missing."""
    ended = deployed("tail")

    assert ended.code == 78
    assert "topics apply" in ended.complaint
    assert topic_prefix in ended.complaint
