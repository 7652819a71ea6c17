"""A setting that all processes share is changed while they run: what follows is done, and nothing is lost."""

from dataclasses import replace

import pytest

from tests.support.stack import Stack
from tests.support.stacks import StartStack
from verify.history import History, Spot
from verify.promises import Finding, Promise, chained, check, in_order
from xero_stream.contracts.names import STREAMED, EntityName

SMALL = ("--tenants=4", "--invoices=15", "--contacts=8", "--credit-notes=4")
TWO = (EntityName.INVOICES, EntityName.CONTACTS)
PROCESSORS = ("processors-0", "processors-1")


async def stopped_with_78(stack: Stack, *names: str) -> None:
    """Processors end by themselves, naming the change."""
    for name in names:
        assert await stack.processes[name].wait(within=30) == 78, stack.processes[name].tail()
        assert "xero-stream deployment set" in stack.processes[name].tail(3)


def start_again(stack: Stack, *names: str, **environment: str) -> None:
    """Start processors with other settings."""
    for name in names:
        process = stack.processes[name]
        process.env = {**process.env, **environment}
        process.start()


@pytest.mark.timeout(300)
async def test_an_entity_enabled_later_is_loaded_and_one_left_out_waits_for_nothing(new_stack: StartStack) -> None:
    """Events of a known entity that is off are counted; enabling it reads what they were about; a wider start is refused."""
    everything = ",".join(STREAMED)
    async with new_stack(*SMALL, processor_count=2, environment={"XERO_STREAM_ENTITIES": ",".join(TWO)}) as stack:
        tenants = await stack.connect(entities=TWO)
        await stack.settled_group()
        await stack.drained()
        for tenant in tenants:
            await stack.edit(tenantId=tenant, endpoint="CreditNotes", kind="create", count=3)
        await stack.drained()

        ignored = [
            (await stack.series(name))['xero_stream_events_ignored_total{reason="disabled"}'] for name in PROCESSORS
        ]
        code, shown = await stack.command("deployment", "show")
        assert sum(ignored) == 3 * len(tenants)
        assert (code, f"{3 * len(tenants)} events of credit-notes were not read" in shown) == (0, True), shown
        assert not await stack.fetch("SELECT 1 FROM records WHERE entity = 'credit-notes'")

        # The mistake of the trial: one process is started with more.
        process = stack.add("processors-2", *stack.processors_module)
        process.env = {**process.env, "XERO_STREAM_ENTITIES": everything}
        process.start()
        await stopped_with_78(stack, "processors-2")
        assert "XERO_STREAM_ENTITIES=contacts,invoices" in process.tail(3)
        del stack.processes["processors-2"]

        await stack.traffic(4)
        code, told = await stack.command("deployment", "set", f"XERO_STREAM_ENTITIES={everything}")
        assert code == 0, told
        assert f"{len(tenants) * (len(STREAMED) - len(TWO))} loads were opened" in told
        await stopped_with_78(stack, *PROCESSORS)
        start_again(stack, *PROCESSORS, XERO_STREAM_ENTITIES=everything)
        await stack.settled_group()
        await stack.traffic(0)
        await stack.drained()
        await stack.judged(tenants)

        # What waits of an entity that is left out is no backlog any more.
        await stack.fetch(
            "INSERT INTO dirty (tenant_id, entity, record_id, partition, event_at, first_received_at, not_before) "
            "SELECT tenant_id, entity, record_id, partition, now(), now(), now() + interval '1 hour' FROM records "
            "WHERE entity = 'credit-notes'"
        )
        code, told = await stack.command(
            "deployment", "set", f"XERO_STREAM_ENTITIES={','.join(TWO)}", XERO_STREAM_ENTITIES=everything
        )
        assert code == 0, told
        assert "its topics stay as they are" in told
        assert not await stack.fetch("SELECT 1 FROM dirty WHERE entity = 'credit-notes'")
        await stopped_with_78(stack, *PROCESSORS)


def findings_over_all_topics(history: History) -> list[Finding]:
    """Broken promises where a record's changes are on two topics, one after the other.

    Each topic's own chain as it is; everything else in the order of positions, as a consumer of all topics puts it.
    """
    together = [replace(one, spot=Spot("all", one.spot.partition, one.position)) for one in history.changes]
    return [
        *in_order(history.changes),
        *chained(history.changes),
        *(one for one in check(replace(history, changes=together)) if one.promise is not Promise.IN_ORDER),
    ]


@pytest.mark.timeout(300)
async def test_one_topic_for_all_changes_and_back(new_stack: StartStack) -> None:
    """Positions go on without a gap over the former and the new topics, through restarts; nothing is published twice."""
    async with new_stack(*SMALL, one_topic_too=True) as stack:
        (name,) = stack.processors
        tenants = await stack.connect()
        await stack.drained()
        await stack.edit(count=15)
        for value in ("true", "false"):
            await stack.traffic(4)
            code, told = await stack.command("deployment", "set", f"XERO_STREAM_ONE_CHANGES_TOPIC={value}")
            assert code == 0, told
            assert "Consumers read the former topics to their end" in told
            await stopped_with_78(stack, name)
            start_again(stack, name, XERO_STREAM_ONE_CHANGES_TOPIC=value)
            await stack.settled_group()
            await stack.traffic(0)
            await stack.edit(count=15)
            await stack.drained()
            # Once more with changes on the topics: the relay looks whether they were emptied.
            await stack.processes[name].stop()
            stack.processes[name].start()
            await stack.edit(count=15)
            await stack.drained()

        history = await stack.history(tenants)
        topics = {change.spot.topic for change in history.changes}
        assert findings_over_all_topics(history) == []
        assert f"{stack.prefix}.changes" in topics
        assert len(topics) > 3
        assert "topics_emptied" not in stack.processes[name].log.read_text(encoding="utf-8")
