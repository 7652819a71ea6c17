"""The long-running commands as processes: ready, stopped in order, gone with their parent, started again."""

import os
import re
import signal
from pathlib import Path

import pytest

from tests.commands.conftest import OURS, CommandLine, Running, Simulated, answers
from tests.commands.test_grants import fetch
from tests.support.processes import processes_of, until
from tests.support.stack import free_port
from xero_api.registry import by_name
from xero_stream.contracts.names import STREAMED
from xero_stream.settings.access import MAY_HAVE, SECRETS, Process


def private_port(deployed: CommandLine, name: str) -> str:
    """The address of a service's health."""
    return f"http://127.0.0.1:{deployed.environment[f'XERO_STREAM_{name}_PRIVATE_PORT']}"


def ready(deployed: CommandLine, name: str) -> None:
    """Wait until a service says that it is ready."""
    until(lambda: answers(f"{private_port(deployed, name)}/readyz") == 200, 90)


def alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def child_pid(running: Running, name: str, *, nth: int = 1) -> int:
    """The process id of a child, from the parent's log: of its nth start."""

    def found() -> list[str]:
        return re.findall(rf'"process":"{name}","child_pid":(\d+)', running.said)

    until(lambda: len(found()) >= nth, 60)
    return int(found()[nth - 1])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_simulator_ends_when_asked(xero_stream: CommandLine, number: signal.Signals) -> None:
    """It says when it is ready, and ends with 0."""
    with xero_stream.running("simulator", "--port", str(free_port()), "--tenants", "1") as running:
        running.until_said("simulator ready on http://127.0.0.1:")
        assert running.end(number) == 0
    assert "Traceback" not in running.said


def test_a_port_that_is_taken(xero_stream: CommandLine) -> None:
    """78, the port, and the option."""
    port = str(free_port())
    with xero_stream.running("simulator", "--port", port, "--tenants", "0") as running:
        running.until_said("simulator ready")
        ended = xero_stream.process("simulator", "--port", port)

    assert ended.code == 78
    assert port in ended.complaint


def test_a_service_ends_with_its_parent(xero_stream: CommandLine) -> None:
    """With --with-parent the end of standard input is the end: nobody has to send a signal."""
    with xero_stream.running("simulator", "--port", str(free_port()), "--tenants", "0", "--with-parent") as running:
        running.until_said("simulator ready")
        assert running.process.stdin is not None
        running.process.stdin.close()
        assert running.process.wait(15) == 0


def test_the_receiver_without_kafka_serves_all_the_same(deployed: CommandLine) -> None:
    """Xero must hear an answer; SIGTERM drains and ends with 0."""
    deployed.environment["KAFKA_BOOTSTRAP_SERVERS"] = "127.0.0.1:9"
    with deployed.running("receiver") as running:
        ready(deployed, "RECEIVER")
        assert running.end() == 0


@pytest.mark.parametrize(
    ("step", "told"),
    [("migrate", "xero-stream migrate"), ("topics", "xero-stream topics apply")],
)
def test_processors_name_the_step_that_is_missing(
    deployed: CommandLine, empty_database_url: str, step: str, told: str
) -> None:
    """78 and one line, before anything is touched."""
    env = {"DATABASE_URL": empty_database_url} if step == "migrate" else {}

    ended = deployed.process("processors", env=env)

    assert ended.code == 78
    assert told in ended.err.splitlines()[-1]
    assert "Traceback" not in ended.err


def test_the_receiver_names_the_step_that_is_missing(deployed: CommandLine) -> None:
    """78 and one line, once Kafka has said for three seconds that there are no topics; doctor has the same advice."""
    ended = deployed.process("receiver")

    assert ended.code == 78
    assert "`xero-stream topics apply`" in ended.err.splitlines()[-1]
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("command", ["processors", "up"])
def test_nothing_is_read_from_xero_without_a_client_id(deployed: CommandLine, command: str) -> None:
    """78 and one line, before anything is started."""
    ended = deployed.process(command, env={"XERO_CLIENT_ID": "", "XERO_CLIENT_SECRET": ""})

    assert ended.code == 78
    assert ended.complaint.startswith("XERO_CLIENT_ID is not set")


