"""A store that does not fit the topics: another's, or our own as it was before; and topics that lost their events."""

import asyncio
import sys

from cli.verify.promises import Promise
from tests.support.servers import SharedServers
from tests.support.stack import Stack
from tests.support.stacks import StartStack


def use_store(stack: Stack, database_url: str) -> None:
    """Let the processors, and the test, use another database from the next start on."""
    process = stack.processes["processors-0"]
    process.env = {**process.env, "DATABASE_URL": database_url}
    stack.database_url = database_url


async def test_a_foreign_store_is_refused_and_an_older_one_is_caught_up(
    new_stack: StartStack, shared_servers: SharedServers
) -> None:
    """Foreign: exit code 78 and what to do. Older: a jump of positions, loudly, and every record read again.

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
        assert '"event":"store_went_back"' in process.log.read_text(encoding="utf-8")
        assert (await stack.series("processors-0"))["xero_stream_store_rolled_back_total"] >= 1
        # The announced jump breaks the chain and some ``before``; nothing is lost, repeated or out of place.
        history = await stack.judged(tenants, without=(Promise.IN_ORDER, Promise.DIFFERENCE))
        for partition, end in ends.items():
            late = [one for one in history.changes if one.spot.partition == partition and one.position > end]
            assert all(one.source["trigger"] in ("reconcile", "webhook", "poll") for one in late)
        await process.stop()

        # Nobody is told of these edits, and the offset lies where the topic never was: as if it had been made anew.
        await stack.edit(count=10, webhook=False)
        await stack.fetch("UPDATE intake_offsets SET next_offset = next_offset + 1000, received_at = now()")
        process.start()
        await stack.settled_group()
        await stack.drained()
        assert '"event":"events_lost"' in process.log.read_text(encoding="utf-8")
        await stack.judged(tenants, without=(Promise.IN_ORDER, Promise.DIFFERENCE))
        await stack.assert_quotas_kept()
        await process.stop()
        use_store(stack, own)
    for name in (foreign, backup):
        shared_servers.drop_database(name)


async def ended(stack: Stack) -> int:
    """The exit code of the processors, which end by themselves."""
    child = stack.processes["processors-0"].child
    assert child is not None

    async def over() -> bool:
        return child.poll() is not None

    await stack.until(over, 30, "the processors to refuse")
    await asyncio.sleep(0)
    return child.returncode
