"""README and the pages of docs, followed word for word in a clean HOME, on one system that the README starts.

What differs from the pages: Xero is the simulator that docs/simulator.md starts, ports are free ones, and what goes on for ever is
told to end. Every block of shell commands is run here or has a reason in ``NOT_HERE``.
"""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from tests.commands.conftest import Simulated, answers
from tests.commands.test_connect import consent
from tests.support.processes import until
from tests.support.servers import run_apart
from tests.support.stack import free_port
from xero_stream.settings.local import LocalSettings
from xero_stream.settings.simulator import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, DEMO_WEBHOOK_KEY

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

NO_CONTAINERS = "needs a container engine; tests/commands/test_container.py compares its files with the code"
NOT_HERE = {
    ("README.md", "make demo"): "make soak: tests/integration/install/test_cold_start.py; make test is what runs here",
    (
        "operations.md",
        "xero-stream topics acl --receiver",
    ): "needs a Kafka with an authorizer: tests/e2e/test_least_rights.py",
    ("operations.md", "cp .env.example .env"): NO_CONTAINERS,
    ("operations.md", "docker buildx imagetools"): NO_CONTAINERS,
    ("testing.md", "SEED=4711 make robustness"): "takes tens of minutes: these are the long forms of the suite",
}
"""Page and beginning of a block of commands → why it is not run here, and what is instead."""
FOLLOWED = {
    ("simulator.md", "xero-stream simulator"),
    ("simulator.md", "curl -u"),
    ("operations.md", "xero-stream migrate"),
    ("operations.md", "docker compose --profile simulator"),
    ("console.md", "xero-stream api-keys create"),
    ("console.md", "AUTH="),
    ("configuration.md", "xero-stream deployment show"),
}
CONNECTING = [
    'export PATH="$PWD/.venv/bin:$PATH"',
    "cp .env.example .env",
    "openssl rand -base64 32 | tr '+/' '-_'",
    "xero-stream up --local",
    "xero-stream connect",
    "xero-stream grants add --client-credentials",  # the same for a custom connection: tests/commands/test_grants.py
    "xero-stream grants add",
    "xero-stream grants list",
    "xero-stream doctor --receiver https://<your host>",
]
"""The commands in the text of the README's section on connecting, in their order."""


PORTS = ("receiver", "receiver_private", "processors_private", "console", "console_private", "simulator", "callback")


class Block(NamedTuple):
    """Commands as a page has them."""

    page: str
    text: str

    @property
    def name(self) -> tuple[str, str] | None:
        """The entry that names it, of those followed and those not."""
        return next(
            (entry for entry in (*NOT_HERE, *FOLLOWED) if entry[0] == self.page and self.text.startswith(entry[1])),
            None,
        )


def blocks() -> list[Block]:
    """Every block of shell commands."""
    found = []
    for page in PAGES:
        for indent, text in re.findall(
            r"^( *)```sh\n(.*?)^ *```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
        ):
            found.append(Block(page.name, re.sub(f"^{indent}", "", text, flags=re.MULTILINE)))
    return found


def block(page: str, beginning: str) -> str:
    """The text of a block that is followed."""
    (text,) = (one.text for one in blocks() if one.name == (page, beginning))
    return text