@pytest.mark.timeout(300)
def test_up_runs_starts_again_and_stops(deployed: CommandLine, simulator: Simulated) -> None:
    """All processes get ready; a killed one comes back; Ctrl-C stops the receiver before the processors."""
    deployed("topics", "apply")
    deployed("grants", "add", stdin=simulator.refresh_token())
    with deployed.running("up") as running:
        ready(deployed, "RECEIVER")
        ready(deployed, "PROCESSORS")
        ready(deployed, "CONSOLE")
        first = child_pid(running, "processors")
        os.kill(first, signal.SIGKILL)
        second = child_pid(running, "processors", nth=2)
        ready(deployed, "PROCESSORS")
        until(lambda: fetch(deployed, "SELECT count(*) AS n FROM passes WHERE finished_at IS NULL") == [{"n": 0}], 90)
        receiver, console = child_pid(running, "receiver"), child_pid(running, "console")
        code = running.end(signal.SIGINT)
        said = running.said

    assert code == 0
    assert first != second
    assert not any(alive(pid) for pid in (first, second, receiver, console))
    assert said.index('"event":"receiver_drained"') < said.index('"event":"stopping"')
    assert "Traceback" not in said
    published = deployed("tail", "--from-beginning", "--until-end").out.count("\n")
    assert published == sum(
        tenant["records"][by_name(entity).path]
        for tenant in simulator.ask("GET", "/_sim/tenants")["tenants"]
        for entity in STREAMED
    )


@pytest.mark.timeout(300)
def test_up_that_is_killed_leaves_nothing(deployed: CommandLine) -> None:
    """`kill -9` of the parent: within 15 s nothing of it is left, and its ports are free again."""
    deployed("topics", "apply")
    with deployed.running("up", "--workers", "2") as running:
        ready(deployed, "RECEIVER")
        ready(deployed, "PROCESSORS")
        assert len(processes_of(deployed.folder)) >= 5
        running.process.kill()
        running.process.wait()

        until(lambda: not processes_of(deployed.folder), 15)


def test_up_gives_up_what_can_not_run(deployed: CommandLine) -> None:
    """A child whose settings or set-up are wrong is not started again and again: 78. No secret in its log at any level."""
    deployed.environment["XERO_STREAM_LOG_LEVEL"] = "debug"
    with deployed.running("up") as running:
        code = running.process.wait(90)

    assert code == 78
    assert "topics apply" in running.said
    assert running.said.count('"event":"process_unusable"') == 1
    for name in ("XERO_STREAM_ENCRYPTION_KEYS", "XERO_WEBHOOK_KEYS", "XERO_CLIENT_SECRET", "DATABASE_URL"):
        assert deployed.environment[name] not in running.said
    assert deployed.environment["DATABASE_URL"].split(":")[2].split("@")[0] not in running.said


def environment_of(pid: int) -> dict[str, str]:
    """What a process was really given."""
    pairs = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
    return dict(pair.split("=", 1) for pair in pairs if pair)


def descendants(pid: int) -> list[int]:
    """The children of a process, and theirs."""
    children = [
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    ]
    return [*children, *(grandchild for child in children for grandchild in descendants(child))]


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")
@pytest.mark.usefixtures("simulator")
def test_children_of_up_are_given_what_the_table_allows(deployed: CommandLine) -> None:
    """Receiver, its workers, processors and console: the settings of each in its environment, no secret of another."""
    deployed.environment |= {
        "XERO_STREAM_FIELD_POLICY_KEY": "canary-field-policy-key-0123456789abcdef",
        "XERO_STREAM_SIMULATOR_CLIENT_SECRET": "canary-simulator",
        "AWS_SECRET_ACCESS_KEY": "canary-of-another-program",
    }
    assert deployed("topics", "apply").code == 0
    with deployed.running("up", "--workers", "2") as running:
        ready(deployed, "RECEIVER")
        ready(deployed, "PROCESSORS")
        ready(deployed, "CONSOLE")
        receiver, processors = child_pid(running, "receiver"), child_pid(running, "processors")
        console = child_pid(running, "console")
        workers = descendants(receiver)
        given = {
            Process.RECEIVER: [environment_of(pid) for pid in (receiver, *workers)],
            Process.PROCESSORS: [environment_of(processors)],
            Process.CONSOLE: [environment_of(console)],
        }
        assert running.end() == 0

    assert len(workers) == 2
    for process, environments in given.items():
        for environment in environments:
            ours = {name for name in environment if name.removesuffix("_FILE") in OURS}
            assert {name.removesuffix("_FILE") for name in ours} <= MAY_HAVE[process]
            assert "canary-of-another-program" not in environment.values()
            values = set(environment.values())
            for name in SECRETS & set(deployed.environment):
                assert (deployed.environment[name] in values) == (name in MAY_HAVE[process]), name
    assert given[Process.PROCESSORS][0]["DATABASE_URL"] == deployed.environment["DATABASE_URL"]
