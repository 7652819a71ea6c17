"""What a web page in a browser can send, sent to the simulator over HTTP: refused; clients of ours are answered."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.integration.simulator.rig import Simulated, simulate

Simulate = Callable[..., Awaitable[Simulated]]
JSON = {"Content-Type": "application/json"}
EDITS = b'{"count": 1}'


@pytest.fixture
async def simulated() -> Any:
    """One that is also called ``xero.test``, and may post webhooks to ``hooks.test``."""
    simulated = await simulate(
        tenants=1, contacts=2, invoices=2, host_names=("Xero.test",), webhook_hosts=("hooks.test",)
    )
    yield simulated
    await simulated.close()


async def test_a_known_host_is_answered(simulated: Simulated) -> None:
    """Addresses, localhost, and the names of the setting."""
    for host in ("localhost", "LOCALHOST:8082", "127.0.0.1", "[::1]:8082", "10.1.2.3:1", "xero.test:80"):
        answer = await simulated.talk.http.get("/_sim/tenants", headers={"Host": host})

        assert answer.status_code == 200, host


async def test_a_foreign_host_is_refused_on_every_path(simulated: Simulated) -> None:
    """A name that somebody else resolved to this machine; the refusal names the setting."""
    for host in (
        *("evil.test", "localhost.evil.test", "127.0.0.1.evil.test", "127.1", "0x7f000001", "a@localhost"),
        *("xero.test.evil", ""),
    ):
        for path in ("/_sim/truth/x/Invoices", "/connections", "/identity/connect/authorize", "/nothing"):
            answer = await simulated.talk.http.get(path, headers={"Host": host})

            assert answer.status_code == 421, (host, path)
            assert "XERO_STREAM_SIMULATOR_HOST_NAMES" in answer.text


async def test_another_web_page_may_not_post(simulated: Simulated) -> None:
    """Nothing is done, and nothing told."""
    before = await simulated.talk.control("GET", "/tenants")

    for headers in (
        {"Origin": "https://evil.test"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1"},  # another port is another origin
        {"Origin": "chrome-extension://abcdef"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ):
        for path in ("/_sim/edits", "/_sim/grants", "/connect/token"):
            answer = await simulated.talk.http.post(path, content=EDITS, headers=JSON | headers)

            assert answer.status_code == 403, (headers, path)
    assert await simulated.talk.control("GET", "/tenants") == before


async def test_its_own_page_may_post(simulated: Simulated) -> None:
    """The consent page's form bears the simulator's own origin; a link from elsewhere leads there."""
    url = simulated.talk.url

    own = await simulated.talk.http.post("/_sim/edits", content=EDITS, headers=JSON | {"Origin": url})
    linked = await simulated.talk.http.get("/identity/connect/authorize", headers={"Sec-Fetch-Site": "cross-site"})

    assert own.status_code == 200
    assert linked.status_code == 400  # a page that says what is wrong with the link


async def test_the_control_api_takes_json_alone(simulated: Simulated) -> None:
    """Forms on any page can send the other types without asking first."""
    types = ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain; json")
    for headers in ({}, *({"Content-Type": kind} for kind in types)):
        for method, path in (
            *(("POST", path) for path in ("/edits", "/grants", "/clients", "/webhooks/events", "/intent-to-receive")),
            *(("PUT", path) for path in ("/webhooks", "/faults", "/limits", "/clock")),
        ):
            answer = await simulated.talk.http.request(method, f"/_sim{path}", content=EDITS, headers=headers)

            assert answer.status_code == 415, (path, headers)
            assert "application/json" in answer.json()["error"]


async def test_webhooks_go_only_where_they_may(simulated: Simulated) -> None:
    """The refusal names the setting; the URL in use stays."""
    before = await simulated.talk.control("GET", "/webhooks")

    for url in (
        "http://169.254.169.254/latest/meta-data",
        "http://evil.test/",
        "http://10.0.0.1/",
        "http://127.1/",
        "http://127.0.0.1@evil.test/",
        "http://127.0.0.1\\@evil.test/",
        "http://hooks.test.evil/",
    ):
        for method, path in (("PUT", "/webhooks"), ("POST", "/intent-to-receive")):
            status, answer = await simulated.talk.refused(method, path, {"url": url})

            assert status == 403, url
            assert "XERO_STREAM_SIMULATOR_WEBHOOK_HOSTS" in answer["error"]
    assert (await simulated.talk.control("GET", "/webhooks"))["url"] == before["url"]


async def test_webhooks_go_to_loopback_and_named_hosts(simulated: Simulated) -> None:
    """Wherever a receiver of the same person's may be."""
    for url in ("http://localhost:9/", "http://127.0.0.2:9/", "http://[::1]:9/", "http://HOOKS.test:9/x"):
        answer = await simulated.talk.http.put("/_sim/webhooks", content=json.dumps({"url": url}), headers=JSON)

        assert answer.status_code == 200, url
