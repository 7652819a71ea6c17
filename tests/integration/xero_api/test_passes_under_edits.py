"""Passes over every list that is read by keyset while fifty edits a second go on: nothing is missed, nothing stays old.

Over HTTP, against the simulator's truth. The seconds are the simulator's: its clock stands, and each call takes as much
of it as is drawn, however busy the machine. The same without a network: ``tests/properties/test_paging_keyset.py``.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.integration.simulator.rig import Simulated, simulate
from tests.support.stacks import SOAK
from xero_api.answers import Answer
from xero_api.call import Priority
from xero_api.calling.context import CallContext
from xero_api.client import XeroClient
from xero_api.decode import decode, encode
from xero_api.entity import Entity, Pages
from xero_api.oauth.source import AccessToken, GrantId
from xero_api.paging import Done, Keyset
from xero_api.passes import Place
from xero_api.reading import Reader
from xero_api.registry import ENTITIES
from xero_api.requests import Request
from xero_stream.contracts.names import DEFAULT_APP, AppName, EntityName, TenantId

RUNS = 200 if SOAK else 2
EDITS_PER_SECOND = 50
MOST_CALLS = 1_000
"""Of a pass: several times what the books of these tests need."""
KEYSET = [entity for entity in ENTITIES if isinstance(entity.paging, Pages)]

Wish = dict[str, Any]
_MADE: dict[EntityName, list[Wish]] = {
    EntityName.PAYMENTS: [
        {"endpoint": "Invoices", "kind": "create"},
        {"endpoint": "Invoices", "kind": "approve"},
        {"endpoint": "Invoices", "kind": "pay"},
    ]
}
"""What makes new ones, where that isn't ``create``."""


