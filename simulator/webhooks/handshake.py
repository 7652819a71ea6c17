"""Intent to receive: a series of rightly and wrongly signed empty payloads, and the judgement of what comes back."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from simulator.chance import draw_letters
from simulator.webhooks.delivery import Answered
from simulator.webhooks.payload import body_of, sign, spoil
from simulator.webhooks.schedule import ANSWER_SECONDS
from simulator.webhooks.sender import Sender

SERIES = (True, False, False, False)
"""Rightly signed or not: three bad ones and a good one were reported (number and order unconfirmed)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request of the series."""

    signed_well: bool
    answer: Answered | str
    took_seconds: float


def complaint(exchange: Exchange) -> str | None:
    """What Xero's portal would say of it; None if it is as it must be. Pure."""
    answer = exchange.answer
    if exchange.took_seconds > ANSWER_SECONDS or answer == "timeout":
        return "Response took longer than 5 seconds"
    if isinstance(answer, str):
        return f"No response: {answer}"
    wanted, signed = (200, "correctly") if exchange.signed_well else (401, "incorrectly")
    if answer.status != wanted:
        return f"Response to {signed} signed payload not {wanted}"
    if answer.body or answer.cookie:
        return f"Response contained a {'body' if answer.body else 'cookie'}"
    return None


def judge(exchanges: Sequence[Exchange]) -> dict[str, Any]:
    """As ``POST /_sim/intent-to-receive`` answers it. Pure."""
    rows = [
        {
            "signedWell": exchange.signed_well,
            "answer": exchange.answer.status if isinstance(exchange.answer, Answered) else exchange.answer,
            "tookMs": round(exchange.took_seconds * 1000, 2),
            "complaint": complaint(exchange),
        }
        for exchange in exchanges
    ]
    return {"passed": all(row["complaint"] is None for row in rows), "requests": rows}


async def shake_hands(sender: Sender, source: random.Random, url: str | None = None) -> dict[str, Any]:
    """Run the handshake; if it passes, a subscription that was disabled delivers again.

    Args:
        sender: whose key signs and whose URL is asked.
        source: decides order, entropy, and which character is wrong.
        url: another URL.
    """
    exchanges: list[Exchange] = []
    for good in source.sample(SERIES, len(SERIES)):
        body = body_of([], draw_letters(source, 20))
        signature = sign(body, sender.key)
        started = asyncio.get_running_loop().time()
        answer = await sender.post(body, signature if good else spoil(signature, source), url)
        took = asyncio.get_running_loop().time() - started
        exchanges.append(Exchange(signed_well=good, answer=answer, took_seconds=took))
    result = judge(exchanges)
    if result["passed"] and url in (None, sender.url):
        sender.enable()
    return result
