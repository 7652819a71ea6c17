"""The same seed, the same Xero."""

from datetime import UTC, datetime
from typing import Any

from tests.integration.simulator.conftest import Start
from tests.integration.simulator.rig import Receiver, Talk

STILL = {"clock_start": datetime(2026, 12, 1, tzinfo=UTC), "clock_rate": 0.0}


async def story(talk: Talk) -> list[Any]:
    """A series of commands and everything that came of it."""
    await talk.connect()
    told: list[Any] = [talk.grant, talk.refresh_token]
    told.append(await talk.edit(count=60))
    await talk.get("Invoices", page="1")
    told.append(await talk.edit(count=20, kind="create"))
    places = [(endpoint, tenant) for tenant in talk.tenants for endpoint in ("Invoices", "Contacts", "CreditNotes")]
    return told + [await talk.truth(endpoint, tenant) for endpoint, tenant in places]


async def test_the_same_seed_and_commands_give_the_same_bytes(start: Start) -> None:
    """With the clock standing still even the stamps agree."""
    first, second = await start(seed=3, **STILL), await start(seed=3, **STILL)

    assert await story(first.talk) == await story(second.talk)


async def test_another_seed_gives_another_xero(start: Start) -> None:
    """Nothing in common."""
    first, second = await start(seed=3, **STILL), await start(seed=4, **STILL)
    await first.talk.connect()
    await second.talk.connect()

    assert not set(first.talk.tenants) & set(second.talk.tenants)


async def test_reading_changes_nothing_that_is_drawn(start: Start) -> None:
    """One simulator is read from between edits, the other isn't: the edits agree."""
    first, second = await start(seed=3, **STILL), await start(seed=3, **STILL)
    await first.talk.connect()
    await second.talk.connect()
    for _ in range(20):
        await first.talk.get("Invoices", page="1", pageSize="1")

    assert await first.talk.edit(count=30) == await second.talk.edit(count=30)


async def test_webhooks_are_the_same_bytes(start: Start, receiver: Receiver) -> None:
    """Entropy and batches included, when nothing else disturbs."""
    bodies = []
    for _ in range(2):
        receiver.hooks.clear()
        simulated = await start(seed=3, webhook_url=receiver.url, webhook_concurrency=1, **STILL)
        for _ in range(5):
            await simulated.talk.edit()
            await simulated.talk.calm()
        bodies.append([hook.body for hook in receiver.hooks])

    assert bodies[0] == bodies[1]
