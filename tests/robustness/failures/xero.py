"""Xero misbehaves: its API, its limits, its clock, its tokens, its webhooks. Every planned fault is seen to happen."""

import asyncio
import signal
import time
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any
from urllib.parse import urlencode

from tests.robustness.experiment import Experiment
from tests.robustness.failures.failure import Failure
from tests.support.stack import Stack

HAPPENS_SECONDS = 40.0
OUTAGE_SECONDS = 10.0
HOUR = 3_600
MOST_HOURS = 12
TOKEN_LIFE = 1_801
"""Seconds after which every access token has ended."""

_API = ["list", "get"]


async def _fired(stack: Stack, names: Iterable[str], least: int) -> bool:
    """Whether each rule struck often enough, or as often as it can."""
    rules = {rule.get("name"): rule for rule in (await stack.control("GET", "/faults"))["rules"]}
    return all(rules[name]["fired"] >= min(least, rules[name].get("times", least)) for name in names)


async def _happen(
    experiment: Experiment, *rules: Mapping[str, Any], least: int, seconds: float = 0.0, within: float = HAPPENS_SECONDS
) -> None:
    """Have rules in force until each struck often enough, and for so long at least; then take them away again."""
    stack, named = experiment.stack, [{"name": f"xero-{number}", **rule} for number, rule in enumerate(rules)]
    names = [rule["name"] for rule in named]
    await stack.plan_faults(*named)
    try:
        await asyncio.sleep(seconds)
        await stack.until(lambda: _fired(stack, names, least), within, f"Xero's faults to happen: {rules}")
    finally:
        await stack.control("DELETE", f"/faults?{urlencode([('name', name) for name in names])}")


async def answers(experiment: Experiment, *, rate: float, least: int, **fault: Any) -> None:
    """A share of the API's answers is spoiled."""
    await _happen(experiment, {"operation": _API, "rate": rate, "fault": fault}, least=least)


async def some_answers(experiment: Experiment, *, times: int, lasts: float = 0.0, **fault: Any) -> None:
    """So many of the API's answers are spoiled, which is felt for that many seconds."""
    await _happen(experiment, {"operation": _API, "times": times, "fault": fault}, least=times)
    await asyncio.sleep(lasts)


async def webhooks(experiment: Experiment, *, rate: float, least: int, **fault: Any) -> None:
    """A share of the webhook events is spoiled; all have arrived in the end."""
    await _happen(experiment, {"operation": "webhook", "rate": rate, "fault": fault}, least=least)


async def _tokens_grow_old(stack: Stack) -> None:
    """A 401 to a token of the last minute is not worth a refresh: let them be older."""
    await stack.fetch("UPDATE grants SET refreshed_at = refreshed_at - interval '2 minutes'")


async def _an_hour_later(stack: Stack) -> None:
    """Xero's clock is put an hour ahead, until it is half a day ahead of ours.

    In hours of a soak the hours add up, and a day ahead no event's date is believed: see ``docs/guarantees.md``.
    """
    clock = await stack.control("GET", "/clock")
    if clock["nowMs"] / 1000 - time.time() < MOST_HOURS * HOUR:
        await stack.control("PUT", "/clock", {"aheadSeconds": HOUR})


async def webhooks_dropped(experiment: Experiment) -> None:
    """Events are never delivered; what they were about is read again once their numbers are missed."""
    stack = experiment.stack

    async def sent() -> int:
        (delivery,) = (await stack.control("GET", "/webhooks?limit=1"))["deliveries"]
        return int(delivery["lastEventSequence"])

    async def one_more() -> bool:
        return await sent() > last

    async def healed() -> bool:
        rows = await stack.fetch("SELECT settled, lost_since FROM sequences")
        return bool(rows) and all(row["settled"] > last and row["lost_since"] is None for row in rows)

    # One event a delivery: an event missing inside one leaves no gap.
    await stack.control("PUT", "/webhooks", {"batchEvents": 1})
    try:
        await _happen(experiment, {"operation": "webhook", "rate": 0.3, "fault": {"kind": "drop"}}, least=5)
        last = await sent()
        await stack.until(one_more, HAPPENS_SECONDS, "an event after the lost ones")
        await stack.until(healed, HAPPENS_SECONDS, "the lost events to be missed, and their records read again")
    finally:
        await stack.control("PUT", "/webhooks", {"batchEvents": 100})


