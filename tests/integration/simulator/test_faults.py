"""Every fault, seen to happen."""

import asyncio
import time
from email.utils import parsedate_to_datetime
from typing import Any
from uuid import uuid4

import httpx
import orjson
import pytest

from simulator.faults.plan import APPLIES, Operation
from tests.integration.simulator.conftest import Start
from tests.integration.simulator.rig import Talk
from tests.support.receivers import until


def rule(kind: str, operation: Any = "list", times: int | None = 1, **fault: Any) -> dict[str, Any]:
    """A rule that strikes once."""
    return {"operation": operation, "fault": {"kind": kind, **fault}} | ({"times": times} if times else {})


async def call(talk: Talk, operation: str) -> httpx.Response:
    """One request of an operation."""
    match operation:
        case "token":
            return await talk.token(grant_type="refresh_token", refresh_token=talk.refresh_token)
        case "connections":
            return await talk.http.get("/connections", headers={"Authorization": f"Bearer {talk.access_token}"})
        case "list":
            return await talk.get("Invoices", page="1", pageSize="2")
        case "write":
            contacts = {"Contacts": [{"Name": f"Written {uuid4()}"}]}
            return await talk.http.put("/api.xro/2.0/Contacts", json=contacts, headers=talk.headers())
        case _:
            truth = await talk.truth("Invoices")
            return await talk.get(f"Invoices/{truth[0]['InvoiceID']}")


ANSWERS = sorted(operation.value for operation in Operation if operation is not Operation.WEBHOOK)


@pytest.mark.parametrize("operation", ANSWERS)
async def test_latency_makes_an_answer_late(talk: Talk, operation: str) -> None:
    """By at least as much as ordered."""
    await talk.faults(rule("latency", operation, ms=300, jitterMs=50))

    started = time.monotonic()
    answer = await call(talk, operation)

    assert answer.status_code == 200
    assert time.monotonic() - started >= 0.3
    assert await talk.fired() == [1]


@pytest.mark.parametrize("operation", ANSWERS)
@pytest.mark.parametrize("status", [500, 503])
async def test_a_status_is_answered_in_xeros_words(talk: Talk, operation: str, status: int) -> None:
    """Then all is well again."""
    await talk.faults(rule("status", operation, status=status))

    struck, after = await call(talk, operation), await call(talk, operation)

    assert (struck.status_code, after.status_code) == (status, 200)
    assert "json" not in struck.headers["content-type"]
    assert await talk.fired() == [1]


async def test_a_status_can_have_its_own_body_and_headers(talk: Talk) -> None:
    """Also the problem objects of 401 and 403."""
    await talk.faults(
        rule("status", status=503, body="gone fishing", contentType="text/x", headers={"X-Extra": "1"}),
        rule("status", status=403) | {"after": 1},
        rule("status", status=412) | {"after": 2},
        rule("status", status=418) | {"after": 3},
    )

    answers = [await call(talk, "list") for _ in range(5)]

    assert [answer.status_code for answer in answers] == [503, 403, 412, 418, 200]
    assert (answers[0].text, answers[0].headers["content-type"], answers[0].headers["x-extra"]) == (
        "gone fishing",
        "text/x",
        "1",
    )
    assert answers[1].json()["Detail"] == "AuthenticationUnsuccessful"


@pytest.mark.parametrize("operation", ANSWERS)
@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ({"kind": "firewall"}, 403),
        ({"kind": "firewall", "status": 406}, 406),
        ({"kind": "proxy"}, 407),
        ({"kind": "proxy", "status": 502}, 502),
    ],
)
async def test_a_stranger_answers_in_xeros_place(
    talk: Talk, operation: str, fault: dict[str, Any], status: int
) -> None:
    """A page in HTML without a header of Xero's; nothing happens, and Xero counts no call."""
    await talk.faults(rule(operation=operation, times=1, **fault))
    before = (await talk.control("GET", "/calls"))["tenants"]

    struck = await call(talk, operation)
    after_stranger = (await talk.control("GET", "/calls"))["tenants"]
    after = await call(talk, operation)

    assert (struck.status_code, struck.headers["content-type"], after.status_code) == (status, "text/html", 200)
    assert not [name for name in struck.headers if name.startswith(("xero-", "x-")) or name == "retry-after"]
    assert ("proxy-authenticate" in struck.headers) is (status == 407)
    assert {name: one["calls"] for name, one in after_stranger.items()} == {
        name: one["calls"] for name, one in before.items()
    }
    assert await talk.fired() == [1]