def test_every_block_is_followed_or_has_a_reason() -> None:
    """A new one needs a place here; an entry whose block is gone goes too. Blocks without a language hold no commands."""
    assert sorted(str(one.name or one.text) for one in blocks()) == sorted(map(str, (*NOT_HERE, *FOLLOWED)))
    for page in PAGES:
        for text in re.findall(r"^ *```\n(.*?)^ *```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
            assert not re.search(r"^(?:xero-stream|make|curl|docker|pip|export) [a-z-]", text, re.MULTILINE), (
                page.name,
                text,
            )


def section_on_connecting() -> str:
    """The README's."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return text[text.index("## Connect a real demo company") : text.index("## Only the library")]


def test_connecting_has_these_steps() -> None:
    """What is followed below is what the README says."""
    inline = (" ".join(code.split()) for code in re.findall(r"`([^`]+)`", section_on_connecting()))
    commands = [code for code in inline if re.match(r"(xero-stream|cp|export|openssl) ", code)]

    assert commands == CONNECTING


class Follower:
    """Somebody with a clone, an empty HOME and the page before them."""

    def __init__(self, folder: Path) -> None:
        self.clone, self.home = folder / "clone", folder / "home"
        for made in (self.clone, self.home):
            made.mkdir()
        for name in (".env.example", "deploy", "docker-compose.yml"):
            (self.clone / name).symlink_to(ROOT / name)
        (self.clone / ".venv").symlink_to(sys.prefix)
        self.ports = {name: free_port() for name in PORTS}
        self.started: list[subprocess.Popen[bytes]] = []
        # Only the jars are had from elsewhere: they would be downloaded into HOME.
        cache = os.environ.get("XERO_STREAM_CACHE_DIR") or str(LocalSettings.read().cache_dir.expanduser())
        self.environment = {
            "PATH": os.defpath,
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "XERO_STREAM_CACHE_DIR": cache,
        }

    @property
    def xero(self) -> str:
        """Where the simulator is."""
        return f"http://127.0.0.1:{self.ports['simulator']}"

    def here(self, commands: str) -> str:
        """The page's commands with what differs here."""
        for said, meant in (
            ("https://<your host>", f"http://127.0.0.1:{self.ports['receiver']}"),
            ("http://127.0.0.1:8080", f"http://127.0.0.1:{self.ports['receiver']}"),
            ("http://127.0.0.1:8081", f"http://127.0.0.1:{self.ports['console']}"),
            ("http://127.0.0.1:8082", self.xero),
            ("xero-stream connect", f"xero-stream connect --port {self.ports['callback']}"),
        ):
            commands = commands.replace(said, meant)
        return commands

    def start(self, commands: str, env: Mapping[str, str] | None = None) -> Path:
        """Begin a page's commands in a shell; where its output goes."""
        log = self.home.parent / f"{len(self.started)}.log"
        with log.open("wb") as output:
            self.started.append(
                subprocess.Popen(
                    ["sh", "-e", "-c", f"{CONNECTING[0]}\n{self.here(commands)}"],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    cwd=self.clone,
                    env={**self.environment, **(env or {})},
                    start_new_session=True,
                )
            )
        return log

    def run(self, commands: str, env: Mapping[str, str] | None = None, *, code: int = 0) -> str:
        """A page's commands to their end; all they wrote."""
        log = self.start(commands, env)
        ended = self.started.pop().wait(120)
        said = log.read_text(encoding="utf-8")
        assert ended == code, f"{commands}\n{said}"
        assert "Traceback" not in said, said
        return said

    def end(self) -> None:
        """End everything that was started, the last first."""
        for process in reversed(self.started):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def until_said(self, log: Path, text: str) -> str:
        """Wait for it; all that was said."""
        try:
            until(lambda: text in log.read_text(encoding="utf-8"), 90)
        except AssertionError as error:
            raise AssertionError(f"{text!r} not in: {log.read_text(encoding='utf-8')}") from error
        return log.read_text(encoding="utf-8")

    def consent(self, said: str) -> None:
        """What the user does in the browser: choose an organisation, allow, be sent back."""
        link = next(word for word in said.split() if "/identity/connect/authorize" in word)
        (first, *_) = Simulated(url=self.xero).ask("GET", "/_sim/tenants")["tenants"]
        httpx.get(run_apart(consent(link, first["tenantId"])), trust_env=False)

    def until_ready(self, port: int) -> None:
        """Wait until a private port says that its process is ready."""
        until(lambda: answers(f"http://127.0.0.1:{port}/readyz") == 200, 90)

    def fill_in(self) -> None:
        """What the README says to fill in, and where this Xero and these ports are."""
        key = self.run(CONNECTING[2]).strip()
        filled = {
            "XERO_CLIENT_ID": DEMO_CLIENT_ID,
            "XERO_CLIENT_SECRET": DEMO_CLIENT_SECRET,
            "XERO_WEBHOOK_KEYS": DEMO_WEBHOOK_KEY,
            "XERO_APP_TIER": "core",
            "XERO_STREAM_ENCRYPTION_KEYS": key,
        }
        assert all(f"`{name}`" in section_on_connecting() for name in filled)
        filled |= {
            "XERO_API_URL": self.xero,
            "XERO_IDENTITY_URL": self.xero,
            "XERO_LOGIN_URL": self.xero,
            "XERO_STREAM_RECEIVER_PORT": str(self.ports["receiver"]),
            "XERO_STREAM_RECEIVER_PRIVATE_PORT": str(self.ports["receiver_private"]),
            "XERO_STREAM_PROCESSORS_PRIVATE_PORT": str(self.ports["processors_private"]),
            "XERO_STREAM_CONSOLE_PORT": str(self.ports["console"]),
            "XERO_STREAM_CONSOLE_PRIVATE_PORT": str(self.ports["console_private"]),
        }
        file = self.clone / ".env"
        text = file.read_text(encoding="utf-8")
        for name, value in filled.items():
            text, count = re.subn(rf"^(?:# )?{name}=.*$", f"{name}={value}", text, flags=re.MULTILINE)
            assert count == 1, name
        file.write_text(text, encoding="utf-8")


@pytest.fixture
def follower(tmp_path: Path) -> Iterator[Follower]:
    """Everything that is started ends with the test."""
    follower = Follower(tmp_path)
    try:
        yield follower
    finally:
        follower.end()


@pytest.mark.timeout(400)
def test_the_pages_work_as_they_are(follower: Follower) -> None:
    """From the clone to changes in one's own program, then each page's commands; nothing else is written to HOME."""
    small = {"CONTACTS": "3", "INVOICES": "4", "CREDIT_NOTES": "1", "PORT": str(follower.ports["simulator"])}
    follower.start(
        block("simulator.md", "xero-stream simulator"),
        env={f"XERO_STREAM_SIMULATOR_{name}": value for name, value in small.items()},
    )
    until(lambda: answers(f"{follower.xero}/_sim") == 200, 60)

    follow_readme(follower)
    follow_consuming(follower)
    follow_simulator(follower)
    follow_operations(follower)
    follow_compose(follower)
    follow_console(follower)
    follow_configuration(follower)

    assert list(follower.home.rglob("*")) == []


def follow_readme(follower: Follower) -> None:
    """Settings, servers, consent, first load, doctor."""
    follower.run(CONNECTING[1])
    follower.fill_in()
    follower.start(CONNECTING[3])
    follower.until_ready(follower.ports["receiver_private"])
    follower.until_ready(follower.ports["processors_private"])
    log = follower.start(CONNECTING[4])
    follower.consent(follower.until_said(log, "/identity/connect/authorize"))
    assert follower.started.pop().wait(60) == 0
    assert "entities are being loaded" in log.read_text(encoding="utf-8")

    until(lambda: "loading" not in follower.run(CONNECTING[7]), 60)
    said = follower.run(CONNECTING[8])

    assert said.splitlines()[-1] == "all is well"
    assert f"http://127.0.0.1:{follower.ports['receiver']}/webhooks/xero answers an intent to receive" in said


def follow_consuming(follower: Follower) -> None:
    """The README's command and its program, with the four arguments of docs/local-servers.md."""
    assert "`xero-stream tail --from-beginning`" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert " · read · " in follower.run("xero-stream tail --from-beginning --until-end")
    page = (ROOT / "docs/local-servers.md").read_text(encoding="utf-8")
    (arguments,) = re.findall(r"^\| aiokafka, kafka-python \| `(.*)` \|$", page, re.MULTILINE)
    (variables,) = re.findall(r'`(eval "\$\(xero-stream local --env\)")`', page)
    (program,) = re.findall(r"```python\n(import asyncio, json\n.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    server = 'bootstrap_servers="127.0.0.1:9092",'
    assert server in program
    program = program.replace(server, f'bootstrap_servers=os.environ["KAFKA_BOOTSTRAP_SERVERS"], {arguments},')
    (follower.clone / "mine.py").write_text(f"import os\n{program}", encoding="utf-8")

    log = follower.start(f"{variables}\npython -u mine.py")
    try:
        until(lambda: bool(re.search(r"^r [0-9a-f-]{36} \[", log.read_text(), re.MULTILINE)), 60)
    finally:
        process = follower.started.pop()
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def follow_simulator(follower: Follower) -> None:
    """A grant, a token, a read, a payment; the page's variables are the answers'."""
    commands = block("simulator.md", "curl -u").splitlines()
    assert "curl --json '{}' $XERO/_sim/grants" in (ROOT / "docs/simulator.md").read_text(encoding="utf-8")
    variables = {"XERO": follower.xero}
    grant = json.loads(follower.run("curl --silent --json '{}' $XERO/_sim/grants", variables))
    variables |= {
        "CLIENT_ID": grant["clientId"],
        "CLIENT_SECRET": grant["clientSecret"],
        "REFRESH_TOKEN": grant["refreshToken"],
        "TENANT": grant["tenants"][0],
    }
    quiet = [command.replace("curl ", "curl --silent ") for command in commands]
    variables["ACCESS_TOKEN"] = json.loads(follower.run(quiet[0], variables))["access_token"]
    invoices = json.loads(follower.run(quiet[1], variables))["Invoices"]
    paid = quiet[2].replace("…", next(one["InvoiceID"] for one in invoices if one["AmountDue"] > 1))

    assert json.loads(follower.run(paid, variables))["Payments"][0]["Amount"] == 1


def follow_operations(follower: Follower) -> None:
    """Step by step beside what runs already: the receiver on another port, the processors as one more member."""
    ports = [free_port() for _ in range(3)]
    names = ("RECEIVER_PORT", "RECEIVER_PRIVATE_PORT", "PROCESSORS_PRIVATE_PORT")
    others = {f"XERO_STREAM_{name}": str(port) for name, port in zip(names, ports, strict=True)}
    log = follower.start(block("operations.md", "xero-stream migrate"), others)
    said = follower.until_said(log, "/identity/connect/authorize")
    follower.until_ready(ports[1])
    follower.until_ready(ports[2])
    follower.consent(said)
    shell = follower.started[-1]

    assert shell.wait(60) == 0, log.read_text(encoding="utf-8")

    said = log.read_text(encoding="utf-8")
    assert "was connected already; it has the new tokens" in said
    assert "2 processes are in xero.processors" in said
    assert "\nall is well\n" in said
    os.killpg(shell.pid, signal.SIGTERM)  # receiver and processors go on in the shell's background
    until(lambda: all(answers(f"http://127.0.0.1:{port}/livez") is None for port in ports[1:]), 40)
    follower.started.pop()


def follow_compose(follower: Follower) -> None:
    """The simulator's token on its way into `grants add`; `docker compose run … tools` is the command itself."""
    tools = follower.clone / "stand-in"
    tools.mkdir()
    docker = tools / "docker"
    docker.write_text(
        '#!/bin/sh\ncase "$*" in "compose run --rm -T tools "*) shift 5; exec xero-stream "$@";; *) exit 0;; esac\n'
    )
    docker.chmod(0o755)
    commands = block("operations.md", "docker compose --profile simulator")

    assert "was connected already" in follower.run(f'PATH="{tools}:$PATH"\n{commands}')


def follow_console(follower: Follower) -> None:
    """A key, the console, and what a program asks with the key that was shown: organisations, a page, the next one, a stream."""
    create, serve, ask = block("console.md", "xero-stream api-keys create").splitlines()
    key = {"KEY": next(word for word in follower.run(create).split() if word.startswith("xsk_"))}
    # `up` runs a console already: this one is beside it.
    port, private = free_port(), free_port()
    follower.start(serve, {"XERO_STREAM_CONSOLE_PORT": str(port), "XERO_STREAM_CONSOLE_PRIVATE_PORT": str(private)})
    follower.until_ready(private)
    assert "Harbour & Vale Trading" in follower.run(ask.replace("curl ", "curl --silent "), key)
    auth, *asks = block("console.md", "AUTH=").replace("curl ", "curl --silent ").splitlines()
    page, waiting, stream = (f"{auth}\n{one}" for one in asks)

    first = json.loads(follower.run(page, key))
    cursor = re.search(r"cursor=([0-9:,]+)", waiting)
    assert cursor is not None
    following = json.loads(follower.run(waiting.replace(cursor[1], first["cursor"]), key))
    log = follower.start(stream, key)
    follower.until_said(log, "id: ")
    following_on = follower.started.pop()
    os.killpg(following_on.pid, signal.SIGKILL)
    following_on.wait()

    assert first["changes"]
    assert following["cursor"]


def follow_configuration(follower: Follower) -> None:
    """The settings that all share, shown and changed; the processors that run follow by ending, and `up` ends with them."""
    said = follower.run(block("configuration.md", "xero-stream deployment show"))

    assert "XERO_STREAM_ENTITIES" in said
