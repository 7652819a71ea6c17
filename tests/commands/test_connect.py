"""``connect``: a user's consent, by a browser, against a simulated Xero."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from tests.commands.conftest import CommandLine, Running, Simulated
from tests.commands.test_grants import fetch, tenants
from tests.support.consent_form import Browser
from tests.support.servers import run_apart
from tests.support.stack import free_port
from xero_stream.contracts.names import STREAMED


@contextmanager
def asked(deployed: CommandLine, simulator: Simulated, port: int, *options: str) -> Iterator[tuple[Running, str]]:
    """The command while it waits for the browser, and the link it shows."""
    login = {"XERO_LOGIN_URL": simulator.url}
    with deployed.running("connect", "--port", str(port), "--no-browser", *options, env=login) as running:
        running.until_said("/identity/connect/authorize")
        yield running, next(word for word in running.said.split() if "/identity/connect/authorize" in word)


async def consent(link: str, *organisations: str, decision: str = "allow") -> str:
    """What the user does: choose, allow; the address the browser is sent back to."""
    browser = Browser()
    async with browser.http:
        answer = await browser.choose(link, *organisations, decision=decision)
        assert answer.status_code == 302, answer.text
        return str(answer.headers["location"])


def test_consent_connects_what_the_user_chose(deployed: CommandLine, simulator: Simulated) -> None:
    """The whole way: link, consent, code, tokens, first loads; a forged or foreign request on the way ends nothing."""
    port = free_port()
    chosen, left_out = tenants(simulator)

    with asked(deployed, simulator, port, "--tag", "region=north", "--customer-ref", "c-1") as (running, link):
        forged = httpx.get(f"http://localhost:{port}/callback?code=x&state=forged", trust_env=False)
        foreign = httpx.get(
            f"http://127.0.0.1:{port}/callback?code=x&state=y", headers={"Host": "evil.example"}, trust_env=False
        )
        back = run_apart(consent(link, chosen))
        shown = httpx.get(back, trust_env=False)
        code = running.process.wait(60)

    assert (forged.status_code, foreign.status_code, shown.status_code) == (400, 403, 200)
    assert code == 0, running.said
    assert f"({chosen}): connected, {len(STREAMED)} entities are being loaded" in running.said
    assert "You can close this window" in shown.text
    code_of_consent = re.search(r"code=([^&]+)", back)
    assert code_of_consent is not None
    assert code_of_consent[1] not in shown.text + running.said
    rows = fetch(deployed, "SELECT tenant_id, customer_ref, state FROM tenants")
    assert rows == [{"tenant_id": chosen, "customer_ref": "c-1", "state": "connected"}]
    assert left_out not in running.said


def test_user_declines(deployed: CommandLine, simulator: Simulated) -> None:
    """1, and nothing is stored."""
    port = free_port()

    with asked(deployed, simulator, port) as (running, link):
        httpx.get(run_apart(consent(link, *tenants(simulator), decision="deny")), trust_env=False)
        code = running.process.wait(60)

    assert code == 1
    assert "the user declined" in running.said
    assert "Traceback" not in running.said
    assert fetch(deployed, "SELECT * FROM grants") == []


@pytest.mark.usefixtures("simulator")
def test_no_browser_comes_back(deployed: CommandLine) -> None:
    """1 after the time given, with what to do."""
    ended = deployed.process("connect", "--no-browser", "--seconds", "1", "--port", str(free_port()))

    assert ended.code == 1
    assert "no browser came back within 1 s. Run the command again" in ended.complaint


@pytest.mark.usefixtures("simulator")
def test_port_is_taken(deployed: CommandLine) -> None:
    """78, naming --port and the redirect URI that belongs to another one."""

    async def beside() -> int:
        server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            ended = await asyncio.to_thread(deployed.process, "connect", "--no-browser", "--port", str(port))
        assert "choose another one with --port, and register" in ended.complaint
        return ended.code

    assert run_apart(beside()) == 78


@pytest.mark.parametrize("tag", ["x", "=y", " =y"])
def test_tag_without_name_or_value(deployed: CommandLine, tag: str) -> None:
    """2: a tag is NAME=VALUE."""
    ended = deployed("connect", "--no-browser", "--tag", tag)

    assert ended.code == 2
    assert "NAME=VALUE" in ended.err
