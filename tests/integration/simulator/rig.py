"""A simulator to talk to over HTTP, and a receiver that answers as told."""

import asyncio
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import orjson
from aiohttp import web

from simulator.app import create_app, create_world
from simulator.world import World
from xero_stream.settings.simulator import SimulatorSettings

JSON = {"Accept": "application/json"}


def free_port() -> int:
    """A port below the ephemeral range that nothing listens on now."""
    for _ in range(200):
        port = random.SystemRandom().randint(20_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no free port between 20000 and 32000")


class Talk:
    """A client of one simulator, with a grant over all its organisations."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.http = httpx.AsyncClient(base_url=self.url, timeout=30, trust_env=False, verify=False)
        self.grant: dict[str, Any] = {}
        self.refresh_token = ""
        self.access_token = ""
        self.tenants: list[str] = []

    async def control(self, method: str, path: str, body: Any = None) -> Any:
        """Call ``/_sim``; the answer must be good."""
        answer = await self.http.request(method, f"/_sim{path}", json=body)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    async def refused(self, method: str, path: str, body: Any = None) -> tuple[int, dict[str, Any]]:
        """Call ``/_sim``; the answer must be a refusal."""
        answer = await self.http.request(method, f"/_sim{path}", json=body)
        assert answer.status_code >= 400, answer.text
        document: dict[str, Any] = answer.json()
        return answer.status_code, document

    async def connect(self, **body: Any) -> None:
        """Make a grant and fetch its first access token."""
        self.grant = await self.control("POST", "/grants", body)
        self.refresh_token = self.grant.get("refreshToken", "")
        self.tenants = self.grant["tenants"]
        await self.refresh()

    async def token(self, **form: str) -> httpx.Response:
        """Ask the token endpoint, with the grant's client in the body."""
        client = {"client_id": self.grant["clientId"], "client_secret": self.grant["clientSecret"]}
        return await self.http.post("/connect/token", data=client | form)

    async def refresh(self) -> None:
        """Use the refresh token; keep the pair."""
        if self.refresh_token:
            answer = await self.token(grant_type="refresh_token", refresh_token=self.refresh_token)
        else:
            answer = await self.token(grant_type="client_credentials")
        assert answer.status_code == 200, answer.text
        self.refresh_token = answer.json().get("refresh_token", "")
        self.access_token = answer.json()["access_token"]

    def headers(self, tenant: str | None = None) -> dict[str, str]:
        """What a good request carries."""
        return {
            "Authorization": f"Bearer {self.access_token}",
            "xero-tenant-id": tenant or self.tenants[0],
            **JSON,
        }

    async def get(
        self, path: str, tenant: str | None = None, headers: dict[str, str] | None = None, **parameters: Any
    ) -> httpx.Response:
        """A request to the Accounting API."""
        return await self.http.get(
            f"/api.xro/2.0/{path}", params=parameters, headers=self.headers(tenant) | (headers or {})
        )

    async def rows(self, endpoint: str, tenant: str | None = None, **parameters: Any) -> list[dict[str, Any]]:
        """A list's records."""
        answer = await self.get(endpoint, tenant, **parameters)
        assert answer.status_code == 200, answer.text
        rows: list[dict[str, Any]] = answer.json()[endpoint]
        return rows

    async def truth(self, endpoint: str, tenant: str | None = None) -> list[dict[str, Any]]:
        """Every record as it is."""
        document = await self.control("GET", f"/truth/{tenant or self.tenants[0]}/{endpoint}")
        (rows,) = document.values()
        assert isinstance(rows, list)
        return rows

    async def edit(self, **body: Any) -> list[dict[str, Any]]:
        """Make edits."""
        edits: list[dict[str, Any]] = (await self.control("POST", "/edits", body))["edits"]
        return edits

    async def faults(self, *rules: dict[str, Any]) -> None:
        """Set the fault plan."""
        await self.control("PUT", "/faults", {"rules": list(rules)})

    async def fired(self) -> list[int]:
        """How often each rule of the plan fired."""
        return [rule["fired"] for rule in (await self.control("GET", "/faults"))["rules"]]

    async def ahead(self, seconds: float) -> None:
        """Move the simulator's clock."""
        await self.control("PUT", "/clock", {"aheadSeconds": seconds})

    async def calm(self, seconds: float = 5) -> dict[str, Any]:
        """Wait until every webhook is delivered; the delivery log."""
        report: dict[str, Any] = await self.control("GET", f"/webhooks?calmWithinSeconds={seconds}&limit=1000")
        assert report["pendingEvents"] == 0, report
        return report

    async def close(self) -> None:
        """Close the client."""
        await self.http.aclose()


@dataclass(slots=True)
class Simulated:
    """A simulator in this process, and a client of it."""

    talk: Talk
    world: World
    runner: web.AppRunner

    async def close(self) -> None:
        """Stop both."""
        await self.talk.close()
        await self.runner.cleanup()


async def simulate(**settings: Any) -> Simulated:
    """Start a simulator here: two organisations with few records, unless told otherwise."""
    port = free_port()
    small = {"tenants": 2, "contacts": 12, "invoices": 40, "credit_notes": 8, "webhook_batch_ms": 0, "port": port}
    given = SimulatorSettings.read(**(small | settings))
    world = create_world(given)
    runner = web.AppRunner(create_app(given, world), access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    return Simulated(talk=Talk(port), world=world, runner=runner)


@dataclass(frozen=True, slots=True)
class Hook:
    """A webhook as it arrived."""

    body: bytes
    headers: dict[str, str]

    @property
    def document(self) -> dict[str, Any]:
        """Its JSON."""
        found: dict[str, Any] = orjson.loads(self.body)
        return found

    @property
    def events(self) -> list[dict[str, Any]]:
        """Its events."""
        found: list[dict[str, Any]] = self.document["events"]
        return found


Answer = Callable[[Hook], web.Response]


def yes(_: Hook) -> web.Response:
    """200, empty."""
    return web.Response()


@dataclass(slots=True)
class Receiver:
    """Takes webhooks, answers as told, remembers all of them."""

    answer: Answer = yes
    hooks: list[Hook] = field(default_factory=list)
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)
    port: int = field(default_factory=free_port)
    held: asyncio.Event | None = None
    _runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def events(self) -> list[dict[str, Any]]:
        """All events in the order they arrived."""
        return [event for hook in self.hooks for event in hook.events]

    async def start(self) -> None:
        """Listen."""
        app = web.Application(client_max_size=2**26)
        app.add_routes([web.post("/hook", self._take)])
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    async def stop(self) -> None:
        """Listen no more."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def until(self, count: int, within: float = 5) -> None:
        """Wait for that many requests."""
        async with asyncio.timeout(within), self.arrived:
            await self.arrived.wait_for(lambda: len(self.hooks) >= count)

    async def _take(self, request: web.Request) -> web.Response:
        hook = Hook(body=await request.read(), headers=dict(request.headers))
        async with self.arrived:
            self.hooks.append(hook)
            self.arrived.notify_all()
        if self.held is not None:
            await self.held.wait()
        return self.answer(hook)


class SimulatorProcess:
    """A simulator as a process of its own."""

    def __init__(self, *options: str) -> None:
        self.port = free_port()
        self.options: Sequence[str] = options
        self.child: subprocess.Popen[str] | None = None
        self.first_line = ""

    def start(self) -> None:
        """Start it and read the line that says it is ready."""
        self.child = subprocess.Popen(
            [sys.executable, "-m", "simulator", f"--port={self.port}", *self.options],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[3],
        )
        assert self.child.stdout is not None
        self.first_line = self.child.stdout.readline()

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal; the exit code."""
        assert self.child is not None
        self.child.send_signal(number)
        code = self.child.wait(15)
        assert self.child.stdout is not None
        self.child.stdout.close()
        return code
