"""Comparing this machine's clock, and Xero's, with the store's. Nothing is decided by this machine's; a wrong one is still told."""

import time
from email.utils import parsedate_to_datetime

import httpx

from cli.doctor.findings import Finding, fine, problem, skipped
from cli.store import STORE_ERRORS, database_url
from xero_stream.settings.base import SettingsError
from xero_stream.settings.xero import XeroSettings
from xero_stream.store.clock import StoreClock
from xero_stream.store.pool import open_pool

LARGEST_DIFFERENCE = 60.0
"""Seconds."""


async def look_at_clocks(transport: httpx.AsyncBaseTransport | None = None) -> list[Finding]:
    """This machine's clock and Xero's, compared with the store's.

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
    return compare(machine, await _xero_ahead(clock, transport))


def compare(machine: float, xero: float | None) -> list[Finding]:
    """What to say of clocks. Pure.

    Args:
        machine: seconds by which this machine's clock is ahead of the store's.
        xero: the same of Xero's; None where it did not tell the time.
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
    return found or [
        fine("clocks", "agree with the store's" if xero is not None else "this machine's agrees with the store's")
    ]


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
