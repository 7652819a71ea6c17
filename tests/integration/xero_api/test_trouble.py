"""Faults to order: each becomes its typed error, nothing else breaks, no token is lost."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.integration.xero_api.conftest import Api, Begin
from tests.support.fake_grants import GRANT
from tests.support.loop_clock import LoopClock
from xero_api.call import Priority
from xero_api.errors import (
    BadRequestError,
    ClientConfigError,
    ForbiddenError,
    GarbledAnswerError,
    InterceptedError,
    LimitKind,
    OfflineError,
    RateLimitedError,
    ReauthoriseError,
    ServerError,
    TimedOutError,
    TransientError,
    UnreachableError,
    XeroError,
)
from xero_api.registry import INVOICES
from xero_api.requests import get_page
from xero_stream.contracts.names import DEFAULT_APP, TenantId

PAGE = get_page(INVOICES, None, page_size=20)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"kind": "status", "status": 500}, ServerError),
        ({"kind": "status", "status": 502, "body": "<html>"}, ServerError),
        ({"kind": "status", "status": 503, "body": "The Xero API is currently offline for maintenance"}, OfflineError),
        ({"kind": "status", "status": 400, "body": "no JSON"}, BadRequestError),
        ({"kind": "status", "status": 403}, ForbiddenError),
        ({"kind": "role_missing"}, ForbiddenError),
        ({"kind": "firewall"}, InterceptedError),
        ({"kind": "firewall", "status": 401}, InterceptedError),
        ({"kind": "proxy"}, InterceptedError),
        ({"kind": "proxy", "status": 502}, ServerError),
        ({"kind": "truncate", "fraction": 0.5}, GarbledAnswerError),
        ({"kind": "truncate", "fraction": 0}, GarbledAnswerError),
        ({"kind": "reset"}, UnreachableError),
        ({"kind": "reset", "afterBytes": 100}, TransientError),
    ],
    ids=lambda value: (
        "-".join(str(item) for item in value.values())[:30] if isinstance(value, dict) else value.__name__
    ),
)
async def test_each_fault_is_its_error_and_passes(api: Api, fault: dict[str, Any], error: type[XeroError]) -> None:
    """The faulty call fails as typed; the next one, on whatever connection, is good."""
    await api.send(PAGE)
    await api.talk.faults({"operation": "list", "times": 1, "fault": fault})

    with pytest.raises(error):
        await api.send(PAGE)

    assert await api.talk.fired() == [1]
    assert len((await api.send(PAGE)).records) == 20
    assert len(api.records) == 3


@pytest.mark.parametrize(
    "fault",
    [{"kind": "latency", "ms": 60_000}, {"kind": "drip", "chunkBytes": 16, "everyMs": 50}],
    ids=["latency", "drip"],
)
async def test_a_call_that_takes_too_long_ends_at_its_deadline(
    monkeypatch: pytest.MonkeyPatch, begin: Begin, fault: dict[str, Any]
) -> None:
    """After its ten seconds and before the minute or more the answer takes; the next call is good."""
    api = await begin(timeout=10)
    await api.send(PAGE)
    await api.talk.faults({"operation": "list", "times": 1, "fault": fault})
    clock = LoopClock(monkeypatch)

    begun = clock.time()
    call = asyncio.create_task(api.send(PAGE))
    while not call.done() and await api.talk.fired() != [1]:
        pass  # not there yet: no time may pass before the simulator has the request
    await clock.hurry(call)

    with pytest.raises(TimedOutError):
        await call
    assert 10 <= clock.time() - begun < 60
    assert await api.talk.fired() == [1]
    assert len((await api.send(PAGE)).records) == 20
    assert len(api.records) == 3


@pytest.mark.parametrize(
    ("problem", "retry_after", "kind"),
    [
        ("minute", 17, LimitKind.MINUTE),
        ("day", 66_975, LimitKind.DAY),
        ("appminute", None, LimitKind.APP),
        ("concurrent", None, LimitKind.CONCURRENT),
    ],
)
async def test_each_limit_is_known(api: Api, problem: str, retry_after: int | None, kind: LimitKind) -> None:
    """Which limit, and how long to wait where Xero says so."""
    fault = {"kind": "rate_limit", "problem": problem, "retryAfter": retry_after}
    await api.talk.faults({"operation": "list", "times": 1, "fault": fault})

    with pytest.raises(RateLimitedError) as caught:
        await api.send(PAGE)

    assert caught.value.limit is kind
    assert caught.value.meta.retry_after == retry_after


async def test_a_lying_date_does_not_hurt(api: Api) -> None:
    """One answer whose Date is an hour off, then right ones: the bound is near the truth again."""
    await api.send(PAGE)
    await api.talk.faults({"operation": "list", "times": 1, "fault": {"kind": "date", "offsetSeconds": 3600}})
    await api.send(PAGE)
    await api.send(PAGE)

    answer = await api.send(PAGE)

    assert answer.timing is not None
    assert abs(answer.timing.server_sent_at - datetime.now(UTC)) < timedelta(seconds=3)


async def test_fifty_calls_at_the_start_fetch_one_token(begin: Begin) -> None:
    """Nobody has a token; one refresh serves all."""
    api = await begin(tenants=12)

    tenants = [TenantId(tenant) for tenant in api.talk.tenants]
    await asyncio.gather(*(api.send(PAGE, tenant=tenant) for tenant in tenants for _ in range(4)))

    report = await api.talk.control("GET", "/calls")
    assert report["tenantless"]["token"] == 1
    assert report["refusedEarned"] == {}


async def test_an_expired_token_is_replaced_during_the_call(api: Api) -> None:
    """The simulator's clock runs ahead: 401, a new token, the answer; twice told."""
    await api.send(PAGE)
    api.store.row.tokens = replace(api.store.row.tokens, refreshed_at=datetime.now(UTC) - timedelta(minutes=5))
    api.tokens.forget(GRANT)
    await api.talk.ahead(1_900)

    answer = await api.send(PAGE)

    assert len(answer.records) == 20
    assert [record.status for record in api.records] == [200, 401, 200]


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 502, "handled": True},
        {"kind": "reset", "handled": True},
        {"kind": "truncate", "fraction": 0.5},
    ],
    ids=["502", "reset", "truncated"],
)
async def test_a_lost_refresh_is_repeated_with_the_old_token(api: Api, fault: dict[str, Any]) -> None:
    """The rotation happened and its answer got lost: within the grace the old token gets another set."""
    await api.talk.faults({"operation": "token", "times": 1, "fault": fault})

    with pytest.raises(TransientError):
        await api.send(PAGE)

    assert len((await api.send(PAGE)).records) == 20
    assert api.store.row.dead is None