@pytest.mark.parametrize("operation", ["get", "list", "write"])
@pytest.mark.parametrize(("kind", "status"), [("role_missing", 403), ("scope_missing", 401)])
async def test_a_missing_role_or_scope_is_told_by_xero(talk: Talk, operation: str, kind: str, status: int) -> None:
    """Its problem object, its headers; the organisation stays connected."""
    await talk.faults(rule(kind, operation))

    struck, after = await call(talk, operation), await call(talk, operation)
    connections = await call(talk, "connections")

    assert (struck.status_code, struck.json()["Status"], after.status_code) == (status, status, 200)
    assert struck.json()["Detail"] == "AuthorizationUnsuccessful"
    assert struck.headers["xero-correlation-id"]
    assert talk.tenants[0] in {row["tenantId"] for row in connections.json()}


async def test_an_organisation_is_disconnected_in_xero(start: Start) -> None:
    """403 with Xero's marks, and gone from the connections; the others and the tokens stay."""
    talk = (await start(tenants=2)).talk
    await talk.connect()
    (grant,) = (await talk.control("GET", "/grants"))["grants"]
    gone, stays = talk.tenants[:2]

    await talk.control("DELETE", f"/grants/{grant['id']}/tenants/{gone}")

    refused = await talk.get("Invoices", tenant=gone)
    assert (refused.status_code, refused.json()["Detail"]) == (403, "AuthenticationUnsuccessful")
    assert (await talk.get("Invoices", tenant=stays)).status_code == 200
    assert [row["tenantId"] for row in (await call(talk, "connections")).json()] == [stays]
    status, _ = await talk.refused("DELETE", f"/grants/{grant['id']}/tenants/{gone}")
    assert status == 404


@pytest.mark.parametrize("operation", ANSWERS)
async def test_a_truncated_answer_is_whole_http_and_broken_json(talk: Talk, operation: str) -> None:
    """The length agrees, the document doesn't."""
    await talk.faults(rule("truncate", operation, fraction=0.5))

    answer = await call(talk, operation)

    assert (answer.status_code, answer.num_bytes_downloaded) == (200, int(answer.headers["content-length"]))
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(answer.content)
    assert await talk.fired() == [1]


@pytest.mark.parametrize("operation", ANSWERS)
async def test_a_dripping_answer_comes_bit_by_bit(talk: Talk, operation: str) -> None:
    """Whole in the end, and slow."""
    await talk.faults(rule("drip", operation, chunkBytes=400, everyMs=60))

    started = time.monotonic()
    answer = await call(talk, operation)

    assert time.monotonic() - started >= 0.05
    assert answer.json()
    assert await talk.fired() == [1]


@pytest.mark.parametrize("operation", ANSWERS)
async def test_a_connection_is_reset(talk: Talk, operation: str) -> None:
    """Before any answer."""
    await talk.faults(rule("reset", operation))

    with pytest.raises(httpx.TransportError):
        await call(talk, operation)

    assert await talk.fired() == [1]


@pytest.mark.parametrize("operation", ANSWERS)
async def test_a_connection_is_cut_in_the_middle_of_a_body(talk: Talk, operation: str) -> None:
    """The client has begun to read."""
    await talk.faults(rule("reset", operation, afterBytes=20))

    with pytest.raises(httpx.TransportError):
        await call(talk, operation)

    assert await talk.fired() == [1]


@pytest.mark.parametrize("operation", ANSWERS)
async def test_an_answer_never_comes(talk: Talk, operation: str) -> None:
    """Nothing until the client gives up, then the call is over at once: its slot is free again."""
    await talk.faults(rule("hang", operation))

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(call(talk, operation), 0.4)

    assert await talk.fired() == [1]

    async def idle() -> bool:
        return not any(tenant["running"] for tenant in (await talk.control("GET", "/limits"))["tenants"])

    await until(idle, "the call to be over", within=5)
    assert (await call(talk, operation)).status_code == 200


async def test_an_answer_that_never_comes_ends_some_time(talk: Talk) -> None:
    """With the connection cut, for clients that wait indefinitely."""
    await talk.faults(rule("hang", "list", seconds=0.2))

    with pytest.raises(httpx.TransportError):
        await call(talk, "list")


