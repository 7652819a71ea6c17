"""Dockerfile, compose file, monitoring: read and compared with the code, as no container engine runs here."""

import http.server
import importlib.metadata
import re
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml
from packaging.requirements import Requirement
from prometheus_client import CollectorRegistry

from cli.application import COMMANDS
from processors.metrics import ProcessorMetrics
from receiver.metrics import ReceiverMetrics
from xero_stream.settings.access import MAY_HAVE, SECRETS, Process
from xero_stream.settings.console import ConsoleSettings
from xero_stream.settings.example import SECTIONS, settings_of
from xero_stream.settings.processors import ProcessorSettings
from xero_stream.settings.receiver import ReceiverSettings
from xero_stream.settings.simulator import SimulatorSettings
from xero_stream.store.crypto import TokenCipher
from xero_stream.telemetry.watchdog import Watchdog

ROOT = Path(__file__).parents[2]
SETTINGS = {setting.name: setting for section in SECTIONS for setting in settings_of(section)}
OURS = {"setup", "receiver", "processors", "console", "tools", "simulator"}


def read_yaml(path: str) -> Any:
    """A file of the repository."""
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    """The services of the compose file, merged."""
    return dict(read_yaml("docker-compose.yml")["services"])


@pytest.fixture(scope="module")
def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions and their arguments."""
    text = re.sub(r"\\\n", " ", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.split(maxsplit=1)[0], " ".join(line.split(maxsplit=1)[1].split())) for line in lines]


def test_one_service_per_process(services: dict[str, Any]) -> None:
    """Official images for the servers, our one image for the rest, each running a command there is."""
    assert {name: one["image"].split(":")[0] for name, one in services.items() if name not in OURS} == {
        "kafka": "apache/kafka",
        "postgres": "postgres",
        "prometheus": "prom/prometheus",
    }
    for name in OURS:
        assert services[name]["build"] == "."
        words = " ".join(services[name]["command"])
        for command in re.findall(r"xero-stream (\S+)", words) or [words]:
            assert command in COMMANDS
    assert services["simulator"]["profiles"] == ["simulator"]
    assert services["tools"]["profiles"] == ["tools"]


def test_images_are_of_a_fixed_version(services: dict[str, Any]) -> None:
    """None is ``latest``; Kafka and PostgreSQL are of the version that is tested here."""
    lock = tomllib.loads((ROOT / "xero_stream/local/jgo.lock.toml").read_text(encoding="utf-8"))
    kafka = next(row["version"] for row in lock["dependencies"] if row["artifactId"] == "kafka_2.13")

    assert services["kafka"]["image"] == f"apache/kafka:{kafka}"
    assert re.fullmatch(r"postgres:18\.\d+-[a-z]+", services["postgres"]["image"])
    assert re.fullmatch(r"prom/prometheus:v3\.\d+\.\d+", services["prometheus"]["image"])


def test_everything_is_checked(services: dict[str, Any]) -> None:
    """Each lasting service has a health check; ours ask the port the settings default to."""
    ports = {
        "receiver": ReceiverSettings.model_fields["private_port"].default,
        "processors": ProcessorSettings.model_fields["private_port"].default,
        "console": ConsoleSettings.model_fields["private_port"].default,
        "simulator": SimulatorSettings.model_fields["port"].default,
    }
    for name, one in services.items():
        assert name in {"setup", "tools"} or one["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}, name
    for name, port in ports.items():
        assert services[name]["healthcheck"]["test"][1:5] == ["python", "-m", "cli.healthcheck", str(port)]


def test_the_order_of_starting(services: dict[str, Any]) -> None:
    """Servers well, then schema and topics to their end, then the processes."""
    setup = services["setup"]["depends_on"]
    assert {name: one["condition"] for name, one in setup.items()} == {
        "kafka": "service_healthy",
        "postgres": "service_healthy",
    }
    assert services["setup"]["restart"] == "no"
    for name in ("receiver", "processors", "console"):
        assert services[name]["depends_on"] == {"setup": {"condition": "service_completed_successfully"}}


def secret_names(one: dict[str, Any]) -> dict[str, str]:
    """Which secret of a service's environment is read from which of its files."""
    return {
        name.removesuffix("_FILE"): value.removeprefix("/run/secrets/")
        for name, value in one.get("environment", {}).items()
        if name.endswith("_FILE") and name not in SETTINGS
    }