async def test_a_withdrawn_grant(api: Api) -> None:
    """invalid_grant: marked once; later calls don't ask again."""
    await api.talk.faults({"operation": "token", "fault": {"kind": "token_error", "error": "invalid_grant"}})

    for _ in range(3):
        with pytest.raises(ReauthoriseError):
            await api.send(PAGE)

    assert await api.talk.fired() == [1]
    assert api.store.row.dead is not None


async def test_a_refused_app(api: Api) -> None:
    """A wrong secret stops the app and condemns no grant."""
    await api.talk.faults(
        {"operation": "token", "times": 1, "fault": {"kind": "token_error", "error": "invalid_client"}}
    )

    with pytest.raises(ClientConfigError):
        await api.send(PAGE)

    assert api.store.row.dead is None
    await api.send(PAGE)


async def test_an_organisation_that_is_not_connected(api: Api) -> None:
    """403: the tenant, not the token. Xero does not list it."""
    other = TenantId("00000000-0000-4000-8000-000000000000")
    with pytest.raises(ForbiddenError):
        await api.send(PAGE, tenant=other)

    assert not await api.client.reaches(DEFAULT_APP, other, priority=Priority.POLL)
    assert await api.client.reaches(DEFAULT_APP, api.tenant, priority=Priority.POLL)


async def test_a_custom_connection(begin: Begin) -> None:
    """Client credentials, the same path."""
    api = await begin(kind="client_credentials")

    assert len((await api.send(PAGE)).records) == 20
    assert api.store.row.tokens.refresh_token is None
