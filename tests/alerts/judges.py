"""Who says which alerts fire: our evaluator over scraped pages, or Prometheus itself. Both scrape the real ``/metrics``."""

import asyncio
import contextlib
import shutil
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import httpx
import yaml

from tests.alerts.rules import Rule, rules_of
from tests.support.promql import Labels, Scrapes, evaluate
from tests.support.stack import Process, free_port

SCRAPE_SECONDS = 0.5
_LOOK_SECONDS = 0.25
_SCRAPE_TIMEOUT = 2.0

Targets = Mapping[str, Sequence[int]]
"""The private ports of each Prometheus job."""

Alert = tuple[str, Labels]
"""An alert's name and the labels of its series."""


class Judge(Protocol):
    """Watches the rules."""

    fired: set[Alert]
    """What has fired since it was cleared."""

    async def firing(self) -> set[Alert]:
        """What fires now."""
        ...


class OwnJudge:
    """Scrapes and evaluates in this process."""

    def __init__(self, document: Mapping[str, Any], targets: Targets) -> None:
        self._rules = list(rules_of(document))
        self._targets = targets
        self._scrapes = Scrapes()
        self._since: dict[Alert, float] = {}
        self._firing: set[Alert] = set()
        self.fired: set[Alert] = set()

    async def firing(self) -> set[Alert]:
        """What fires now."""
        return self._firing

    async def watch(self) -> None:
        """Scrape and evaluate until cancelled."""
        async with httpx.AsyncClient(timeout=_SCRAPE_TIMEOUT, trust_env=False, verify=False) as http:
            while True:
                pages = [(job, port) for job, ports in self._targets.items() for port in ports]
                answers = await asyncio.gather(*(_page(http, port) for _, port in pages))
                now = time.monotonic()
                for (job, port), page in zip(pages, answers, strict=True):
                    self._scrapes.add(job, f"127.0.0.1:{port}", now, page)
                self._evaluate(now)
                await asyncio.sleep(SCRAPE_SECONDS)

    def _evaluate(self, now: float) -> None:
        holding = {alert: rule for rule in self._rules for alert in _holding(rule, self._scrapes, now)}
        self._since = {alert: self._since.get(alert, now) for alert in holding}
        self._firing = {alert for alert, rule in holding.items() if now - self._since[alert] >= rule.pending}
        self.fired |= self._firing


def _holding(rule: Rule, scrapes: Scrapes, now: float) -> list[Alert]:
    found = evaluate(rule.expression, scrapes, now)
    return [(rule.alert, frozenset(pair for pair in labels if pair[0] != "__name__")) for labels in found]


async def _page(http: httpx.AsyncClient, port: int) -> str | None:
    try:
        answer = await http.get(f"http://127.0.0.1:{port}/metrics")
    except httpx.TransportError:
        return None
    return answer.text if answer.status_code == 200 else None


class Prometheus:
    """A Prometheus that loads the rules and scrapes the same targets; asked over its API."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self._firing: set[Alert] = set()
        self.fired: set[Alert] = set()

    async def firing(self) -> set[Alert]:
        """What fires now."""
        return self._firing

    async def watch(self) -> None:
        """Ask again and again until cancelled."""
        while True:
            answer = (await self._http.get("/api/v1/alerts")).raise_for_status().json()
            self._firing = {
                (one["labels"]["alertname"], frozenset(_own(one["labels"]).items()))
                for one in answer["data"]["alerts"]
                if one["state"] == "firing"
            }
            self.fired |= self._firing
            await asyncio.sleep(_LOOK_SECONDS)


def _own(labels: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in labels.items() if name not in {"alertname", "severity"}}


@contextlib.asynccontextmanager
async def own_judge(document: Mapping[str, Any], targets: Targets) -> AsyncIterator[OwnJudge]:
    """Our evaluator at work.

    Args:
        document: the rules, shortened.
        targets: what to scrape.
    """
    judge = OwnJudge(document, targets)
    async with _at_work(judge):
        yield judge


@contextlib.asynccontextmanager
async def prometheus(document: Mapping[str, Any], targets: Targets, folder: Path) -> AsyncIterator[Prometheus]:
    """A Prometheus of the test's own (Debian's package ``prometheus``).

    Args:
        document: the rules, shortened.
        targets: what to scrape.
        folder: its files and its log.

    Raises:
        AssertionError: it is not installed, or does not come up.
    """
    program = shutil.which("prometheus")
    assert program, "there is no prometheus here: `make alerts` installs Debian's package"
    port = free_port()
    (folder / "alerts.yml").write_text(yaml.safe_dump(document), encoding="utf-8")
    config = {
        "global": {"scrape_interval": "500ms", "scrape_timeout": "500ms", "evaluation_interval": "500ms"},
        "rule_files": ["alerts.yml"],
        "scrape_configs": [
            {"job_name": job, "static_configs": [{"targets": [f"127.0.0.1:{one}" for one in ports]}]}
            for job, ports in targets.items()
        ],
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    process = Process(
        name="prometheus",
        command=[
            program,
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'prometheus-data'}",
            f"--web.listen-address=127.0.0.1:{port}",
        ],
        env={},
        log=folder / "prometheus.log",
    )
    process.start()
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10, trust_env=False) as http:
            await _ready(http, process)
            judge = Prometheus(http)
            async with _at_work(judge):
                yield judge
    finally:
        await process.stop()


async def _ready(http: httpx.AsyncClient, process: Process) -> None:
    deadline = time.monotonic() + 30
    while True:
        with contextlib.suppress(httpx.TransportError):
            if (await http.get("/-/ready")).status_code == 200:
                return
        assert time.monotonic() < deadline, process.tail()
        assert not process.ended, process.tail()
        await asyncio.sleep(0.1)


@contextlib.asynccontextmanager
async def _at_work(judge: OwnJudge | Prometheus) -> AsyncIterator[None]:
    watching = asyncio.create_task(judge.watch())
    try:
        yield
        assert not watching.done(), watching.exception()
    finally:
        watching.cancel()
        await asyncio.wait({watching})