async def clock_jumps(experiment: Experiment, *, fresh_tokens: bool) -> None:
    """Xero's clock is an hour ahead from now on: its dates, its stamps, the ends of its tokens."""
    if not fresh_tokens:
        await _tokens_grow_old(experiment.stack)
    await _an_hour_later(experiment.stack)


async def outage(experiment: Experiment, *, status: int) -> None:
    """Nothing is answered, no webhook comes; an hour later by Xero's clock all is back, and what happened is told."""
    stack = experiment.stack
    await _tokens_grow_old(stack)

    async def an_hour_passes() -> None:
        await asyncio.sleep(OUTAGE_SECONDS / 2)
        await _an_hour_later(stack)

    await asyncio.gather(
        an_hour_passes(),
        _happen(
            experiment,
            {"operation": _API, "fault": {"kind": "status", "status": status}},
            {"operation": "webhook", "fault": {"kind": "delay", "ms": OUTAGE_SECONDS * 1000}},
            least=3,
            seconds=OUTAGE_SECONDS,
        ),
    )


async def frozen(experiment: Experiment) -> None:
    """All of Xero stands still with every request under way, then goes on."""
    process = experiment.stack.processes["simulator"]
    process.signal(signal.SIGSTOP)
    try:
        await asyncio.sleep(OUTAGE_SECONDS)
    finally:
        process.signal(signal.SIGCONT)


async def identity_down(experiment: Experiment, **fault: Any) -> None:
    """Every token has ended, and for a while no new one is to be had."""
    await _tokens_grow_old(experiment.stack)
    await experiment.stack.control("PUT", "/clock", {"aheadSeconds": TOKEN_LIFE})
    await _happen(experiment, {"operation": "token", "fault": fault}, least=2, seconds=5)


async def grant_refused_once(experiment: Experiment) -> None:
    """A refresh token is refused although it is good: the one before it still serves, and nobody has to consent again."""
    stack = experiment.stack

    async def version() -> int:
        (row,) = await stack.fetch("SELECT sum(version) AS version FROM grants")
        return int(row["version"])

    before = await version()
    await _tokens_grow_old(stack)
    await stack.control("PUT", "/clock", {"aheadSeconds": TOKEN_LIFE})

    async def renewed() -> bool:
        return await version() > before

    await stack.until(renewed, HAPPENS_SECONDS, "the tokens to be renewed")
    await experiment.working(HAPPENS_SECONDS)  # with the new tokens: the next 401 is not about the old ones
    await _tokens_grow_old(stack)
    await _happen(
        experiment,
        {"operation": _API, "times": 1, "fault": {"kind": "status", "status": 401}},
        {"operation": "token", "times": 1, "fault": {"kind": "token_error", "error": "invalid_grant"}},
        least=1,
    )


def _limited(name: str, *, problem: str, slow: bool = False, **fault: Any) -> Failure:
    """429s of a kind; slow: followed by the longest wait for a minute's limit, which is two."""
    return Failure(
        name=name,
        inject=partial(
            some_answers,
            times=1 if slow else 6,  # once is enough: after the app's minute was refused, nobody calls
            lasts=121 if slow else 0,
            kind="rate_limit",
            problem=problem,
            **fault,
        ),
        recovers=30,
        soak_only=slow,
    )


