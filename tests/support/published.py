"""Topics as a consumer finds them after some days: a first load, edits, deletions, records known only by their end, large ones.

Published once per test run under the default prefix, so that what the pages show runs as it stands.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.servers import SharedServers, run_apart
from tests.support.stack import Stack
from verify.history import Change, RecordMessage, RecordRef
from xero_stream.contracts.names import EntityName
from xero_stream.contracts.topics import Topics

LARGE, LARGER = 5_000_000, 9_000_000
"""Characters of a description: twice the first does not fit a Kafka message, nor does the second once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What is on Kafka, and what should be.

    Attributes:
        bootstrap_servers: of Kafka.
        changes: all change events.
        records: all messages of the compacted topics.
        truth: the unified record by reference; None where it is gone.
        large: records of which a change or the record itself did not fit.
        unseen: records first heard of when they were gone.
    """

    bootstrap_servers: str
    changes: Sequence[Change]
    records: Sequence[RecordMessage]
    truth: Mapping[RecordRef, Mapping[str, Any] | None]
    large: frozenset[str]
    unseen: frozenset[str]

    @property
    def topics(self) -> Topics:
        """The topics' names."""
        return Topics()

    def rows(self, entity: EntityName) -> dict[str, Mapping[str, Any]]:
        """The records of an entity that are there, by id."""
        return {
            ref.record_id: record
            for ref, record in self.truth.items()
            if ref.entity == entity.value and record is not None
        }


@pytest.fixture(scope="session")
def published(shared_servers: SharedServers, tmp_path_factory: pytest.TempPathFactory) -> Published:
    """The topics; every process that wrote them has ended."""
    database = shared_servers.create_database(migrated=True)
    stack = Stack(
        bootstrap_servers=shared_servers.bootstrap_servers,
        database_url=shared_servers.url(database),
        prefix=Topics().prefix,
        folder=tmp_path_factory.mktemp("published"),
        simulator_options=("--tenants=2", "--contacts=25", "--invoices=60", "--credit-notes=10"),
    )
    return run_apart(_publish(stack))


async def _publish(stack: Stack) -> Published:
    async with stack:
        tenants = await stack.tenants()
        await stack.connect()
        await stack.drained(120)
        await stack.edit(count=120)
        drafts = [str(uuid.uuid4()) for _ in range(4)]
        for record_id in drafts:
            await _put(stack, tenants[1], record_id, '{"Status": "DRAFT"}')
        await _exact_amounts(stack, tenants[0])
        await stack.edit(kind="merge", endpoint="Contacts")
        await stack.drained(120)
        for record_id in drafts:
            await _put(stack, tenants[1], record_id, '{"Status": "DELETED"}')
        unseen = await _known_by_their_end(stack, tenants[0])
        large = await _large(stack, tenants[1])
        await stack.drained(120)
        history = await stack.history(tenants)
        assert any(change.event["omitted"] for change in history.changes if change.ref.record_id in large)
        firsts = {change.ref.record_id: change.event["op"] for change in reversed(history.changes)}
        assert {firsts.get(record_id) for record_id in unseen} == {"d"}
        return Published(
            bootstrap_servers=stack.bootstrap_servers,
            changes=history.changes,
            records=history.records,
            truth=history.truth,
            large=frozenset(large),
            unseen=frozenset(unseen),
        )


async def _put(stack: Stack, tenant: str, record_id: str, fields: str) -> None:
    answer = await stack.http.put(
        f"/_sim/records/{tenant}/Invoices/{record_id}",
        content=f'{{"fields": {fields}}}'.encode(),
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 200, answer.text


async def _exact_amounts(stack: Stack, tenant: str) -> None:
    """Numbers that a double can't hold."""
    await _put(
        stack,
        tenant,
        str(uuid.uuid4()),
        '{"Total": 90071992547409931.0123, "SubTotal": 12345678901234567.89, "CurrencyRate": 1.1234567891}',
    )


async def _known_by_their_end(stack: Stack, tenant: str) -> list[str]:
    """Records that are made and deleted while nobody looks."""
    for name in stack.processors:
        await stack.processes[name].stop()
    made = []
    for _ in range(3):
        record_id = str(uuid.uuid4())
        await _put(stack, tenant, record_id, '{"Status": "DRAFT", "Reference": "never seen"}')
        await _put(stack, tenant, record_id, '{"Status": "DELETED"}')
        made.append(record_id)
    await stack.calm()
    for name in stack.processors:
        stack.processes[name].start()
    return made


async def _large(stack: Stack, tenant: str) -> list[str]:
    """A record of which two don't fit a message, changed twice, and one that does not fit by itself."""
    twice, once = str(uuid.uuid4()), str(uuid.uuid4())
    for reference in ("first", "second"):
        await _put(
            stack, tenant, twice, f'{{"Reference": "{reference}", "LineItems": [{{"Description": "{"x" * LARGE}"}}]}}'
        )
        await stack.drained(120)
    await _put(stack, tenant, once, f'{{"LineItems": [{{"Description": "{"x" * LARGER}"}}]}}')
    return [twice, once]
