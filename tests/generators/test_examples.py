"""The examples in AsyncAPI are published messages, and have the shape that messages have today."""

import json
from pathlib import Path
from typing import Any

import pytest
from aiokafka.structs import ConsumerRecord

from tests.support.published import Published
from tests.support.servers import run_apart
from tests.support.stack import read_topics
from xero_stream.contracts.names import STREAMED, EntityName
from xero_stream.contracts.schemas import EXAMPLES, RECORDS

OPTIONAL_HEADERS = {"traceparent", "customer_ref"}
pytestmark = [pytest.mark.nightly, pytest.mark.timeout(900)]


def test_the_examples_look_like_what_is_published(published: Published, tmp_path: Path) -> None:
    """An update of each entity, its latest record, a webhook event; the run's own are kept for the next commit if not."""
    topics = published.topics
    found: dict[str, Any] = {}
    messages = run_apart(read_topics(published.bootstrap_servers, [topics.webhook_events]))
    found["WebhookEvent"] = _example("WebhookEvent", min(messages, key=lambda message: len(message.value)))
    for entity in STREAMED:
        title = RECORDS[entity].__name__
        changes = run_apart(read_topics(published.bootstrap_servers, [topics.changes(entity)]))
        latest = run_apart(read_topics(published.bootstrap_servers, [topics.records(entity)]))
        found[f"{title}Change"] = _example(f"{title}Change", _typical(changes, entity))
        found[f"{title}Latest"] = _example(f"{title}Latest", _smallest([one for one in latest if one.value]))
    fresh = tmp_path / EXAMPLES.name
    fresh.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

    committed = json.loads(EXAMPLES.read_text(encoding="utf-8"))

    assert _shape(committed) == _shape(found), f"the shape of messages has changed: copy {fresh} to {EXAMPLES}"


def _typical(changes: list[ConsumerRecord], entity: EntityName) -> ConsumerRecord:
    """The smallest update, or where nothing was updated the smallest change."""
    updates = [change for change in changes if json.loads(change.value)["op"] == "u"]
    found = _smallest(updates or changes)
    assert json.loads(found.value)["source"]["entity"] == entity
    return found


def _smallest(messages: list[ConsumerRecord]) -> ConsumerRecord:
    """The smallest that still has a line or an address to show."""
    telling = [one for one in messages if b'"line_items":[{' in one.value or b'"addresses":[{' in one.value]
    return min(telling or messages, key=lambda message: (len(message.value), message.value))


def _example(name: str, message: ConsumerRecord) -> dict[str, Any]:
    return {
        "name": name,
        "headers": {header: value.decode() for header, value in message.headers},
        "payload": json.loads(message.value),
    }


def _shape(examples: dict[str, Any]) -> dict[str, set[str]]:
    """By message, the names of headers and of the fields that every message of its kind has."""
    return {
        name: {
            *(example["headers"].keys() - OPTIONAL_HEADERS),
            *example["payload"],
            *example["payload"].get("source", {}),
            *_record(example["payload"]),
        }
        for name, example in examples.items()
    }


def _record(payload: dict[str, Any]) -> set[str]:
    return {f"record.{field}" for field in payload.get("after") or payload.get("record") or {}}
