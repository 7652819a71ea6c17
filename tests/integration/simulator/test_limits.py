"""The four limits over HTTP, and what was counted."""

import asyncio

from tests.integration.simulator.conftest import Start
from tests.integration.simulator.rig import Talk
from tests.support.unconfirmed import unconfirmed


async def test_the_61st_call_of_a_minute_is_refused(talk: Talk) -> None:
    """With the limit's name and when to come back; the other tenant isn't touched; later it works again."""
    await talk.control("PUT", "/clock", {"rate": 0})

    answers = [await talk.get("Invoices", page="1", pageSize="1") for _ in range(61)]
    other = await talk.get("Invoices", talk.tenants[1], page="1", pageSize="1")
    refused = answers[60]
    report = await talk.control("GET", "/calls")
    await talk.ahead(int(refused.headers["retry-after"]))
    later = await talk.get("Invoices", page="1", pageSize="1")

    assert [answer.status_code for answer in answers[:60]] == [200] * 60
    assert (refused.status_code, refused.headers["x-rate-limit-problem"], refused.content) == (429, "minute", b"")
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.headers["x-minlimit-remaining"] == "0"
    assert (other.status_code, later.status_code) == (200, 200)
    assert report["tenants"][talk.tenants[0]]["refusedEarned"] == {"minute": 1}
    assert report["mostInSlidingMinute"] == 61
    assert report["refusedForced"] == {}


async def test_a_day_that_is_over_says_in_how_many_seconds_the_next_begins(talk: Talk) -> None:
    """To order, with the figure seen in the field."""
    tenant = talk.tenants[0]
    await talk.control("PUT", "/clock", {"rate": 0})
    await talk.control("PUT", "/limits", {"tenantId": tenant, "dayRemaining": 0, "dayResetSeconds": 66_975})

    refused = await talk.get("Invoices", page="1")
    other = await talk.get("Invoices", talk.tenants[1], page="1")
    await talk.ahead(66_975)
    await talk.refresh()
    later = await talk.get("Invoices", page="1")

    assert (refused.status_code, refused.headers["x-rate-limit-problem"]) == (429, "day")
    assert (refused.headers["retry-after"], refused.headers["x-daylimit-remaining"]) == ("66975", "0")
    assert (other.status_code, later.status_code) == (200, 200)


async def test_the_tier_sets_the_day(start: Start) -> None:
    """1,000 for starter, 5,000 for the others."""
    for tier, left in (("starter", "999"), ("core", "4999")):
        talk = (await start(tier=tier)).talk
        await talk.connect()
        assert (await talk.get("Invoices", page="1")).headers["x-daylimit-remaining"] == left


async def test_large_tiers_lift_minute_and_day_for_a_new_connection(start: Start) -> None:
    """For half an hour by the simulator's clock; such calls are counted, and connecting again is nothing new."""
    talk = (await start(tier="plus", clock_rate=0)).talk
    await talk.connect()
    tenant = talk.tenants[0]
    await talk.control("PUT", "/limits", {"minute": 2, "day": 3})

    new = [await talk.get("Users") for _ in range(5)]
    shown = (await talk.control("GET", "/limits"))["tenants"][0]
    await talk.ahead(1799)
    last = await talk.get("Users")
    await talk.ahead(1)
    await talk.refresh()
    old = [await talk.get("Users") for _ in range(3)]
    counted = await talk.control("GET", "/calls")

    assert [one.status_code for one in (*new, last, *old)] == [200] * 8 + [429]
    assert {one.headers["x-daylimit-remaining"] for one in (*new, last)} == {"3"}
    assert (shown["rapidSyncSeconds"], shown["rapidSyncSecondsLeft"]) == (1800, 1800)
    assert counted["rapidSync"] == counted["tenants"][tenant]["rapidSync"] == 6
    assert counted["tenants"][tenant]["endpoints"]["Users"]["rapidSync"] == 6


async def test_rapid_sync_can_be_set(start: Start) -> None:
    """As every limit; core has none by itself."""
    talk = (await start(tier="core", clock_rate=0)).talk
    await talk.connect()
    await talk.control("PUT", "/limits", {"minute": 1})
    limited = [(await talk.get("Users")).status_code for _ in range(2)]

    await talk.control("PUT", "/limits", {"rapidSyncSeconds": 60})
    lifted = (await talk.get("Users")).status_code
    await talk.control("PUT", "/limits", {"rapidSyncSeconds": 0})

    assert (limited, lifted, (await talk.get("Users")).status_code) == ([200, 429], 200, 429)


