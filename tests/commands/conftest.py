"""Commands as users call them, in a folder and with an environment of their own."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import unittest.mock
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from typer.testing import CliRunner

from cli.application import build
from tests.support.forked import Forked
from tests.support.processes import until
from tests.support.stack import free_port
from xero_stream.settings.example import SECTIONS, settings_of
from xero_stream.settings.simulator import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, DEMO_WEBHOOK_KEY

COMMAND = [str(Path(sys.executable).with_name("xero-stream"))]
OURS = {setting.name for section in SECTIONS for setting in settings_of(section)}


def clean_environment() -> dict[str, str]:
    """The environment without any setting of ours."""
    return {name: value for name, value in os.environ.items() if name.removesuffix("_FILE") not in OURS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A command that ended."""

    code: int
    out: str
    err: str

    @property
    def complaint(self) -> str:
        """The one line on standard error; there must be exactly one, and no traceback."""
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        assert lines[0].startswith("xero-stream: ")
        return lines[0].removeprefix("xero-stream: ")


@dataclass(slots=True, kw_only=True)
class CommandLine:
    """Runs commands in a folder without a ``.env``."""

    folder: Path
    environment: dict[str, str] = field(default_factory=clean_environment)

    def __call__(self, *arguments: str, stdin: str = "", env: Mapping[str, str] | None = None) -> Ended:
        """Run a command to its end, inside this process: for commands that end before logs are set up."""
        environment = unittest.mock.patch.dict(os.environ, {**self.environment, **(env or {})}, clear=True)
        with environment, contextlib.chdir(self.folder):
            result = CliRunner().invoke(build(), arguments, input=stdin)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ended(code=result.exit_code, out=result.stdout, err=result.stderr)

    def process(self, *arguments: str, stdin: str = "", env: Mapping[str, str] | None = None) -> Ended:
        """Run a command to its end in a process of its own."""
        return self.run([*COMMAND, *arguments], stdin=stdin, env=env)

    def forked(self, *arguments: str, env: Mapping[str, str] | None = None) -> Ended:
        """The same in a process that is forked from one with all imports: where many starts are tried alike."""
        run = Path(tempfile.mkdtemp(dir=self.folder))
        out, errors = run / "out", run / "errors"
        process = Forked(
            "cli.main", arguments, {**self.environment, **(env or {})}, out, errors=errors, folder=self.folder
        )
        code = process.wait(90)
        return Ended(code=code, out=out.read_text(encoding="utf-8"), err=errors.read_text(encoding="utf-8"))

    def run(self, command: Sequence[str], *, stdin: str = "", env: Mapping[str, str] | None = None) -> Ended:
        """Run any program to its end in the same folder and environment."""
        done = subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            cwd=self.folder,
            env={**self.environment, **(env or {})},
            timeout=90,
            check=False,
        )
        return Ended(code=done.returncode, out=done.stdout, err=done.stderr)

    def process_bytes(self, *arguments: str) -> bytes:
        """What a command in a process of its own writes, byte for byte."""
        return subprocess.run(
            [*COMMAND, *arguments], capture_output=True, cwd=self.folder, env=self.environment, timeout=90, check=True
        ).stdout

    @contextlib.contextmanager
    def running(self, *arguments: str, env: Mapping[str, str] | None = None) -> "Iterator[Running]":
        """Run a command until the block ends."""
        log = self.folder / f"{arguments[0]}.log"
        with log.open("ab") as output:
            process = subprocess.Popen(
                [*COMMAND, *arguments],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                cwd=self.folder,
                env={**self.environment, **(env or {})},
                start_new_session=True,
            )
        try:
            yield Running(process=process, log=log)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(30)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A command that runs."""

    process: "subprocess.Popen[bytes]"
    log: Path

    @property
    def said(self) -> str:
        """All it has written so far."""
        return self.log.read_text(encoding="utf-8")

    def until_said(self, text: str, limit: float = 60.0) -> None:
        """Wait until it wrote something."""
        try:
            until(lambda: text in self.said or self.process.poll() is not None, limit)
        except AssertionError as error:
            raise AssertionError(f"{text!r} not within {limit} s in: {self.said}") from error
        assert text in self.said, self.said

    def end(self, number: int = signal.SIGTERM, limit: float = 30.0) -> int:
        """Send a signal and wait for the end."""
        self.process.send_signal(number)
        return self.process.wait(limit)


@pytest.fixture
def xero_stream(tmp_path: Path) -> CommandLine:
    """The command, without any setting."""
    return CommandLine(folder=tmp_path)


@pytest.fixture
def deployed(xero_stream: CommandLine, kafka: str, database_url: str, topic_prefix: str) -> CommandLine:
    """The command with the settings of a whole deployment: real Kafka, real migrated store; no topics yet."""
    xero_stream.environment |= {
        "KAFKA_BOOTSTRAP_SERVERS": kafka,
        "KAFKA_TOPIC_PREFIX": topic_prefix,
        "KAFKA_PARTITIONS": "3",
        "KAFKA_REPLICATION_FACTOR": "1",
        "DATABASE_URL": database_url,
        "XERO_STREAM_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "XERO_WEBHOOK_KEYS": DEMO_WEBHOOK_KEY,
        "XERO_CLIENT_ID": DEMO_CLIENT_ID,
        "XERO_CLIENT_SECRET": DEMO_CLIENT_SECRET,
        "XERO_API_URL": "http://127.0.0.1:9",
        "XERO_IDENTITY_URL": "http://127.0.0.1:9",
        "XERO_STREAM_RECEIVER_HOST": "127.0.0.1",
        "XERO_STREAM_RECEIVER_PORT": str(free_port()),
        "XERO_STREAM_RECEIVER_PRIVATE_PORT": str(free_port()),
        "XERO_STREAM_PROCESSORS_PRIVATE_PORT": str(free_port()),
        "XERO_STREAM_CONSOLE_PORT": str(free_port()),
        "XERO_STREAM_CONSOLE_PRIVATE_PORT": str(free_port()),
        "XERO_STREAM_LOG_FORMAT": "json",
    }
    return xero_stream


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """A simulator started by its command."""

    url: str

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Use its control API."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"{self.url}{path}", data=data, headers={"Content-Type": "application/json"}, method=method
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read() or b"null")

    def refresh_token(self) -> str:
        """A connected grant without a browser."""
        token: str = self.ask("POST", "/_sim/grants", {})["refreshToken"]
        return token


@pytest.fixture(scope="session")
def one_simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulated]:
    """A small simulated Xero for all tests: each has a store of its own, and asks for grants of its own."""
    port = str(free_port())
    sizes = ["--tenants", "2", "--contacts", "3", "--invoices", "4", "--credit-notes", "1"]
    command = CommandLine(folder=tmp_path_factory.mktemp("simulator"))
    with command.running("simulator", "--port", port, *sizes) as running:
        running.until_said("simulator ready")
        yield Simulated(url=f"http://127.0.0.1:{port}")


@pytest.fixture
def simulator(deployed: CommandLine, one_simulator: Simulated) -> Simulated:
    """The simulated Xero, with the deployment's settings leading to it."""
    deployed.environment |= {"XERO_API_URL": one_simulator.url, "XERO_IDENTITY_URL": one_simulator.url}
    return one_simulator


def answers(url: str) -> int | None:
    """The status of a GET, or None if nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None
