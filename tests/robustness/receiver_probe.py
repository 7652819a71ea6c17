"""Webhooks of our own, to see what the receiver answers while something else is broken."""

import asyncio
import contextlib
import itertools
import time
import uuid
from collections.abc import AsyncIterator

import orjson

from tests.robustness.experiment import Experiment
from tests.support.receivers import Line, Sent

EVERY_SECONDS = 0.1
XERO_WAITS_SECONDS = 5.0


def harmless(tenant: str) -> bytes:
    """A delivery whose event is logged like any other and then asks for nothing: its category has no records.

    Args:
        tenant: whose; it decides the partition.
    """
    event = {
        "tenantId": tenant,
        "resourceId": str(uuid.uuid4()),
        "eventCategory": "SUBSCRIPTION",
        "eventType": "UPDATE",
        "eventDateUtc": "2026-11-22T01:15:39.902",
    }
    return orjson.dumps(
        {"events": [event], "firstEventSequence": 1, "lastEventSequence": 1, "entropy": uuid.uuid4().hex}
    )


@contextlib.asynccontextmanager
async def webhooks(experiment: Experiment) -> AsyncIterator[Sent]:
    """Send a webhook every tenth of a second, to each partition in turn, while the block runs."""
    sent = Sent()
    line = Line(experiment.stack.receiver_port)

    async def send() -> None:
        for tenant in itertools.cycle(experiment.one_tenant_each()):
            await sent.send(line, harmless(tenant))
            await asyncio.sleep(EVERY_SECONDS)

    task = asyncio.create_task(send())
    try:
        yield sent
    finally:
        task.cancel()
        await asyncio.wait([task])
        line.close()


@contextlib.asynccontextmanager
async def answered_in_time(experiment: Experiment) -> AsyncIterator[Sent]:
    """Whatever happens in the block, every webhook is answered before Xero stops waiting, be it with 503.

    Raises:
        AssertionError: one was not.
    """
    async with webhooks(experiment) as sent:
        yield sent
    assert not sent.lost, f"{sent.lost} webhooks got no answer"
    assert sent.slowest < XERO_WAITS_SECONDS, f"a webhook was answered after {sent.slowest:.1f} s"


@contextlib.asynccontextmanager
async def unnoticed(experiment: Experiment, *, within: float = 2.0) -> AsyncIterator[None]:
    """What happens in the block is nothing to the receiver: every webhook is answered 200, and soon.

    Args:
        experiment: the system.
        within: seconds for the slowest answer; of a machine that is busy with much else.

    Raises:
        AssertionError: one was not.
    """
    began = time.monotonic()
    async with answered_in_time(experiment) as sent:
        yield
    least = max(1.0, time.monotonic() - began)  # one a second: a tenth of what was tried
    assert set(sent.statuses) == {200}, f"the receiver noticed: {sent.statuses}"
    assert sent.slowest < within, f"a webhook was answered after {sent.slowest:.1f} s"
    assert sent.statuses[200] >= least, f"only {sent.statuses[200]} webhooks were sent: too few to prove anything"


async def answers_again(experiment: Experiment, within: float) -> float:
    """Wait until a webhook of every partition is answered 200; answers after how many seconds.

    Raises:
        AssertionError: that took longer.
    """
    began = time.monotonic()
    waiting = experiment.one_tenant_each()
    line = Line(experiment.stack.receiver_port)
    last: object = None
    try:
        while waiting:
            try:
                last, _ = await line.post(harmless(waiting[0]))
            except OSError as error:
                last = error
            if last == 200:
                waiting.pop(0)
            assert time.monotonic() < began + within, f"no 200 within {within} s: {last}"
            await asyncio.sleep(0.02)
    finally:
        line.close()
    return time.monotonic() - began
