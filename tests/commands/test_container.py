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

from cli.main import COMMANDS
from processors.metrics import ProcessorMetrics
from processors.tenants.watchdog import Watchdog
from receiver.metrics import ReceiverMetrics
from xero_stream.settings.example import SECTIONS, settings_of
from xero_stream.settings.processors import ProcessorSettings
from xero_stream.settings.receiver import ReceiverSettings
from xero_stream.settings.simulator import SimulatorSettings

ROOT = Path(__file__).parents[2]
SETTINGS = {setting.name: setting for section in SECTIONS for setting in settings_of(section)}
OURS = {"setup", "receiver", "processors", "simulator"}


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


def test_images_are_of_a_fixed_version(services: dict[str, Any]) -> None:
    """None is ``latest``; Kafka and PostgreSQL are of the version that is tested here."""
    lock = tomllib.loads((ROOT / "xero_stream/local/jgo.lock.toml").read_text(encoding="utf-8"))
    kafka = next(row["version"] for row in lock["dependencies"] if row["artifactId"] == "kafka_2.13")

    assert services["kafka"]["image"] == f"apache/kafka:{kafka}"
    assert services["postgres"]["image"] == "postgres:18"
    assert re.fullmatch(r"prom/prometheus:v3\.\d+\.\d+", services["prometheus"]["image"])


def test_everything_is_checked(services: dict[str, Any]) -> None:
    """Each lasting service has a health check; ours ask the port the settings default to."""
    ports = {
        "receiver": ReceiverSettings.model_fields["private_port"].default,
        "processors": ProcessorSettings.model_fields["private_port"].default,
        "simulator": SimulatorSettings.model_fields["port"].default,
    }
    for name, one in services.items():
        assert name == "setup" or one["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}, name
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
    for name in ("receiver", "processors"):
        assert services[name]["depends_on"] == {"setup": {"condition": "service_completed_successfully"}}


def test_no_secret_and_no_foreign_path(services: dict[str, Any]) -> None:
    """Secrets come from ``.env``; volumes are named or files of this repository; only the receiver is public."""
    for name, one in services.items():
        for variable, value in one.get("environment", {}).items():
            if name in OURS:
                assert variable in SETTINGS, variable
                if SETTINGS[variable].secret:
                    assert "${POSTGRES_PASSWORD:?" in value
            elif "PASSWORD" in variable:
                assert value.startswith("${POSTGRES_PASSWORD:?")
        for volume in one.get("volumes", []):
            source = volume.split(":")[0]
            assert source in read_yaml("docker-compose.yml")["volumes"] or (ROOT / source).is_file(), volume
        for port in one.get("ports", []):
            assert name == "receiver" or port.startswith("127.0.0.1:"), port


def test_our_containers_may_do_little(services: dict[str, Any]) -> None:
    """No capability, no new privilege, nothing written but /tmp."""
    for name in OURS:
        one = services[name]
        assert (one["cap_drop"], one["read_only"], one["tmpfs"]) == (["ALL"], True, ["/tmp"])
        assert one["security_opt"] == ["no-new-privileges:true"]


def test_the_image_is_slim_and_not_root(instructions: list[tuple[str, str]]) -> None:
    """Slim bases, hashes for everything installed, a numeric user, signals to the command itself."""
    bases = [rest.split()[0] for word, rest in instructions if word == "FROM"]
    assert set(bases) == {"python:3.13-slim"}
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
        for name in ("RECEIVER_PORT", "RECEIVER_PRIVATE_PORT", "PROCESSORS_PRIVATE_PORT")
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
