"""The CloudEvents SDKs parse every message (npm's takes none without a value); ids are unique over both kinds of topics."""

from pathlib import Path

import pytest

from tests.consumers.packages import NODE, PYTHON, node_modules, python_with, running
from tests.support.pages import adapted, snippets
from tests.support.published import Published

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(900)]

PAGE = "docs/consuming.md"


def test_the_python_sdk(published: Published, tmp_path: Path) -> None:
    """Inside aiokafka's program."""
    page = snippets(PAGE)
    program = page["cloudevents-python"] + "\n\n\n" + adapted(page["aiokafka"], published, group="python-sdk")
    program = program.replace("import asyncio\n", "import asyncio\nfrom datetime import datetime\n")
    line = '            print(message.topic, message.partition, message.offset, key["id"], what, flush=True)'
    ours = """            event = event_of(message)
            assert isinstance(event.get_time(), datetime)
            assert event.get_data() is None if message.value is None else event.get_data()["ts_ms"] > 0
            print("event", event.get_id(), event.get_type(), event.get_source(), event.get_dataschema(), flush=True)"""
    assert line in program
    (tmp_path / "program.py").write_text(program.replace(line, ours))
    python = python_with(PYTHON["cloudevents-python"], tmp_path / "venv")

    _assert_parses([python, "program.py"], tmp_path, len(published.changes) + len(published.records))


def test_the_node_sdk(published: Published, tmp_path: Path) -> None:
    """Inside KafkaJS's program."""
    page = snippets(PAGE)
    program = page["cloudevents-node"] + "\n" + adapted(page["kafkajs"], published, group="node-sdk")
    line = "console.log(topic, partition, message.offset, key.id, value ? (value.op ?? 'latest') : 'deleted')"
    ours = """if (value) {
        const event = eventOf(message)
        if (!event.validate() || !(event.data.ts_ms > 0)) throw new Error(event.id)
        console.log('event', event.id, event.type, event.source, event.dataschema)
      }"""
    assert line in program
    folder = node_modules(NODE, tmp_path / "node")
    (folder / "program.js").write_text(program.replace(line, ours))

    with_value = sum(record.value is not None for record in published.records)
    _assert_parses(["node", "program.js"], folder, len(published.changes) + with_value)


def _assert_parses(argv: list[str], folder: Path, count: int) -> None:
    events: list[list[str]] = []
    with running(argv, folder) as lines:
        while len(events) < count:
            words = next(lines).split()
            if words and words[0] == "event":
                events.append(words[1:])

    ids = [event[0] for event in events]
    assert len(set(ids)) == count
    kinds = {kind.rpartition(".")[2] for _, kind, _, _ in events}
    assert {"created", "updated", "deleted", "read", "latest"} <= kinds
    assert all(schema.startswith("urn:xero-stream:schema:") or schema == "None" for _, _, _, schema in events)