async def test_a_lost_token_answer_has_rotated_all_the_same(talk: Talk) -> None:
    """Unknown outcome: the old token still works, within its grace; an unhandled one has not rotated."""
    await talk.faults(rule("reset", "token"), rule("status", "token", status=500, handled=True) | {"after": 1})

    with pytest.raises(httpx.TransportError):
        await call(talk, "token")
    lost = await call(talk, "token")
    again = await call(talk, "token")

    (grant,) = (await talk.control("GET", "/grants"))["grants"]
    assert (lost.status_code, again.status_code) == (500, 200)
    assert (grant["refreshes"], grant["graceRefreshes"]) == (2, 2)

    await talk.faults(rule("reset", "token", handled=False), rule("status", "token", status=500) | {"after": 1})
    talk.refresh_token = again.json()["refresh_token"]
    with pytest.raises(httpx.TransportError):
        await call(talk, "token")
    await call(talk, "token")
    (unchanged,) = (await talk.control("GET", "/grants"))["grants"]
    assert unchanged["refreshes"] == 2


async def test_stale_reads_answer_from_before_the_edit(talk: Talk) -> None:
    """Lists and single reads; the truth is ahead; with the rule gone they agree."""
    truth = await talk.truth("Invoices")
    (edit,) = await talk.edit(tenantId=talk.tenants[0], endpoint="Invoices", kind="pay")
    await talk.faults(rule("stale", ["list", "get"], times=2, seconds=60))

    single = (await talk.get(f"Invoices/{edit['id']}", unitdp="4")).json()["Invoices"][0]
    listed = await talk.rows("Invoices", page="1", pageSize="1000")
    fresh = (await talk.get(f"Invoices/{edit['id']}", unitdp="4")).json()["Invoices"][0]

    assert single == next(row for row in truth if row["InvoiceID"] == edit["id"])
    assert [row["InvoiceID"] for row in listed] == [row["InvoiceID"] for row in truth]
    assert fresh["AmountPaid"] > single["AmountPaid"]
    assert await talk.fired() == [2]


@pytest.mark.parametrize(
    ("problem", "retry_after"),
    [("minute", 17), ("day", 66_975), ("concurrent", None), ("appminute", None), ("minute", "-5"), ("day", "later")],
)
async def test_429s_to_order_count_as_forced(talk: Talk, problem: str, retry_after: int | str | None) -> None:
    """With a Retry-After of choice, sense or nonsense, using nothing up."""
    more: dict[str, Any] = {} if retry_after is None else {"retryAfter": retry_after}
    await talk.faults(rule("rate_limit", problem=problem, **more))

    struck, after = await call(talk, "list"), await call(talk, "list")

    assert (struck.status_code, struck.headers["x-rate-limit-problem"]) == (429, problem)
    assert struck.headers.get("retry-after") == (None if retry_after is None else str(retry_after))
    assert after.headers["x-daylimit-remaining"] == "4999"
    report = await talk.control("GET", "/calls")
    assert (report["refusedForced"], report["refusedEarned"]) == ({problem: 1}, {})
    assert await talk.fired() == [1]


@pytest.mark.parametrize("operation", ["token", "connections"])
async def test_429s_of_the_tenantless_calls(talk: Talk, operation: str) -> None:
    """Retry-After as ordered."""
    await talk.faults(rule("rate_limit", operation, problem="appminute", retryAfter=3))

    answer = await call(talk, operation)

    assert (answer.status_code, answer.headers["retry-after"]) == (429, "3")


@pytest.mark.parametrize("operation", ANSWERS)
async def test_the_date_header_can_lie(talk: Talk, operation: str) -> None:
    """By as much as ordered, either way."""
    await talk.faults(rule("date", operation, offsetSeconds=-3600))

    struck, after = await call(talk, operation), await call(talk, operation)

    times = [parsedate_to_datetime(answer.headers["date"]) for answer in (struck, after)]
    assert 3590 <= (times[1] - times[0]).total_seconds() <= 3610
    assert await talk.fired() == [1]