@pytest.mark.parametrize("name", sorted(OURS))
def test_each_service_has_what_its_process_may_have(services: dict[str, Any], name: str) -> None:
    """Settings and secrets of each service are those that the table allows its process; secrets are files."""
    one, process = services[name], Process(name)
    assert "env_file" not in one
    secrets = secret_names(one)

    assert set(one["environment"]) - {f"{secret}_FILE" for secret in secrets} <= MAY_HAVE[process] - SECRETS
    assert set(secrets) <= MAY_HAVE[process] & SECRETS
    assert set(secrets.values()) == set(one["secrets"])
    # Kafka's users are no part of this file: its listeners have no passwords.
    assert MAY_HAVE[process] & SECRETS - set(secrets) <= {"KAFKA_SASL_PASSWORD"}


def test_what_a_process_uses_can_be_set(services: dict[str, Any]) -> None:
    """No setting of receiver, processors or console is out of reach, but addresses that the image and this file decide."""
    ours = (
        "KAFKA_S",
        "XERO_STREAM_RECEIVER_HOST",
        "XERO_STREAM_RECEIVER_P",
        "XERO_STREAM_PROCESSORS_P",
        "XERO_STREAM_CONSOLE_P",
    )
    apart = {"XERO_STREAM_APPS_FILE", "XERO_STREAM_GROUP_INSTANCE_ID"}
    for name in ("receiver", "processors", "console"):
        given = {variable.removesuffix("_FILE") for variable in services[name]["environment"]}
        left = MAY_HAVE[Process(name)] - given - apart
        assert {variable for variable in left if not variable.startswith(ours)} == set()


def test_secrets_are_files_outside_the_repository(services: dict[str, Any]) -> None:
    """None stands in the compose file; git ignores the folder; the script makes each of them."""
    compose = read_yaml("docker-compose.yml")
    script = (ROOT / "deploy/secrets.sh").read_text(encoding="utf-8")

    assert {name: one["file"] for name, one in compose["secrets"].items()} == {
        name: f"./secrets/{name}" for name in compose["secrets"]
    }
    assert "/secrets/" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert all(name in script for name in compose["secrets"])
    assert {name for one in services.values() for name in one.get("secrets", [])} == set(compose["secrets"])
    for name in ("kafka", "postgres", "prometheus"):
        for variable in services[name].get("environment", {}):
            assert "PASSWORD" not in variable or variable.endswith("_FILE"), variable


def test_secrets_are_drawn(tmp_path: Path) -> None:
    """The script makes usable secrets in a folder for its owner alone, and keeps them when it is run again."""
    (tmp_path / "deploy").mkdir()
    script = tmp_path / "deploy" / "secrets.sh"
    script.write_bytes((ROOT / "deploy/secrets.sh").read_bytes())

    def run() -> dict[str, str]:
        subprocess.run(["sh", str(script)], cwd="/", check=True, capture_output=True)
        return {file.name: file.read_text() for file in (tmp_path / "secrets").iterdir()}

    first = run()
    (tmp_path / "secrets" / "xero_webhook_keys").write_text("kept")

    assert set(first) == set(read_yaml("docker-compose.yml")["secrets"])
    assert run() == {**first, "xero_webhook_keys": "kept"}
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
    TokenCipher([first["encryption_keys"]])
    assert len(first["postgres_password"]) == 48
    assert f":{first['postgres_password']}@postgres:5432/" in first["database_url"]


