"""Comparing this machine's clock, Xero's and Kafka's with the store's. Nothing is decided by this machine's; a wrong one is still told."""

import asyncio
import re
import time
from email.utils import parsedate_to_datetime

import httpx

from cli.doctor.findings import Finding, fine, problem, skipped
from cli.doctor.receiver import base_address
from cli.store import STORE_ERRORS, database_url
from xero_stream.settings.base import SettingsError
from xero_stream.settings.processors import ProcessorSettings
from xero_stream.settings.xero import XeroSettings
from xero_stream.store.clock import StoreClock
from xero_stream.store.pool import open_pool

LARGEST_DIFFERENCE = 60.0
"""Seconds."""


async def look_at_clocks(transport: httpx.AsyncBaseTransport | None = None) -> list[Finding]:
    """This machine's clock, Xero's, and Kafka's where processors on this machine tell it, compared with the store's.

    Args:
        transport: in place of the network.
    """
    clock = StoreClock()
    try:
        pool = await open_pool(database_url(), size=1, name="xero-stream-doctor")
    except (SettingsError, *STORE_ERRORS):
        return [skipped("clocks", "need the store")]
    try:
        await clock.set(pool)
    except STORE_ERRORS:
        return [skipped("clocks", "need the store")]
    finally:
        await pool.close()
    machine = time.time() - clock.now().timestamp()  # noqa: TID251 - it is what is compared
    xero, kafka = await asyncio.gather(_xero_ahead(clock, transport), _kafka_ahead(transport))
    return compare(machine, xero, kafka)


def compare(machine: float, xero: float | None, kafka: float | None = None) -> list[Finding]:
    """What to say of clocks. Pure.

    Args:
        machine: seconds by which this machine's clock is ahead of the store's.
        xero: the same of Xero's; None where it did not tell the time.
        kafka: the same of Kafka's; None where no processors tell it.
    """
    found = []
    if abs(machine) > LARGEST_DIFFERENCE:
        found.append(
            problem(
                "clocks",
                f"this machine's clock is {_difference(machine)} the store's",
                "set the clock of the wrong one (is its time synchronisation running?); logs of this machine have wrong times",
            )
        )
    if xero is not None and abs(xero) > LARGEST_DIFFERENCE:
        found.append(
            problem(
                "clocks",
                f"Xero's clock is {_difference(xero)} the store's",
                "set the clock of PostgreSQL's machine: waits, retention and tokens go by it",
            )
        )
    if kafka is not None and abs(kafka) > LARGEST_DIFFERENCE:
        found.append(
            problem(
                "clocks",
                f"Kafka's clock is {_difference(kafka)} the store's",
                "set the clock of the wrong one: Kafka stamps all records by its own",
            )
        )
    told = {"this machine's": machine, "Xero's": xero, "Kafka's": kafka}
    known = [name for name, ahead in told.items() if ahead is not None]
    return found or [fine("clocks", f"{', '.join(known)}: agree with the store's")]


def _difference(seconds: float) -> str:
    size = abs(seconds)
    said = f"{size / 3600:,.1f} hours" if size >= 3600 else f"{size:,.0f} seconds"
    return f"{said} {'ahead of' if seconds > 0 else 'behind'}"


async def _xero_ahead(clock: StoreClock, transport: httpx.AsyncBaseTransport | None) -> float | None:
    try:
        base = XeroSettings.read().api_url
        async with httpx.AsyncClient(transport=transport, timeout=8, trust_env=False, follow_redirects=False) as http:
            address = base.rstrip("/") + "/connections"
            async with http.stream("GET", address, headers={"Accept": "application/json"}) as answer:
                told = parsedate_to_datetime(answer.headers["Date"])
    except (SettingsError, httpx.HTTPError, httpx.InvalidURL, KeyError, ValueError):
        return None  # whether Xero answers is another finding
    return told.timestamp() - clock.now().timestamp()


async def _kafka_ahead(transport: httpx.AsyncBaseTransport | None) -> float | None:
    """As the processors on this machine saw it in Kafka's last answers."""
    try:
        settings = ProcessorSettings.read()
        async with httpx.AsyncClient(transport=transport, timeout=3, trust_env=False, follow_redirects=False) as http:
            page = await http.get(base_address(settings.private_host, settings.private_port) + "/metrics")
    except (SettingsError, httpx.HTTPError, httpx.InvalidURL):
        return None
    found = re.search(r'^xero_stream_clock_difference_seconds\{clock="kafka"\} (\S+)$', page.text, re.MULTILINE)
    return float(found[1]) if found else None
