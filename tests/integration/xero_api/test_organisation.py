"""One organisation as a library's user calls it: turns, waits, repeats."""

import asyncio
import time
from typing import Any

import pytest

from tests.integration.xero_api.conftest import Api, Begin
from xero_api.budget.minute import Minute
from xero_api.errors import OverBudgetError, RateLimitedError, ServerError
from xero_api.organisation import ATTEMPTS, Organisation
from xero_api.registry import CONTACTS
from xero_api.requests import get_page
from xero_api.writes.requests import create
from xero_stream.contracts.names import DEFAULT_APP, TenantId
from xero_stream.settings.xero import AppTier

ONE = get_page(CONTACTS, None, page_size=1)


def books(api: Api, **options: Any) -> Organisation:
    """The first organisation."""
    return Organisation(api.client, api.tenant, tier=AppTier.CORE, **options)


async def calls(api: Api) -> Any:
    """What the simulator counted."""
    return await api.talk.control("GET", "/calls")


async def refuse(api: Api, fault: dict[str, Any], times: int) -> None:
    """The next calls fail."""
    await api.talk.faults({"operation": ["list", "write"], "times": times, "fault": fault})


async def test_a_crowd_is_let_in_five_at_a_time(begin: Begin) -> None:
    """Forty tasks at once: each is served, no limit is reached."""
    api = await begin(api_latency_ms=20)
    one = books(api)

    await asyncio.gather(*(one.send(ONE) for _ in range(40)))

    counted = await calls(api)
    assert (counted["calls"], counted["refusedEarned"], counted["mostConcurrent"]) == (40, {}, 5)


async def test_who_would_wait_for_too_long_is_told_before_anything_is_sent(api: Api) -> None:
    """The sixty-first of a minute: an error of ours, no call."""
    one = books(api, patience=0.2)
    for _ in range(60):
        await one.send(ONE)

    with pytest.raises(OverBudgetError, match="minute") as caught:
        await one.send(ONE)

    assert not caught.value.sent
    assert (await calls(api))["calls"] == 60


async def test_a_new_connection_is_read_as_fast_as_xero_lets_it(begin: Begin) -> None:
    """From the first answer on, which says how new it is; after half an hour by Xero's clock a minute is one again."""
    api = await begin(tier="plus")
    token = await api.tokens.token(DEFAULT_APP, api.tenant)
    [connection] = [one for one in await api.client.connections(DEFAULT_APP, token) if one.tenant_id == api.tenant]
    one = Organisation(api.client, api.tenant, tier=AppTier.PLUS, connected_at=connection.created_at, patience=0.2)

    for _ in range(70):
        await one.send(ONE)
    await api.talk.ahead(29 * 60 + 2)  # a Date says whole seconds
    await one.send(ONE)
    with pytest.raises(OverBudgetError, match="minute"):
        await one.send(ONE)

    counted = await calls(api)
    assert (counted["calls"], counted["refusedEarned"]) == (71, {})


async def test_the_app_minute_is_shared(begin: Begin) -> None:
    """What one organisation used, another has not."""
    api = await begin(tenants=2)
    minute = Minute(limit=3, grain=1.0)
    both = [
        Organisation(api.client, TenantId(tenant), tier=AppTier.CORE, calls=minute, patience=0.1)
        for tenant in api.talk.tenants
    ]
    for one in (both[0], both[1], both[0]):
        await one.send(ONE)

    with pytest.raises(OverBudgetError, match="app_minute"):
        await both[1].send(ONE)


async def test_a_refusal_is_waited_out(api: Api) -> None:
    """429 with a second to wait: all wait, then it works, and Xero is not asked meanwhile."""
    await refuse(api, {"kind": "rate_limit", "problem": "minute", "retryAfter": 1}, times=1)
    one = books(api)
    began = time.monotonic()

    await one.send(ONE)

    assert time.monotonic() - began >= 1
    assert [call.status for call in api.records] == [429, 200]


async def test_a_refusal_longer_than_our_patience_is_raised(api: Api) -> None:
    """A day that is over: the first sees Xero's own word, whoever comes then sees ours, and nothing is sent."""
    await refuse(api, {"kind": "rate_limit", "problem": "day", "retryAfter": 3_000}, times=1)
    one = books(api, patience=1)

    with pytest.raises(RateLimitedError):
        await one.send(ONE)
    with pytest.raises(OverBudgetError):
        await one.write(create(CONTACTS, [{"Name": "Late"}], key="k1"))

    assert [call.status for call in api.records] == [429]


async def test_a_read_is_made_again_and_a_write_is_not(api: Api) -> None:
    """Two 500s: the read comes back; the write's error is the caller's."""
    await refuse(api, {"kind": "status", "status": 500}, times=2)
    one = books(api)
    assert (await one.send(ONE)).records

    await refuse(api, {"kind": "status", "status": 500}, times=ATTEMPTS + 1)
    with pytest.raises(ServerError):
        await one.write(create(CONTACTS, [{"Name": "Once"}], key="k2"))
    with pytest.raises(ServerError):
        await one.send(ONE)
    assert [call.status for call in api.records] == [500, 500, 200, 500, *[500] * ATTEMPTS]


async def test_a_call_that_was_given_up_keeps_its_slot(begin: Begin) -> None:
    """Xero may still be busy with it: a sixth at once would be refused."""
    api = await begin(api_latency_ms=300)
    one = books(api, patience=0.5)
    given_up = [asyncio.create_task(one.send(ONE)) for _ in range(5)]
    await asyncio.sleep(0.1)
    for task in given_up:
        task.cancel()
    await asyncio.gather(*given_up, return_exceptions=True)

    with pytest.raises(OverBudgetError, match="at_once"):
        await one.send(ONE)

    assert (await calls(api))["refusedEarned"] == {}
