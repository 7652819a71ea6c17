"""A store that does not fit the topics: another's, or our own as it was before; and topics that lost their events."""

import sys
from collections.abc import Sequence
from typing import Any

from tests.support.servers import SharedServers
from tests.support.stack import Stack
from tests.support.stacks import StartStack
from verify.history import Change


def use_store(stack: Stack, database_url: str) -> None:
    """Let the processors, and the test, use another database from the next start on."""
    process = stack.processes["processors-0"]
    process.env = {**process.env, "DATABASE_URL": database_url}
    stack.database_url = database_url


async def test_a_foreign_store_is_refused_and_an_older_one_is_caught_up(
    new_stack: StartStack, shared_servers: SharedServers
) -> None:
    """Foreign: exit code 78 and what to do. Older: loudly, every record read again, and consumers see nothing of it.

    Events that Kafka lost: loudly, and everything read that changed since the last one.
    """
    foreign = shared_servers.create_database(migrated=True)
    async with new_stack("--tenants=3", "--invoices=20", "--contacts=8", "--credit-notes=2") as stack:
        own, process = stack.database_url, stack.processes["processors-0"]
        tenants = await stack.connect()
        await stack.drained()
        await process.stop()
        backup = shared_servers.copy_database(own)
        process.start()
        await stack.edit(count=25)
        await stack.drained()
        ends = {row["partition"]: row["position"] for row in await stack.fetch("SELECT * FROM positions")}
        await process.stop()

        use_store(stack, shared_servers.url(foreign))
        process.start()
        assert await ended(stack) == 78
        assert "carry the changes of another store" in process.tail(3)

        use_store(stack, shared_servers.url(backup))
        # The store has lost the offsets of events too: there is work before the relay has looked at Kafka.
        process.command = [sys.executable, "-m", "tests.support.defective_processors", "--defect", "late-relay"]
        process.start()
        await stack.settled_group()
        await stack.edit(count=10)
        await stack.drained()
        assert '"event":"store_rolled_back"' in process.log.read_text(encoding="utf-8")
        assert (await stack.series("processors-0"))["xero_stream_store_rolled_back_total"] >= 1
        history = await stack.judged(tenants)
        assert_nothing_shows(history.changes)
        for partition, end in ends.items():
            late = [one for one in history.changes if one.spot.partition == partition and one.position > end]
            assert all(one.source["trigger"] in ("reconcile", "webhook", "poll") for one in late)
        await process.stop()

        # Nobody is told of these edits, and the offset lies where the topic never was: as if it had been recreated.
        await stack.edit(count=10, webhook=False)
        await stack.fetch("UPDATE intake_offsets SET next_offset = next_offset + 1000, received_at = now()")
        process.start()
        await stack.settled_group()
        await stack.drained()
        assert '"event":"events_lost"' in process.log.read_text(encoding="utf-8")
        assert_nothing_shows((await stack.judged(tenants)).changes)
        await stack.assert_quotas_kept()
        await process.stop()
        use_store(stack, own)
    for name in (foreign, backup):
        shared_servers.drop_database(name)


def assert_nothing_shows(changes: Sequence[Change]) -> None:
    """What a consumer keeps track of by itself, apart from the checkers: links, positions, ids, and each record's state."""
    last: dict[tuple[str, int], int] = {}
    held: dict[tuple[str, str, str], Any] = {}
    for change in sorted(changes, key=lambda one: (one.spot.partition, one.position)):
        place, source, event = (change.spot.topic, change.spot.partition), change.source, change.event
        assert source["previous"] == last.get(place, 0), change.spot
        last[place] = change.position
        record = (source["tenant_id"], source["entity"], source["record_id"])
        known = held.get(record)
        if known is None:
            assert event["op"] in ("c", "r", "d"), change.spot
        else:
            assert (event["op"] in ("u", "d"), event["before"]) == (True, known), change.spot
        held[record] = event["after"]
    assert len({change.ce_id for change in changes}) == len(changes)


async def ended(stack: Stack) -> int:
    """The exit code of the processors, which end by themselves."""
    child = stack.processes["processors-0"].child
    assert child is not None

    async def over() -> bool:
        return child.poll() is not None

    await stack.until(over, 30, "the processors to refuse")
    return child.wait()
