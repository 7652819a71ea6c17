"""The private port: health and metrics of a process."""

import asyncio
from collections.abc import AsyncIterator, Callable

import httpx
import pytest
from prometheus_client import CollectorRegistry

from tests.support.stack import free_port
from xero_stream.settings.base import SettingsError
from xero_stream.telemetry.health import Health
from xero_stream.telemetry.metrics import counter
from xero_stream.telemetry.private_port import PrivatePort


class Served:
    """A private port whose health a test decides."""

    def __init__(self) -> None:
        self.live: Callable[[], Health] = lambda: Health(ok=True)
        self.ready: Callable[[], Health] = lambda: Health(ok=True)
        self.registry = CollectorRegistry()
        self.number = free_port()
        self.port = PrivatePort(
            host="127.0.0.1",
            port=self.number,
            registry=self.registry,
            live=self._live,
            ready=self._ready,
            setting="THE_SETTING",
            names=("receiver.xero-stream.svc",),
        )

    def _live(self) -> Health:
        return self.live()

    def _ready(self) -> Health:
        return self.ready()

    async def get(self, page: str, **headers: str) -> httpx.Response:
        """A page."""
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{self.number}", trust_env=False, verify=False
        ) as client:
            return await client.get(page, headers={name.replace("_", "-"): value for name, value in headers.items()})


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    """A started private port."""
    served = Served()
    await served.port.start()
    yield served
    await served.port.stop()


async def test_health(served: Served) -> None:
    """Well is 200, not well 503, each with its reasons, live and ready apart."""
    served.ready = lambda: Health(ok=False, reasons={"partitions": "none yet"})

    live, ready = await served.get("/livez"), await served.get("/readyz")

    assert (live.status_code, live.json()) == (200, {"ok": True, "reasons": {}})
    assert (ready.status_code, ready.json()) == (503, {"ok": False, "reasons": {"partitions": "none yet"}})


async def test_check_that_fails(served: Served) -> None:
    """A check that raises is not well."""

    def explode() -> Health:
        raise RuntimeError

    served.live = explode

    assert (await served.get("/livez")).status_code == 500


async def test_metrics(served: Served) -> None:
    """Metrics are in Prometheus' text format."""
    counter(served.registry, "xero_stream_x_total", "X.").inc(3)

    answer = await served.get("/metrics")

    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert "xero_stream_x_total 3.0" in answer.text


async def test_taken(served: Served) -> None:
    """A taken port is an error that names the setting."""
    second = PrivatePort(
        host="127.0.0.1",
        port=served.number,
        registry=CollectorRegistry(),
        live=served.live,
        ready=served.ready,
        setting="THE_SETTING",
    )

    with pytest.raises(SettingsError, match="THE_SETTING"):
        await second.start()


async def test_stop_twice(served: Served) -> None:
    """Stopping again is nothing; the port is free afterwards."""
    await served.port.stop()
    await served.port.stop()

    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", served.number)
    server.close()
    await server.wait_closed()
    await served.port.start()


@pytest.mark.parametrize("page", ["/livez", "/readyz", "/metrics", "/nothing"])
async def test_only_known_hosts_and_no_web_page(served: Served, page: str) -> None:
    """A page in a browser learns nothing here, whatever its name resolves to."""
    for host in ("evil.test", "127.0.0.1.evil.test", "receiver.xero-stream.svc.evil.test"):
        refused = await served.get(page, Host=host)
        assert refused.status_code == 421
        assert "XERO_STREAM_PRIVATE_HOST_NAMES" in refused.text
    for origin in ("https://evil.test", "null"):
        assert (await served.get(page, Origin=origin)).status_code == 403


@pytest.mark.parametrize("host", ["localhost:1", "10.4.0.7:9464", "[fd00::7]:9464", "Receiver.xero-stream.svc.:9464"])
async def test_probes_and_scrapers_are_answered(served: Served, host: str) -> None:
    """Kubernetes' probes and Prometheus call by address, or by a name that the setting lists."""
    assert (await served.get("/livez", Host=host)).status_code == 200


async def test_a_client_without_a_host_is_answered(served: Served) -> None:
    """HTTP/1.0, as some load balancers' checks speak it: no browser leaves ``Host`` out."""
    reader, writer = await asyncio.open_connection("127.0.0.1", served.number)
    writer.write(b"GET /livez HTTP/1.0\r\n\r\n")

    answer = await reader.readline()

    writer.close()
    assert b" 200 " in answer
