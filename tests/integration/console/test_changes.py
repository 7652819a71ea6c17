"""The feed over HTTP: pages, waits, streams; what is not relayed, gone, or lost with a store after a rollback."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from processors.relay.recover import store_rolled_back
from tests.integration.console.conftest import A, B, C, RunningConsole, running
from tests.integration.console.feeding import Log, events, in_order, places, read, read_all
from xero_stream.contracts.api_key import Scope
from xero_stream.contracts.names import EntityName
from xero_stream.store.days import drop_days, make_days
from xero_stream.store.ownership import take


@pytest.fixture
def log(pool: "asyncpg.Pool[Any]") -> Log:
    """Writes changes into the store."""
    return Log(pool)


@pytest.fixture
async def client(console: RunningConsole) -> AsyncIterator[httpx.AsyncClient]:
    """A client that may read everything."""
    async with console.client(await console.key()) as found:
        yield found


async def test_pages_have_every_change_once_and_byte_for_byte(client: httpx.AsyncClient, log: Log) -> None:
    """In the order of each partition, whatever the size of a page; the bytes are those on Kafka."""
    values = await log.record(*[A, B, C] * 20)
    await log.relay()

    whole = await client.get("/v1/changes", params={"limit": 1000})
    changes, cursor = await read_all(client, limit=7)

    assert all(value in whole.content for value in values)
    assert len(changes) == 60
    assert in_order(places(changes))
    assert cursor == whole.json()["cursor"] == "0:20,1:40,2:0"
    assert (await client.get("/v1/changes", params={"cursor": cursor})).json() == {
        "changes": [],
        "cursor": cursor,
        "more": False,
    }


async def test_only_what_is_relayed_is_shown(client: httpx.AsyncClient, log: Log) -> None:
    """A change that is recorded and not on Kafka may be given out again: it is in no page and no cursor."""
    await log.record(A, A, A)
    await log.relay(0, 2)

    changes, cursor = await read_all(client)

    assert places(changes) == [(0, 1), (0, 2)]
    assert cursor == "0:2,1:0,2:0"


async def test_partitions_that_commit_in_opposite_order(client: httpx.AsyncClient, log: Log) -> None:
    """A change that was begun first and commits last is missed by nobody whose cursor moved meanwhile."""
    async with log.pool.acquire() as slow:
        transaction = slow.transaction()
        await transaction.start()
        await log.record(A, connection=slow)
        await log.record(B, B)
        await log.relay(1)
        first, cursor = await read_all(client)
        await transaction.commit()
    await log.relay(0)
    second, _ = await read_all(client, cursor)

    assert places(first) == [(1, 1), (1, 2)]
    assert places(second) == [(0, 1)]


async def test_filters(client: httpx.AsyncClient, log: Log) -> None:
    """By organisation, customer, kind of record, operation; the cursor counts what is left out too."""
    await log.record(A, B, C)
    await log.record(A, entity=EntityName.CONTACTS, op="d")
    await log.relay()

    async def seen(**params: Any) -> list[tuple[int, int]]:
        changes, cursor = await read_all(client, **params)
        assert cursor == "0:2,1:2,2:0"
        return sorted(places(changes))

    assert await seen(tenant=[A]) == [(0, 1), (0, 2)]
    assert await seen(tenant=[A.upper(), C]) == [(0, 1), (0, 2), (1, 2)]
    assert await seen(customer_ref="c-1") == [(0, 1), (0, 2), (1, 1)]
    assert await seen(customer_ref="c-1", tenant=C) == []
    assert await seen(entity="contacts") == [(0, 2)]
    assert await seen(op=["d", "c"]) == [(0, 2)]
    assert await seen(customer_ref="nobody") == []


async def test_a_restricted_key_sees_its_organisations_only(console: RunningConsole, log: Log) -> None:
    """In pages, waits and streams; asking for another organisation is 404."""
    await log.record(A, B, C, A)
    await log.relay()
    async with console.client(await console.key(tenant_ids=[C])) as client:
        changes, cursor = await read_all(client)
        streamed = await read(client, 1, customer_ref="c-2")
        denied = await client.get("/v1/changes", params={"tenant": A})
        await log.record(A, B)
        await log.relay()
        waited = (await client.get("/v1/changes", params={"cursor": cursor, "wait": 0.5})).json()

    assert places(changes) == [(1, 2)]
    assert places([json.loads(streamed[0].data or b"")]) == [(1, 2)]
    assert (denied.status_code, denied.json()["code"]) == (404, "not_found")
    assert waited["changes"] == []
    assert waited["cursor"] == "0:3,1:3,2:0"


@pytest.mark.parametrize(
    "params",
    [
        {"cursor": "x"},
        {"cursor": "0:1"},
        {"cursor": "0:1,1:1,2:1,3:1"},
        {"cursor": "0:1,1:1,2:99999999999999999999"},
        {"wait": "21"},
        {"wait": "nan"},
        {"limit": "0"},
        {"limit": "1001"},
        {"entity": "unicorns"},
        {"op": "x"},
        {"tenant": "Demo Company"},
        {"from": "yesterday"},
    ],
)
async def test_what_is_refused(client: httpx.AsyncClient, params: dict[str, str]) -> None:
    """400 that names the parameter."""
    answer = await client.get("/v1/changes", params=params)

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request"), answer.text
    assert next(iter(params)) in answer.json()["detail"]


async def test_a_wait_ends_with_the_change_or_with_the_time(client: httpx.AsyncClient, log: Log) -> None:
    """At once when it comes; empty, with a cursor, when it does not; one that is filtered out ends no wait."""
    _, cursor = await read_all(client)

    async def later() -> None:
        await asyncio.sleep(0.3)
        await log.record(B)
        await log.relay()
        await asyncio.sleep(0.3)
        await log.record(A)
        await log.relay()

    started = time.monotonic()
    writing = asyncio.create_task(later())
    found = (await client.get("/v1/changes", params={"cursor": cursor, "wait": 20, "tenant": A})).json()
    took = time.monotonic() - started
    await writing
    nothing = (await client.get("/v1/changes", params={"cursor": found["cursor"], "wait": 0.2})).json()

    assert places(found["changes"]) == [(0, 1)]
    assert 0.5 < took < 10
    assert nothing == {"changes": [], "cursor": "0:1,1:1,2:0", "more": False}


async def test_a_stream_goes_on_where_it_was_left(client: httpx.AsyncClient, log: Log) -> None:
    """Left after any event and restarted with its id: each change once, in order, as bytes."""
    values = await log.record(*[A, B, C] * 10)
    await log.relay()
    found = []
    cursor = "0:0,1:0,2:0"
    for count in (1, 2, 3, 5, 8, 11):
        some = await read(client, count, cursor=cursor)
        found += some
        cursor = some[-1].id

    assert sorted(event.data or b"" for event in found) == sorted(values)
    assert in_order(places(json.loads(event.data or b"") for event in found))


async def test_a_stream_follows_what_is_relayed(client: httpx.AsyncClient, log: Log) -> None:
    """From the latest on, through large changes and bursts, while writers record without relaying."""
    await log.record(A, A)
    await log.relay()

    async def write() -> None:
        for number in range(30):
            await log.record(*[A, B, C][: 1 + number % 3] * (40 if number % 10 == 0 else 1), pad=number * 3000)
            if number % 2:
                await log.relay()
        await log.relay()

    stream = asyncio.create_task(_until_quiet(client, 2.0, **{"from": "latest"}))
    await asyncio.sleep(0.5)
    await write()
    found = await stream

    last = dict([tuple(row) for row in await log.pool.fetch("SELECT partition, position FROM positions")])
    assert in_order(found)
    assert len(found) == sum(last.values()) - 2
    assert {p: max(position for q, position in found if q == p) for p in (0, 1)} == {0: last[0], 1: last[1]}


async def test_slow_readers_cost_the_others_nothing(console: RunningConsole, log: Log) -> None:
    """Twenty streams that read nothing: another one has everything, in order; theirs go on afterwards without a gap."""
    async with console.client(await console.key()) as client, contextlib.AsyncExitStack() as stack:
        headers = {"Accept": "text/event-stream", "Last-Event-ID": "0:0,1:0,2:0"}
        slow = [
            await stack.enter_async_context(client.stream("GET", "/v1/changes", headers=headers)) for _ in range(20)
        ]
        fast = asyncio.create_task(read(client, 400, cursor="0:0,1:0,2:0"))
        for _ in range(20):
            await log.record(*[A, B] * 10, pad=20_000)
            await log.relay()
        found = await asyncio.wait_for(fast, 30)
        assert in_order(places(json.loads(event.data or b"") for event in found))
        assert len(found) == 400
        late = []
        async for event in events(slow[7]):
            if event.data is not None:
                late.append(json.loads(event.data))
            if len(late) == 400:
                break
        assert in_order(places(late))


async def test_a_stream_ends_with_its_key(console: RunningConsole, log: Log) -> None:
    """Within some seconds after the key was revoked; what is relayed later is not seen."""
    key = await console.key()
    async with console.client(key) as client:
        await log.record(A)
        await log.relay()
        started = time.monotonic()
        stream = asyncio.create_task(read(client, 100, cursor="0:0,1:0,2:0"))
        await asyncio.sleep(0.5)
        await console.pool.execute("UPDATE api_keys SET revoked_at = now() WHERE scopes = '{read}'")
        found = await asyncio.wait_for(stream, 20)

    assert len(found) == 1
    assert time.monotonic() - started < 12


async def test_streams_end_when_the_console_stops(pool: "asyncpg.Pool[Any]", database_url: str, log: Log) -> None:
    """At once, without an error: the reader goes on elsewhere."""
    await log.record(A)
    await log.relay()
    async with running(pool, database_url) as console:
        client = console.client(await console.key())
        stream = asyncio.create_task(read(client, 100, cursor="0:0,1:0,2:0"))
        await asyncio.sleep(0.5)
        started = time.monotonic()
    assert time.monotonic() - started < 3
    assert len(await stream) == 1
    await client.aclose()


async def test_changes_older_than_retention_are_gone(client: httpx.AsyncClient, log: Log) -> None:
    """410 with where to resume, from which nothing is missing; a reader without a cursor begins there."""
    await make_days(log.pool, date.today() - timedelta(days=9), ahead=0)  # noqa: DTZ011 - the database's machine
    await log.record(A, A, days_ago=9)
    await log.record(A, B)
    await log.relay()
    assert await drop_days(log.pool, date.today() - timedelta(days=5))  # noqa: DTZ011

    gone = await client.get("/v1/changes", params={"cursor": "0:1,1:0,2:0"})
    stream = await client.get("/v1/changes", headers={"Accept": "text/event-stream", "Last-Event-ID": "0:1,1:0,2:0"})
    changes, _ = await read_all(client, gone.json()["resume"])
    earliest, _ = await read_all(client)

    assert (gone.status_code, gone.json()["code"]) == (410, "gone")
    assert (stream.status_code, stream.json()["code"]) == (410, "gone")
    assert gone.json()["resume"] == "0:2,1:0,2:0"
    assert sorted(places(changes)) == sorted(places(earliest)) == [(0, 3), (1, 1)]


async def test_all_is_gone_and_nothing_new(client: httpx.AsyncClient, log: Log) -> None:
    """An empty table is no empty log: who has seen all goes on, who has not is told."""
    await log.record(A, A)
    await log.relay()
    await log.pool.execute("DELETE FROM changes")

    seen = await client.get("/v1/changes", params={"cursor": "0:2,1:0,2:0"})
    behind = await client.get("/v1/changes", params={"cursor": "0:1,1:0,2:0"})
    changes, cursor = await read_all(client)

    assert seen.status_code == 200
    assert (behind.status_code, behind.json()["resume"]) == (410, "0:2,1:0,2:0")
    assert (changes, cursor) == ([], "0:2,1:0,2:0")


async def test_a_store_rollback(client: httpx.AsyncClient, log: Log) -> None:
    """Restored between commit and relay, and recorded on: readers are told, and nobody is shown what Kafka has otherwise."""
    lease = await take(log.pool, 0, "test")
    await log.record(*[A] * 6)
    await log.relay(0, 4)
    stream = asyncio.create_task(read(client, 100, cursor="0:4,1:0,2:0"))
    await asyncio.sleep(0.5)

    # Kafka has ten changes, and a reader has seen eight of them: the store has six, of which it knows four to be on Kafka.
    before = await client.get("/v1/changes", params={"cursor": "0:8,1:0,2:0"})
    waiting = await client.get("/v1/changes", params={"cursor": "0:6,1:0,2:0"})
    await store_rolled_back(log.pool, lease, 10, {})
    ended = await asyncio.wait_for(stream, 10)
    (value,) = await log.record(A)
    await log.relay()
    answers = {
        seen: await client.get("/v1/changes", params={"cursor": f"0:{seen},1:0,2:0"}) for seen in (3, 4, 6, 8, 10)
    }
    from_start = await client.get("/v1/changes")

    assert (before.status_code, before.json()["code"]) == (410, "store_rolled_back")
    assert before.json()["resume"] == "0:4,1:0,2:0"
    assert (waiting.status_code, waiting.json()["changes"]) == (200, [])
    assert ended == []
    for seen in (4, 6, 8):
        assert (answers[seen].status_code, answers[seen].json()["code"]) == (410, "store_rolled_back"), seen
        assert answers[seen].json()["resume"] == "0:10,1:0,2:0"
    assert answers[10].content.startswith(b'{"changes":[' + value + b"]")
    assert places(answers[3].json()["changes"]) == places(from_start.json()["changes"])[3:] == [(0, 4)]


async def test_scope_of_the_feed(console: RunningConsole) -> None:
    """Every other scope is not enough."""
    async with console.client(await console.key(*(scope for scope in Scope if scope is not Scope.READ))) as client:
        answer = await client.get("/v1/changes", headers={"Accept": "text/event-stream"})

    assert answer.status_code == 403


async def _until_quiet(client: httpx.AsyncClient, seconds: float, **params: Any) -> list[tuple[int, int]]:
    """What a stream gives until nothing came for some time."""
    found: list[tuple[int, int]] = []
    headers = {"Accept": "text/event-stream"}
    async with client.stream("GET", "/v1/changes", headers=headers, params=params) as answer:
        stream = events(answer)
        while True:
            try:
                event = await asyncio.wait_for(anext(stream), seconds)
            except TimeoutError:
                return found
            if event.data is not None:
                found += places([json.loads(event.data)])
