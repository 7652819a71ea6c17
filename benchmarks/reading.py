"""Processor time to read invoices: ours to the unified record, against xero-python's to its models.

One simulator in a process of its own; both clients here, in turn, the same ten pages. Only this process's time counts, so
how busy the machine is matters little, and ratios within a pair less. Ours fetches, parses, checks every field it uses and
maps (what the processors do); what a typed model costs on top (what ``Reader`` gives) stands beside it.
"""

import asyncio
import gc
import statistics
import time
from collections.abc import Awaitable, Callable
from typing import Any

from benchmarks.figures import keep
from tests.integration.sdk.rig import Sdk, connected
from tests.integration.simulator.rig import SimulatorProcess
from xero_api.call import CallRecord, Priority
from xero_api.calling.context import CallContext
from xero_api.client import XeroClient
from xero_api.oauth.source import AccessToken, GrantId
from xero_api.registry import INVOICES
from xero_api.requests import get_page
from xero_stream.contracts.names import DEFAULT_APP, AppName, TenantId

INVOICE_COUNT = 1_000
PAIRS = 7
GOAL_RATIO, GOAL_RECORDS = 0.25, 10_000


class _OneToken:
    """A token that is good for the whole run."""

    def __init__(self, value: str) -> None:
        self._token = AccessToken(value=value, grant_id=GrantId("bench"))

    async def token(self, app: AppName, tenant_id: TenantId) -> AccessToken:
        """The token."""
        del app, tenant_id
        return self._token

    async def replacement(self, refused: AccessToken) -> AccessToken:
        """There is no other."""
        return refused


def _ignored(record: CallRecord) -> None:
    del record


async def _seconds(read: Callable[..., Awaitable[int]], size: int, **how: bool) -> float:
    """Processor time of this process to read all invoices; nobody pays for what the one before left behind."""
    gc.collect()
    started = time.process_time()
    counts = [await read(page, size, **how) for page in range(1, INVOICE_COUNT // size + 1)]
    used = time.process_time() - started
    assert counts == [size] * len(counts), counts
    return used


async def _measure(url: str, sdk: Sdk) -> dict[str, list[float]]:
    sdk.identity.get_connections()  # the SDK fetches its token
    assert sdk.token is not None
    client = XeroClient(api_url=url, tokens=_OneToken(sdk.token["access_token"]), on_call=_ignored, timeout=120)

    async def ours(page: int, size: int, *, typed: bool = False) -> int:
        answer = await client.send(
            CallContext(DEFAULT_APP, TenantId(sdk.tenant), Priority.BACKFILL), get_page(INVOICES, None, page, size)
        )
        records: list[Any] = [INVOICES.unified(sdk.tenant, raw) for raw in answer.records]
        if typed:
            records = [INVOICES.model.model_validate(record) for record in records]
        return len(records)

    async def official(page: int, size: int) -> int:
        asked = {"page": page, "page_size": size, "order": "UpdatedDateUTC ASC", "unitdp": 4, "include_archived": True}
        return len(sdk.accounting.get_invoices(sdk.tenant, **asked).invoices)

    await ours(1, 100, typed=True)
    await official(1, 100)
    gc.freeze()  # the modules of both, pytest's among them, are no part of reading
    found: dict[str, list[float]] = {"ours": [], "xero-python": [], "typed": [], "ours, 1000": [], "typed, 1000": []}
    for _ in range(PAIRS):
        found["ours"].append(await _seconds(ours, 100))
        found["xero-python"].append(await _seconds(official, 100))
        found["typed"].append(await _seconds(ours, 100, typed=True))
        found["ours, 1000"].append(await _seconds(ours, 1_000))
        found["typed, 1000"].append(await _seconds(ours, 1_000, typed=True))
    await client.aclose()
    return found


def main(arguments: list[str]) -> int:
    """Measure; 0 if the goals are met."""
    del arguments
    process = SimulatorProcess("--tenants=1", "--contacts=100", f"--invoices={INVOICE_COUNT}", "--credit-notes=20")
    process.start()
    try:
        with connected(f"http://127.0.0.1:{process.port}") as sdk:
            raw = asyncio.run(_measure(sdk.url, sdk))
    finally:
        process.end()
    ratios, typed = (
        [ours / official for ours, official in zip(raw[name], raw["xero-python"], strict=True)]
        for name in ("ours", "typed")
    )
    ratio = statistics.median(ratios)
    records = INVOICE_COUNT / statistics.median(raw["ours, 1000"])
    pages = INVOICE_COUNT / 100 / 1_000
    keep(
        "reading",
        {
            "page of 100, ours, ms": round(statistics.median(raw["ours"]) / pages, 1),
            "page of 100, xero-python, ms": round(statistics.median(raw["xero-python"]) / pages, 1),
            "ratio": round(ratio, 3),
            "ratio, least and most of the pairs": [round(min(ratios), 3), round(max(ratios), 3)],
            "ratio with typed models": round(statistics.median(typed), 3),
            "page of 1,000, records/s": round(records),
            "page of 1,000, best round, records/s": round(INVOICE_COUNT / min(raw["ours, 1000"])),
            "page of 1,000 with typed models, records/s": round(INVOICE_COUNT / statistics.median(raw["typed, 1000"])),
            f"goal: ratio at most {GOAL_RATIO}": ratio <= GOAL_RATIO,
            f"goal: at least {GOAL_RECORDS:,} records/s": records >= GOAL_RECORDS,
        },
        raw,
    )
    return 0 if ratio <= GOAL_RATIO and records >= GOAL_RECORDS else 1