@unconfirmed("answers to writes are egress")
async def test_bytes_are_counted_as_xero_bills_them(talk: Talk) -> None:
    """Whole bodies, by tenant and endpoint; the organisation's own record is free."""
    contact = (await talk.truth("Contacts"))[0]["ContactID"]
    read = await talk.get("Invoices", page="1")
    note = await talk.http.put(
        f"/api.xro/2.0/Contacts/{contact}/History",
        json={"HistoryRecords": [{"Details": "x"}]},
        headers=talk.headers(),
    )
    own = await talk.get("Organisation")

    counted = await talk.control("GET", "/calls")

    tenant = counted["tenants"][talk.tenants[0]]
    assert note.status_code == 200
    assert tenant["endpoints"]["Invoices"]["bytes"] == len(read.content) > 1000
    assert tenant["endpoints"]["Organisation"]["bytes"] == len(own.content) > 100
    assert counted["egressBytes"] == tenant["egressBytes"] == len(read.content) + len(note.content)


async def test_the_sixth_call_at_once_is_refused_without_retry_after(start: Start) -> None:
    """The five under way come through."""
    talk = (await start(api_latency_ms=1000)).talk
    await talk.connect()

    answers = await asyncio.gather(*(talk.get("Invoices", page="1", pageSize="1") for _ in range(7)))

    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [200] * 5 + [429] * 2
    refused = [answer for answer in answers if answer.status_code == 429]
    assert {answer.headers["x-rate-limit-problem"] for answer in refused} == {"concurrent"}
    assert all("retry-after" not in answer.headers for answer in refused)
    report = await talk.control("GET", "/calls")
    assert report["refusedEarned"] == {"concurrent": 2}
    assert report["mostConcurrent"] >= 6
    assert report["tenants"][talk.tenants[0]]["running"] == 0


async def test_the_apps_minute_is_shared(talk: Talk) -> None:
    """By tenants and /connections; without Retry-After."""
    await talk.control("PUT", "/clock", {"rate": 0})
    await talk.control("PUT", "/limits", {"appMinute": 3})

    answers = [await talk.get("Invoices", talk.tenants[number % 2], page="1") for number in range(4)]
    connections = await talk.http.get("/connections", headers={"Authorization": f"Bearer {talk.access_token}"})

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[3].headers["x-rate-limit-problem"] == "appminute"
    assert "retry-after" not in answers[3].headers
    assert connections.status_code == 429


async def test_another_app_has_a_minute_of_its_own(start: Start) -> None:
    """And five calls at once, and a day: limits are per app and tenant."""
    simulated = await start(clock_rate=0)
    one, other = simulated.talk, Talk(int(simulated.talk.url.rpartition(":")[2]))
    await one.connect()
    await other.connect(kind="client_credentials", tenants=[one.tenants[0]])
    await one.control("PUT", "/limits", {"appMinute": 1, "minute": 1})

    mine = [(await one.get("Invoices", page="1")).status_code for _ in range(2)]
    theirs = await other.get("Invoices", page="1")
    await other.close()

    assert mine == [200, 429]
    assert (theirs.status_code, theirs.headers["x-appminlimit-remaining"]) == (200, "0")


async def test_limits_can_be_looked_at_and_changed(talk: Talk) -> None:
    """For all tenants, or one; what was used stays used."""
    await talk.get("Invoices", page="1")
    await talk.control("PUT", "/limits", {"minute": 30, "day": 100, "concurrent": 2})
    await talk.control("PUT", "/limits", {"tenantId": talk.tenants[0], "minuteRemaining": 7})

    report = await talk.control("GET", "/limits")

    (row,) = [row for row in report["tenants"] if row["tenantId"] == talk.tenants[0]]
    assert (row["minute"], row["day"], row["concurrent"], row["minuteRemaining"]) == (30, 100, 2, 7)
    assert row["dayRemaining"] == 99
    status, refused = await talk.refused("PUT", "/limits", {"tenantId": "nope"})
    assert (status, refused["known"]) == (404, talk.tenants) or sorted(refused["known"]) == talk.tenants


async def test_counts_can_be_reset(talk: Talk) -> None:
    """Calls per tenant and endpoint, statuses, tenantless ones."""
    await talk.get("Invoices", page="1")
    await talk.get("Contacts/00000000-0000-4000-8000-000000000000")
    before = await talk.control("GET", "/calls")
    await talk.control("DELETE", "/calls")
    after = await talk.control("GET", "/calls")

    endpoints = before["tenants"][talk.tenants[0]]["endpoints"]
    assert endpoints["Invoices"]["calls"] == 1
    assert endpoints["Contacts"]["statuses"] == {"404": 1}
    assert before["tenantless"] == {"token": 1}
    assert after["calls"] == 0