def test_networks(services: dict[str, Any]) -> None:
    """Two; what strangers reach is on the outer one alone, and PostgreSQL on the inner one alone."""
    networks = {name: set(one["networks"]) for name, one in services.items()}

    assert set(read_yaml("docker-compose.yml")["networks"]) == set().union(*networks.values()) == {"edge", "inner"}
    assert networks["receiver"] == {"edge"}
    assert networks["postgres"] == networks["processors"] == networks["console"] == {"inner"}
    assert networks["setup"] == networks["tools"] == {"inner"}
    assert networks["kafka"] == {"edge", "inner"}


def test_ports_and_volumes(services: dict[str, Any]) -> None:
    """Ports are published on the loopback, the receiver's elsewhere on request; volumes are named or files of this repository."""
    for name, one in services.items():
        for volume in one.get("volumes", []):
            source = volume.split(":")[0]
            assert source in read_yaml("docker-compose.yml")["volumes"] or (ROOT / source).is_file(), volume
        for port in one.get("ports", []):
            assert port.startswith("${PUBLISHED_ON:-127.0.0.1}:" if name == "receiver" else "127.0.0.1:"), port


def test_the_page_shows_the_table() -> None:
    """``docs/security.md`` says of every secret which process may hold it."""
    page = (ROOT / "docs/security.md").read_text(encoding="utf-8")
    header, _, *rows = page[page.index("| secret |") :].split("\n\n")[0].splitlines()
    columns = [cell.strip() for cell in header.strip("| ").split("|")][1:]
    shown = {
        (secret, process)
        for row in rows
        for cells in [[cell.strip() for cell in row.strip("|").split("|")]]
        for secret in re.findall(r"`(\w+)`", cells[0])
        for process, cell in zip(columns, cells[1:], strict=True)
        if cell == "yes"
    }

    assert columns == list(Process)
    assert shown == {(secret, process) for process, names in MAY_HAVE.items() for secret in names & SECRETS}


def test_our_containers_may_do_little(services: dict[str, Any]) -> None:
    """No capability, no new privilege, nothing written but /tmp."""
    for name in OURS:
        one = services[name]
        assert (one["cap_drop"], one["read_only"], one["tmpfs"]) == (["ALL"], True, ["/tmp"])
        assert one["security_opt"] == ["no-new-privileges:true"]


def test_the_image_is_slim_and_not_root(instructions: list[tuple[str, str]]) -> None:
    """Slim bases, hashes for everything installed, a numeric user, signals to the command itself."""
    bases = [rest.split()[0] for word, rest in instructions if word == "FROM"]
    assert len(set(bases)) == 1
    assert re.fullmatch(r"python:3\.13\.\d+-slim-[a-z]+", bases[0])
    installs = re.findall(r"pip install ([^&]*)", " && ".join(rest for word, rest in instructions if word == "RUN"))
    assert len(installs) == 3
    assert all("--require-hashes" in one or "--no-index" in one for one in installs)
    last = dict(instructions)
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", last["USER"])
    assert last["ENTRYPOINT"] == '["xero-stream"]'
    assert last["HEALTHCHECK"].endswith('CMD ["python", "-m", "cli.healthcheck"]')


def test_private_ports_are_reached_in_a_container(instructions: list[tuple[str, str]]) -> None:
    """Every process with a private port listens on all of the container's addresses."""
    environment = next(rest for word, rest in reversed(instructions) if word == "ENV")
    hosts = {name for name in SETTINGS if name.endswith("_PRIVATE_HOST")}

    assert set(re.findall(r"(XERO_STREAM_\w+)=0\.0\.0\.0", environment)) == hosts
    exposed = next(rest for word, rest in instructions if word == "EXPOSE").split()
    assert exposed == [
        SETTINGS[f"XERO_STREAM_{name}"].default
        for name in (
            "RECEIVER_PORT",
            "RECEIVER_PRIVATE_PORT",
            "PROCESSORS_PRIVATE_PORT",
            "CONSOLE_PORT",
            "CONSOLE_PRIVATE_PORT",
        )
    ]