@pytest.mark.parametrize("error", ["invalid_grant", "invalid_client", "unauthorized_client", "server_error"])
async def test_tokens_are_refused_in_oauths_words(talk: Talk, error: str) -> None:
    """And nothing rotates."""
    await talk.faults(rule("token_error", "token", error=error))

    struck, after = await call(talk, "token"), await call(talk, "token")

    assert (struck.status_code, struck.json()) == (500 if error == "server_error" else 400, {"error": error})
    assert after.status_code == 200
    assert await talk.fired() == [1]


async def test_rules_are_for_a_tenant_and_an_endpoint(talk: Talk) -> None:
    """Others are spared."""
    await talk.faults(rule("status", times=None, status=500) | {"tenantId": talk.tenants[0], "endpoint": "Contacts"})

    statuses = [
        (await talk.get(endpoint, tenant, page="1")).status_code
        for tenant in talk.tenants
        for endpoint in ("Contacts", "Invoices")
    ]

    assert statuses == [500, 200, 200, 200]


async def test_a_rule_that_could_never_fire_is_refused(talk: Talk) -> None:
    """An endpoint or a tenant nobody knows; those there are are listed, and the plan in force stays. Letter case is free."""
    always = rule("status", times=None, status=500)
    await talk.faults(always | {"tenantId": talk.tenants[0].upper(), "endpoint": "contacts"})

    endpoint = await talk.refused("PUT", "/faults", {"rules": [always, always | {"endpoint": "Invoice"}]})
    tenant = await talk.refused("POST", "/faults", {"rules": [always, always | {"tenantId": str(uuid4())}]})

    assert (endpoint[0], "no endpoint Invoice" in endpoint[1]["error"]) == (400, True)
    assert "Invoices" in endpoint[1]["known"]["endpoints"]
    assert (tenant[0], tenant[1]["known"]) == (404, talk.tenants)
    assert (await talk.get("Contacts")).status_code == 500
    assert await talk.fired() == [1]


async def test_a_struck_call_still_uses_its_slot_and_quota(talk: Talk) -> None:
    """A slow answer is one of five; an error counts for the minute."""
    await talk.control("PUT", "/clock", {"rate": 0})  # or the minute may turn
    await talk.faults(rule("latency", times=5, ms=800), rule("status", times=5, status=503))

    answers = await asyncio.gather(*(call(talk, "list") for _ in range(6)))

    assert sorted(answer.status_code for answer in answers) == [429] + [503] * 5
    left = (await call(talk, "list")).headers["x-minlimit-remaining"]
    assert int(left) <= 54


async def test_a_rule_is_taken_away_by_its_name(talk: Talk) -> None:
    """The others stay, with their counts; an unknown name is refused with those there are."""
    await talk.faults(
        rule("status", times=None, status=500) | {"name": "one"}, rule("date", offsetSeconds=5) | {"name": "two"}
    )
    await call(talk, "list")

    status, answer = await talk.refused("DELETE", "/faults?name=one&name=three")
    await talk.control("DELETE", "/faults?name=one")

    assert (status, answer["known"]) == (404, ["one", "two"])
    assert [(one["name"], one["fired"]) for one in (await talk.control("GET", "/faults"))["rules"]] == [("two", 1)]
    assert (await call(talk, "list")).status_code == 200


async def test_the_plan_is_shown_extended_and_cleared(talk: Talk) -> None:
    """PUT replaces, POST adds, DELETE clears."""
    await talk.faults(rule("status", status=500))
    await talk.control("POST", "/faults", {"rules": [rule("status", status=503)]})
    await call(talk, "list")
    plan = await talk.control("GET", "/faults")
    await talk.control("DELETE", "/faults")

    assert [one["completed"] for one in plan["rules"]] == [True, True]
    assert [one["matched"] for one in plan["rules"]] == [1, 1]
    assert (await talk.control("GET", "/faults"))["rules"] == []
    assert (await call(talk, "list")).status_code == 200


async def test_unknown_words_are_refused_with_the_known_ones(talk: Talk) -> None:
    """Operations and kinds; broken JSON too."""
    status, answer = await talk.refused("PUT", "/faults", {"rules": [rule("explode")]})
    broken = await talk.http.put("/_sim/faults", content=b"{", headers={"Content-Type": "application/json"})

    assert status == 400
    assert set(answer["known"]["kinds"]) == set(APPLIES)
    assert answer["known"]["operations"] == [operation.value for operation in Operation]
    assert broken.status_code == 400