FAILURES = (
    Failure(name="xero-errors", inject=partial(answers, rate=0.1, least=5, kind="status", status=500)),
    Failure(name="xero-never-answers", inject=partial(answers, rate=0.1, least=4, kind="hang"), recovers=60),
    Failure(name="xero-truncates", inject=partial(answers, rate=0.3, least=5, kind="truncate", fraction=0.7)),
    Failure(name="xero-drips", inject=partial(answers, rate=0.3, least=5, kind="drip", chunkBytes=128, everyMs=80)),
    Failure(name="xero-cuts", inject=partial(answers, rate=0.2, least=5, kind="reset", afterBytes=100)),
    Failure(name="xero-not-found", inject=partial(answers, rate=0.2, least=5, kind="status", status=404)),
    Failure(
        name="xero-sends-a-web-page",
        inject=partial(answers, rate=0.2, least=5, kind="status", status=200, body="<html>", contentType="text/html"),
    ),
    Failure(name="xero-stale", inject=partial(answers, rate=0.3, least=5, kind="stale", seconds=3)),
    _limited("xero-limits-minute", problem="minute", retryAfter=2),
    _limited("xero-limits-day", problem="day", retryAfter=4),
    _limited("xero-limits-concurrent", problem="concurrent"),
    _limited("xero-limits-app-minute", problem="appminute", slow=True),
    _limited("xero-retry-after-zero", problem="minute", retryAfter=0),
    _limited("xero-retry-after-past", problem="minute", retryAfter="Thu, 01 Jan 1970 00:00:00 GMT"),
    _limited("xero-retry-after-absent", problem="minute", slow=True),
    _limited("xero-retry-after-negative", problem="minute", slow=True, retryAfter="-5"),
    _limited("xero-retry-after-words", problem="minute", slow=True, retryAfter="soon"),
    _limited("xero-retry-after-huge", problem="minute", slow=True, retryAfter=999_999_999),
    Failure(name="xero-date-ahead", inject=partial(answers, rate=1, least=20, kind="date", offsetSeconds=HOUR)),
    Failure(name="xero-date-behind", inject=partial(answers, rate=1, least=20, kind="date", offsetSeconds=-HOUR)),
    Failure(name="xero-date-flickers", inject=partial(answers, rate=0.5, least=20, kind="date", offsetSeconds=HOUR)),
    Failure(name="xero-clock-jumps", inject=partial(clock_jumps, fresh_tokens=False), recovers=30),
    Failure(
        name="xero-clock-jumps-at-once", inject=partial(clock_jumps, fresh_tokens=True), recovers=120, soak_only=True
    ),
    Failure(name="xero-refuses-tokens", inject=partial(some_answers, times=6, kind="status", status=401), recovers=60),
    Failure(name="xero-refuses-grant-once", inject=grant_refused_once, recovers=30),
    Failure(name="xero-identity-errors", inject=partial(identity_down, kind="status", status=503), recovers=40),
    Failure(name="xero-identity-never-answers", inject=partial(identity_down, kind="hang"), recovers=60),
    Failure(name="xero-identity-loses-answers", inject=partial(identity_down, kind="reset"), recovers=40),
    Failure(name="xero-offline", inject=partial(outage, status=503), recovers=60),
    Failure(name="xero-broken", inject=partial(outage, status=500), recovers=40),
    Failure(name="xero-frozen", inject=frozen, recovers=40),
    Failure(name="webhooks-duplicated", inject=partial(webhooks, rate=0.5, least=20, kind="duplicate", copies=3)),
    Failure(name="webhooks-reordered", inject=partial(webhooks, rate=0.5, least=20, kind="reorder", places=10)),
    Failure(name="webhooks-delayed", inject=partial(webhooks, rate=0.5, least=20, kind="delay", jitterMs=4000)),
    Failure(name="webhooks-dropped", inject=webhooks_dropped),
    Failure(
        name="webhooks-replayed", inject=partial(webhooks, rate=1, least=40, kind="duplicate", copies=5, afterMs=5000)
    ),
)