def test_what_is_copied_exists_and_is_not_ignored(instructions: list[tuple[str, str]]) -> None:
    """All packages of the distribution, and nothing the ignore file holds back."""
    allowed = {
        line[1:].rstrip("/") for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")
    }
    copied = [
        source.rstrip("/")
        for word, rest in instructions
        if word == "COPY" and "--from" not in rest
        for source in rest.split()[:-1]
    ]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

    assert set(copied) == allowed
    assert all((ROOT / source).exists() for source in copied)
    assert set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) <= set(copied)


def test_what_builds_the_wheel_is_pinned(instructions: list[tuple[str, str]]) -> None:
    """The names taken out of the development lock are the build backend and all it needs."""
    names = next(re.findall(r"\^\(([^)]*)\)==", rest)[0] for word, rest in instructions if "awk" in rest).split("|")
    needed, more = set(), {"hatchling"}
    while more:
        name = more.pop()
        needed.add(name)
        requirements = map(Requirement, importlib.metadata.requires(name) or [])
        more |= {one.name for one in requirements if one.marker is None or one.marker.evaluate({"extra": ""})} - needed
    lock = (ROOT / "requirements/dev.lock").read_text(encoding="utf-8")

    assert set(names) == needed
    assert all(re.search(rf"^{re.escape(name)}==", lock, re.MULTILINE) for name in names)


def metric_names() -> set[str]:
    """Every series that our processes show, as Prometheus names it."""
    receiver, processors = CollectorRegistry(), CollectorRegistry()
    ReceiverMetrics(registry=receiver)
    ProcessorMetrics(processors, Watchdog())
    families = [family for registry in (receiver, processors) for family in registry.collect()]
    return {f"{family.name}_total" if family.type == "counter" else family.name for family in families}


def test_alerts_ask_for_metrics_that_exist() -> None:
    """Every rule says what happened and what to do, over series there are."""
    names = metric_names()
    for rule in read_yaml("deploy/alerts.yml")["groups"][0]["rules"]:
        assert set(re.findall(r"xero_stream_\w+", rule["expr"])) <= names, rule["alert"]
        assert rule["labels"]["severity"] in {"page", "warn", "info"}
        assert rule["annotations"]["summary"]
        assert rule["annotations"]["todo"]


def test_prometheus_scrapes_what_runs(services: dict[str, Any]) -> None:
    """Every job is a service with that private port; alerts are loaded from where compose puts them."""
    config = read_yaml("deploy/prometheus.yml")
    for job in config["scrape_configs"]:
        [target] = job["dns_sd_configs"]
        [name] = target["names"]
        assert services[name]["healthcheck"]["test"][4] == str(target["port"])
    mounted = [volume.split(":")[1] for volume in services["prometheus"]["volumes"]]
    assert {f"/etc/prometheus/{file}" for file in config["rule_files"]} <= set(mounted)


class _Health(http.server.BaseHTTPRequestHandler):
    answer: ClassVar[int] = 200

    def do_GET(self) -> None:
        self.send_response(self.answer if self.path in {"/livez", "/other"} else 404)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def health() -> Iterator[int]:
    """The port of a process that answers ``/livez``."""
    with http.server.HTTPServer(("127.0.0.1", 0), _Health) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def check(*arguments: str) -> int:
    """Run the image's health check as the engine does."""
    command = [sys.executable, "-m", "cli.healthcheck", *arguments]
    environment = {"http_proxy": "http://127.0.0.1:9"}
    return subprocess.run(command, cwd=ROOT, env=environment, timeout=30, check=False).returncode


@pytest.mark.parametrize(("answer", "code"), [(200, 0), (503, 1)])
def test_the_health_check(health: int, monkeypatch: pytest.MonkeyPatch, answer: int, code: int) -> None:
    """200 is well, 503 is not, whatever proxy the environment names; the path may be another."""
    monkeypatch.setattr(_Health, "answer", answer)

    assert check(str(health)) == code
    assert check(str(health), "/other") == code
    assert check(str(health), "/nothing") == 1


def test_nobody_answers_the_health_check() -> None:
    """A process that is not there is not well."""
    assert check("9") == 1
