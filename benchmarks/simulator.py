"""What the simulator itself costs: requests a second on one core, and 100,000 invoices generated."""

import asyncio
import json
import subprocess
import sys
import time
from typing import Any

import httpx
import orjson
import psutil

from benchmarks.figures import keep
from tests.integration.sdk.rig import SCOPES
from tests.integration.simulator.rig import SimulatorProcess

SINGLES, PAGES = 1_000, 100
INVOICE_COUNT = 100_000
GOAL_SECONDS, GOAL_MIB, GOAL_PAGES = 60.0, 2_048.0, 300

_GENERATE = """
import json, resource, sys, time
from simulator.app import create_world
from xero_stream.settings.simulator import SimulatorSettings
started, cpu = time.perf_counter(), time.process_time()
world = create_world(SimulatorSettings.read(tenants=1, contacts=2_000, credit_notes=1_000, invoices=int(sys.argv[1])))
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
print(json.dumps({"seconds": time.perf_counter() - started, "cpu_seconds": time.process_time() - cpu, "mib": peak}))
"""


async def _requests(process: SimulatorProcess) -> dict[str, Any]:
    """Processor seconds of the simulator's process for so many requests, four at a time."""
    assert process.child is not None
    server = psutil.Process(process.child.pid)
    limits = httpx.Limits(max_connections=4)
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{process.port}", trust_env=False, timeout=600, limits=limits
    ) as http:
        unlimited = {"concurrent": 100, "minute": 1_000_000, "day": 1_000_000, "appMinute": 1_000_000}
        await http.put("/_sim/limits", json=unlimited)
        grant = (await http.post("/_sim/grants", json={"scopes": SCOPES})).json()
        form = {
            "grant_type": "refresh_token",
            "refresh_token": grant["refreshToken"],
            "client_id": grant["clientId"],
            "client_secret": grant["clientSecret"],
        }
        token = (await http.post("/connect/token", data=form)).json()["access_token"]
        tenant = grant["tenants"][0]
        headers = {"Authorization": f"Bearer {token}", "xero-tenant-id": tenant, "Accept": "application/json"}
        rows = (await http.get("/api.xro/2.0/Invoices?page=1", headers=headers)).json()["Invoices"]

        async def cost(paths: list[str], accepted: str = "identity") -> float:
            headers["Accept-Encoding"] = accepted
            before = server.cpu_times()
            waiting = iter(paths)

            async def worker() -> None:
                for path in waiting:
                    answer = await http.get(path, headers=headers)
                    assert answer.status_code == 200, answer.text

            await asyncio.gather(*(worker() for _ in range(4)))
            after = server.cpu_times()
            return float(after.user + after.system - before.user - before.system)

        single = await cost([f"/api.xro/2.0/Invoices/{rows[n % 100]['InvoiceID']}" for n in range(SINGLES)])
        pages = [f"/api.xro/2.0/Invoices?page={1 + n % 10}&pageSize=100" for n in range(PAGES)]
        first = await cost(pages[:10])
        page, packed = await cost(pages), await cost(pages, "gzip")
        body = (await http.get(pages[0], headers=headers)).content
    return {
        "single_s": single / SINGLES,
        "first_page_s": first / 10,
        "page_s": page / PAGES,
        "packed_page_s": packed / PAGES,
        "parse_s": _parsed(body),
    }


def _parsed(body: bytes) -> float:
    """Processor seconds that a client needs to parse the page: what the simulator's cost is compared with."""
    before = time.process_time()
    for _ in range(PAGES):
        orjson.loads(body)
    return (time.process_time() - before) / PAGES


def main(arguments: list[str]) -> int:
    """Measure; 0 if the goals are met."""
    del arguments
    process = SimulatorProcess("--tenants=1", "--contacts=100", "--invoices=1000", "--credit-notes=20")
    process.start()
    try:
        raw = asyncio.run(_requests(process))
    finally:
        process.end()
    done = subprocess.run(
        [sys.executable, "-c", _GENERATE, str(INVOICE_COUNT)], capture_output=True, check=True, text=True
    )
    raw["generated"] = made = json.loads(done.stdout)
    fast = max(raw["page_s"], raw["packed_page_s"]) * GOAL_PAGES < 1
    keep(
        "simulator",
        {
            "single GET, requests/s on one core": round(1 / raw["single_s"]),
            "page of 100, requests/s on one core": round(1 / raw["page_s"]),
            "page of 100 as gzip, requests/s on one core": round(1 / raw["packed_page_s"]),
            "page of 100 for the first time, requests/s on one core": round(1 / raw["first_page_s"]),
            "page of 100 / orjson.loads of it": round(raw["page_s"] / raw["parse_s"], 2),
            "page of 100 as gzip / orjson.loads of it": round(raw["packed_page_s"] / raw["parse_s"], 2),
            f"goal: {GOAL_PAGES} pages of 100 a second, as gzip too": fast,
            f"{INVOICE_COUNT:,} invoices generated, s": round(made["seconds"], 1),
            f"{INVOICE_COUNT:,} invoices generated, processor s": round(made["cpu_seconds"], 1),
            f"{INVOICE_COUNT:,} invoices generated, peak MiB": round(made["mib"]),
            f"goal: under {GOAL_SECONDS:g} processor s": made["cpu_seconds"] < GOAL_SECONDS,
            f"goal: under {GOAL_MIB:,.0f} MiB": made["mib"] < GOAL_MIB,
        },
        raw,
    )

    return 0 if fast and made["cpu_seconds"] < GOAL_SECONDS and made["mib"] < GOAL_MIB else 1