class CurrentToken:
    """Whatever token was asked for last."""

    def __init__(self) -> None:
        self.value = ""

    async def token(self, app: AppName, tenant_id: TenantId) -> AccessToken:
        """See ``TokenSource``."""
        del app, tenant_id
        return AccessToken(value=self.value, grant_id=GrantId("the only one"))

    async def replacement(self, rejected: AccessToken) -> AccessToken:
        """See ``TokenSource``."""
        raise AssertionError(f"refused: {rejected}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Xero:
    """A simulator whose clock stands, and our client of it."""

    runner: asyncio.Runner
    simulated: Simulated
    client: XeroClient
    current: CurrentToken


async def _start() -> tuple[Simulated, XeroClient, CurrentToken]:
    simulated = await simulate(tenants=0, clock_rate=0)
    await simulated.talk.control("PUT", "/limits", {"minute": 10**6, "day": 10**6, "appMinute": 10**6})
    current = CurrentToken()
    client = XeroClient(api_url=simulated.talk.url, tokens=current, on_call=lambda _: None, timeout=60)
    return simulated, client, current


@pytest.fixture(scope="module")
def xero() -> Iterator[Xero]:
    """One for all runs; each has an organisation of its own."""
    with asyncio.Runner() as runner:
        simulated, client, current = runner.run(_start())
        yield Xero(runner=runner, simulated=simulated, client=client, current=current)
        runner.run(client.aclose())
        runner.run(simulated.close())


@dataclass(slots=True, kw_only=True)
class Run:
    """One organisation that changes while it is read; what was seen of it."""

    xero: Xero
    entity: Entity[Any]
    tenant: TenantId
    edits: int
    """In the time of one call."""
    restarts: bool
    going_on: bool = True
    turns: int = 0
    seen: dict[str, tuple[datetime | None, bytes]] = field(default_factory=dict)
    calls: int = 0

    async def send(self, request: Request) -> Answer:
        """A call, which takes some time."""
        self.calls += 1
        if self.going_on:
            await self.xero.simulated.talk.ahead(self.edits / EDITS_PER_SECOND)
            await self.edit(self.edits, [{}, *_MADE.get(self.entity.name, [])])
        return await self.xero.client.send(CallContext(DEFAULT_APP, self.tenant, Priority.BACKFILL), request)

    async def edit(self, count: int, wishes: list[Wish]) -> None:
        """So many edits, of each kind in its turn, as far as there is something to edit."""
        turns, self.turns = range(self.turns, self.turns + count), self.turns + count
        for place, wish in enumerate(wishes):
            share = sum(turn % len(wishes) == place for turn in turns)
            body = {"tenantId": self.tenant, "endpoint": self.entity.path, "count": share, **wish}
            if share:
                answer = await self.xero.simulated.talk.http.post("/_sim/edits", json=body)
                assert answer.status_code in {200, 409}, answer.text

    async def read(self, since: datetime | None, page_size: int) -> datetime | None:
        """A whole pass; with restarts, each page is read from what the one before wrote down."""
        place: Place | Done | None = None
        self.calls = 0
        books = Reader(self.send, self.tenant)
        while not isinstance(place, Done):
            since = None if place else since
            async for page in books.pages(self.entity, since=since, start=place, page_size=page_size):
                assert not page.unmapped
                for one in page.found:
                    self._see(one.raw)
                assert self.calls < MOST_CALLS, "the pass does not end"
                place = page.then
                if self.restarts and isinstance(place, Keyset):
                    place = Keyset.from_json(place.to_json())
                    break
        return place.reached

    def _see(self, raw: Any) -> None:
        record_id, version = str(self.entity.id_of(raw)), self.entity.version(raw)
        known = self.seen.get(record_id, (None, b""))[0]
        if known is None or version is None or version >= known:
            self.seen[record_id] = (version, encode(self.entity.unify(raw)))

    async def wrong(self, before: datetime | None = None) -> set[str]:
        """Records that were not seen as they are; those changed at ``before`` or later don't count."""
        answer = await self.xero.simulated.talk.http.get(f"/_sim/truth/{self.tenant}/{self.entity.path}")
        truth = decode(answer.content)[self.entity.list_key]
        assert truth
        return {
            record_id
            for raw in truth
            if before is None or (version := self.entity.version(raw)) is None or version < before
            if self.seen.get(record_id := str(self.entity.id_of(raw)), (None, b""))[1] != encode(self.entity.unify(raw))
        }


async def _begin(xero: Xero, entity: Entity[Any], past: list[tuple[int, float]], edits: int, restarts: bool) -> Run:
    """Books whose records came in batches, some time apart."""
    talk = xero.simulated.talk
    tenant = await talk.control("POST", "/tenants", {"contacts": 12, "invoices": 20, "creditNotes": 8})
    await talk.connect(tenants=[tenant["tenantId"]])
    xero.current.value = talk.access_token
    run = Run(xero=xero, entity=entity, tenant=TenantId(tenant["tenantId"]), edits=edits, restarts=restarts)
    sized = isinstance(entity.paging, Pages) and entity.paging.sized
    for count, seconds in past:  # pages of a hundred, where Xero decides, take more to fill
        wishes = _MADE.get(entity.name, [{"kind": "create"}])
        await run.edit(count * len(wishes) * (1 if sized else 5), wishes)
        await talk.ahead(seconds)
    return run


async def _passes(run: Run, page_size: int) -> None:
    made = run.xero.simulated.world.clock.stamp()
    reached = await run.read(None, page_size)
    assert run.xero.simulated.world.clock.stamp() > made + 1, "nothing was edited"
    assert await run.wrong(before=reached) == set(), "after a pass under edits"

    reached = await run.read(reached if run.entity.modified_since else None, page_size)
    run.going_on = False
    await run.read(reached if run.entity.modified_since else None, page_size)
    assert await run.wrong() == set(), "at the end"


@pytest.mark.parametrize("entity", KEYSET, ids=lambda entity: entity.name)
@settings(max_examples=RUNS)
@given(
    past=st.lists(st.tuples(st.integers(8, 20), st.sampled_from([0.0, 0.4, 1.0, 5.0])), min_size=2, max_size=4),
    edits=st.sampled_from([1, 5, 10]),
    spare=st.integers(4, 15),
    restarts=st.booleans(),
)
def test_nothing_is_missed_and_nothing_stays_old(
    xero: Xero, entity: Entity[Any], past: list[tuple[int, float]], edits: int, spare: int, *, restarts: bool
) -> None:
    """Two passes under edits and one after them: every record as Xero has it.

    Already after the first, whatever did not change at the moment it reached or later is right. Where every edit makes a
    record, they come faster than they can be read: a second of overlap is more than a page.
    """

    async def whole() -> None:
        changed = edits * (2 if entity.merged_into else 1)  # a merge changes two
        await _passes(await _begin(xero, entity, past, edits, restarts), 2 * changed + spare)

    xero.runner.run(whole())
