"""The whole system in real processes against the real Kafka and PostgreSQL: for end-to-end tests and benchmarks."""

import asyncio
import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import asyncpg
import httpx
import orjson
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition
from cryptography.fernet import Fernet

from tests.support.forked import Forked, forks
from verify.history import Change, EventRef, History, RecordMessage, RecordRef, Spot, read_change, read_record
from verify.promises import Finding, Promise, check
from verify.truth import unified
from xero_api.registry import ENTITIES, by_name
from xero_stream.contracts.names import DEFAULT_APP, STREAMED, EntityName, TenantId
from xero_stream.contracts.topics import Topics
from xero_stream.kafka.admin import TopicAdmin, wanted
from xero_stream.settings.apps import App
from xero_stream.settings.kafka import KafkaSettings
from xero_stream.settings.xero import AppTier
from xero_stream.store.connections import Organisation, connect
from xero_stream.store.crypto import Column, TokenCipher
from xero_stream.store.grants import SealedTokens
from xero_stream.store.migrate import upgrade

PARTITIONS = 3
WEBHOOK_KEY = "test-signing-key-with-enough-letters=="
CLIENT_ID = "TESTCLIENT"
CLIENT_SECRET = "test-secret"


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


@dataclass(slots=True, kw_only=True)
class Process:
    """A child process with its log."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str]
    log: Path
    child: "subprocess.Popen[bytes] | Forked | None" = None
    starts: int = 0

    def start(self, stdin: Path | None = None) -> None:
        """Start it; its log grows from start to start, its standard input is a file, or empty."""
        assert self.child is None or self.child.poll() is not None
        env = {**os.environ, **self.env}
        interpreter, option, module, *arguments = self.command
        if (interpreter, option) == (sys.executable, "-m") and forks(env):
            self.child = Forked(module, arguments, env, self.log, stdin)
        else:
            with self.log.open("ab") as output, (stdin or Path(os.devnull)).open("rb") as given:
                self.child = subprocess.Popen(
                    self.command, env=env, stdin=given, stdout=output, stderr=output, start_new_session=True
                )
        self.starts += 1

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self.child is not None
        return self.child.pid

    @property
    def ended(self) -> bool:
        """Whether it was started and runs no more."""
        return self.child is not None and self.child.poll() is not None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to it, and to it alone."""
        if self.child is not None and self.child.poll() is None:
            self.child.send_signal(number)

    def kill(self) -> None:
        """``kill -9`` and wait for the end."""
        self.signal(signal.SIGKILL)
        if self.child is not None:
            self.child.wait()

    async def stop(self, within: float = 15.0) -> int:
        """SIGTERM, then wait; answers the exit code."""
        self.signal(signal.SIGTERM)
        return await self.wait(within)

    async def wait(self, within: float = 15.0) -> int:
        """Wait for its end; answers the exit code.

        Raises:
            AssertionError: it did not end in time, and was killed.
        """
        assert self.child is not None
        deadline = time.monotonic() + within
        while self.child.poll() is None:
            if time.monotonic() > deadline:
                self.kill()
                raise AssertionError(f"{self.name} did not stop within {within} s; its log:\n{self.tail()}")
            await asyncio.sleep(0.02)
        return self.child.wait()

    def tail(self, lines: int = 30) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


@dataclass(slots=True, kw_only=True)
class Stack:
    """Simulator, receiver and processors, and everything to look at them with."""

    bootstrap_servers: str
    database_url: str
    prefix: str
    folder: Path
    simulator_options: Sequence[str] = ()
    processor_count: int = 1
    environment: Mapping[str, str] = field(default_factory=dict)
    environments: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    processors_module: Sequence[str] = ("cli.main", "processors")
    one_topic_too: bool = False
    seed: int = 1
    processes: dict[str, Process] = field(default_factory=dict)
    _http: httpx.AsyncClient | None = None
    _made: float = field(default_factory=time.monotonic)
    _key: str = field(default_factory=lambda: Fernet.generate_key().decode())

    simulator_port: int = field(default_factory=free_port)
    receiver_port: int = field(default_factory=free_port)
    private_ports: dict[str, int] = field(default_factory=dict)

    @property
    def topics(self) -> Topics:
        """The topics' names."""
        return Topics(prefix=self.prefix)

    @property
    def change_topics(self) -> list[str]:
        """Where changes may be."""
        names = [
            replace(self.topics, one_changes_topic=one).changes(name) for one in (False, True) for name in STREAMED
        ]
        return [name for name in dict.fromkeys(names) if self.one_topic_too or name != f"{self.prefix}.changes"]

    @property
    def simulator_url(self) -> str:
        """Where the simulated Xero is."""
        return f"http://127.0.0.1:{self.simulator_port}"

    @property
    def webhook_url(self) -> str:
        """Where webhooks go."""
        return f"http://127.0.0.1:{self.receiver_port}/webhooks/xero"

    @property
    def kafka(self) -> KafkaSettings:
        """Kafka's settings."""
        return KafkaSettings.read(
            bootstrap_servers=self.bootstrap_servers,
            topic_prefix=self.prefix,
            partitions=PARTITIONS,
            replication_factor=1,
        )

    def env(self, name: str) -> dict[str, str]:
        """The environment of a process."""
        port = str(self.private_ports.setdefault(name, free_port()))
        return {
            "KAFKA_BOOTSTRAP_SERVERS": self.bootstrap_servers,
            "KAFKA_TOPIC_PREFIX": self.prefix,
            "KAFKA_PARTITIONS": str(PARTITIONS),
            "KAFKA_REPLICATION_FACTOR": "1",
            "DATABASE_URL": self.database_url,
            "XERO_STREAM_ENCRYPTION_KEYS": self._key,
            "XERO_WEBHOOK_KEYS": WEBHOOK_KEY,
            "XERO_CLIENT_ID": CLIENT_ID,
            "XERO_CLIENT_SECRET": CLIENT_SECRET,
            "XERO_APP_TIER": "core",
            "XERO_API_URL": self.simulator_url,
            "XERO_IDENTITY_URL": self.simulator_url,
            "XERO_STREAM_RECEIVER_HOST": "127.0.0.1",
            "XERO_STREAM_RECEIVER_PORT": str(self.receiver_port),
            "XERO_STREAM_RECEIVER_PRIVATE_PORT": port,
            "XERO_STREAM_PROCESSORS_PRIVATE_PORT": port,
            "XERO_STREAM_LOG_FORMAT": "json",
            "PYTHONUNBUFFERED": "1",
            **self.environment,
            **self.environments.get(name, {}),
        }

    @property
    def http(self) -> httpx.AsyncClient:
        """A client for the simulator's control API and private ports."""
        assert self._http is not None
        return self._http

    async def __aenter__(self) -> Self:
        self._http = httpx.AsyncClient(base_url=self.simulator_url, timeout=60, trust_env=False, verify=False)
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            await upgrade(self.database_url)
            async with TopicAdmin(self.kafka) as admin:
                await admin.apply(wanted(self.kafka, STREAMED))
            self.add("simulator", "simulator", *self._simulator_arguments())
            self.add("receiver", "receiver")
            for number in range(self.processor_count):
                self.add(f"processors-{number}", *self.processors_module)
            for process in self.processes.values():
                process.start()
            await self.until(self._simulator_answers, 60, "the simulator to answer")
            await self.until(self.receiver_ready, 60, "the receiver to answer")
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        for process in self.processes.values():
            process.signal(signal.SIGCONT)
        ends = [
            process.stop()
            for name, process in reversed(self.processes.items())
            if process.child is not None and name != "simulator"
        ]
        with contextlib.suppress(AssertionError):
            await asyncio.gather(*ends)
        for process in self.processes.values():
            process.kill()
        await self.http.aclose()

    def add(self, name: str, module: str, *arguments: str) -> Process:
        """Declare a process; the caller starts it."""
        process = Process(
            name=name,
            command=[sys.executable, "-m", module, *arguments],
            env=self.env(name),
            log=self.folder / f"{name}.log",
        )
        self.processes[name] = process
        return process

    def _simulator_arguments(self) -> list[str]:
        return [
            f"--port={self.simulator_port}",
            f"--webhook-url={self.webhook_url}",
            f"--webhook-key={WEBHOOK_KEY}",
            f"--client-id={CLIENT_ID}",
            f"--client-secret={CLIENT_SECRET}",
            f"--seed={self.seed}",
            "--webhook-retry-seconds=1",
            *self.simulator_options,
        ]

    async def _simulator_answers(self) -> bool:
        with contextlib.suppress(httpx.TransportError):
            return (await self.http.get("/_sim/tenants")).status_code == 200
        return False

    async def receiver_ready(self) -> bool:
        """Whether the receiver takes requests and reaches Kafka."""
        return await self.health("receiver", "readyz") == 200

    async def processors_ready(self, name: str = "processors-0") -> bool:
        """Whether a processor has its partitions."""
        with contextlib.suppress(httpx.TransportError):
            answer = await self.http.get(f"http://127.0.0.1:{self.private_ports[name]}/readyz")
            return answer.status_code == 200 and answer.json()["reasons"]["partitions"] != "none"
        return False

    async def health(self, name: str, page: str) -> int | None:
        """The status of a process's health page; None if it does not answer."""
        with contextlib.suppress(httpx.TransportError):
            return (await self.http.get(f"http://127.0.0.1:{self.private_ports[name]}/{page}")).status_code
        return None

    async def metrics(self, name: str) -> str:
        """A process's metrics page."""
        return (await self.http.get(f"http://127.0.0.1:{self.private_ports[name]}/metrics")).text

    async def series(self, name: str) -> dict[str, float]:
        """A process's metrics as numbers, by name and labels as they stand on the page."""
        lines = (line.rsplit(" ", 1) for line in (await self.metrics(name)).splitlines() if not line.startswith("#"))
        return {series: float(value) for series, value in lines}

    @property
    def processors(self) -> list[str]:
        """Names of the processors."""
        return [name for name in self.processes if name.startswith("processors")]

    async def settled_group(self, *names: str, within: float = 40.0) -> None:
        """Wait until these processors (all by default) have every partition among them, each with its lease."""

        async def settled() -> bool:
            held: list[str] = []
            for name in names or self.processors:
                if not await self.processors_ready(name):
                    return False
                answer = await self.http.get(f"http://127.0.0.1:{self.private_ports[name]}/readyz")
                held += answer.json()["reasons"]["partitions"].split(", ")
            return sorted(held) == [str(number) for number in range(PARTITIONS)]

        await self.until(settled, within, f"{', '.join(names or self.processors)} to share the partitions")

    def elapsed(self) -> float:
        """Seconds since this stack was made."""
        return time.monotonic() - self._made

    def note(self, what: str) -> None:
        """Write down when something was done, for whoever reads the logs of a failed run."""
        with (self.folder / "timeline.log").open("a", encoding="utf-8") as file:
            file.write(f"{datetime.now(UTC).isoformat(timespec='milliseconds')} {what}\n")

    async def until(self, condition: Any, within: float, what: str) -> None:
        """Wait for a condition.

        Raises:
            AssertionError: it did not come true in time; with the end of every log.
        """
        deadline = time.monotonic() + within
        self.note(f"waiting for {what}")
        while not await condition():
            if time.monotonic() > deadline:
                self.note(f"waited {within} s without a result")
                logs = "\n".join(
                    f"--- {p.name}\n{p.tail(6)[-3000:]}" for p in self.processes.values() if p.log.exists()
                )
                raise AssertionError(f"waited {within} s for {what}\n{logs}")
            await asyncio.sleep(0.1)
        self.note(f"there: {what}")

    # The simulated Xero.

    async def control(self, method: str, path: str, body: Any = None) -> Any:
        """Call the simulator's control API.

        Raises:
            AssertionError: it refused.
        """
        answer = await self.http.request(method, f"/_sim{path}", json=body)
        assert answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text[:500]}"
        return answer.json() if answer.content else None

    async def tenants(self) -> list[str]:
        """All organisations of the simulator."""
        return [row["tenantId"] for row in (await self.control("GET", "/tenants"))["tenants"]]

    async def connect(
        self,
        tenants: Sequence[str] | None = None,
        entities: Sequence[EntityName] = STREAMED,
        *,
        scopes: Sequence[str] | None = None,
    ) -> list[str]:
        """Connect organisations, all by default, without a browser; with all scopes, or only these."""
        chosen = list(tenants) if tenants is not None else await self.tenants()
        grant = await self.control("POST", "/grants", {"tenants": chosen} | ({"scopes": scopes} if scopes else {}))
        cipher, grant_id = TokenCipher([self._key]), uuid4()
        long_ago = datetime.now(UTC) - timedelta(hours=1)
        pool = await asyncpg.create_pool(self.database_url, min_size=1, max_size=1)
        try:
            await connect(
                pool,
                app=App(
                    name=DEFAULT_APP,
                    client_id=CLIENT_ID,
                    client_secret=CLIENT_SECRET,
                    tier=AppTier.CORE,
                ),
                kind="authorization_code",
                tokens=SealedTokens(
                    grant_id=grant_id,
                    access_token=cipher.seal("expired", grant_id, Column.ACCESS),
                    refresh_token=cipher.seal(grant["refreshToken"], grant_id, Column.REFRESH),
                    refreshed_at=long_ago,
                    expires_at=long_ago,
                ),
                tenants=[Organisation(tenant_id=TenantId(tenant)) for tenant in chosen],
                entities=entities,
                partitions=PARTITIONS,
            )
        finally:
            await pool.close()
        return chosen

    async def edit(self, **edits: Any) -> Any:
        """Random valid edits."""
        return await self.control("POST", "/edits", edits)

    async def plan_faults(self, *rules: Mapping[str, Any]) -> None:
        """Add rules to what goes wrong; each has a ``name``."""
        await self.control("POST", "/faults", {"rules": list(rules)})

    async def assert_faults_fired(self, *names: str) -> None:
        """Every planned fault (or these) happened: a run without them proves nothing."""
        rules = (await self.control("GET", "/faults"))["rules"]
        fired = {rule["name"]: rule["fired"] for rule in rules}
        silent = [name for name in (names or fired) if not fired[name]]
        assert not silent, f"planned and never happened: {silent} of {fired}"

    async def traffic(self, edits_per_second: float) -> int:
        """Random edits at that rate from now on; answers how many were made so far."""
        made: int = (await self.control("PUT", "/traffic", {"editsPerSecond": edits_per_second}))["editsMade"]
        return made

    async def send_unreadable_event(self, tenant: str) -> None:
        """Have Xero send an event that nobody can read: its record's id is none."""
        event = {
            "tenantId": tenant,
            "resourceId": "no-id",
            "eventCategory": "INVOICE",
            "eventType": "UPDATE",
            "eventDateUtc": datetime.now(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00"),
        }
        await self.control("POST", "/webhooks/events", {"events": [event]})

    async def event_of(self, tenant: str, path: str, record_id: str) -> dict[str, str]:
        """The webhook event that Xero owes for the last edit of a record, for one that was made without telling."""
        raw = (await self.control("GET", f"/truth/{tenant}/{path}/{record_id}"))["UpdatedDateUTC"]
        stamp = datetime.fromtimestamp(int(raw[6:].split("+")[0]) / 1000, UTC)
        return {
            "tenantId": tenant,
            "resourceId": record_id,
            "eventCategory": next(entity.webhook or "" for entity in ENTITIES if entity.path == path),
            "eventType": "UPDATE",
            "eventDateUtc": stamp.isoformat(timespec="milliseconds").removesuffix("+00:00"),
        }

    async def command(self, *arguments: str, stdin: str = "", **environment: str) -> tuple[int, str]:
        """Run ``xero-stream`` with the processors' environment; answers its exit code and all it wrote."""
        self.folder.mkdir(parents=True, exist_ok=True)
        run = self.folder / f"command-{uuid4().hex[:8]}"
        given, said = run.with_suffix(".in"), run.with_suffix(".out")
        given.write_text(stdin, encoding="utf-8")
        process = Process(
            name="command",
            command=[sys.executable, "-m", "cli.main", *arguments],
            env={**self.env("command"), **environment},
            log=said,
        )
        process.start(given)
        code = await process.wait(within=120)
        return code, said.read_text(encoding="utf-8")

    # What came of it.

    async def fetch(self, sql: str, *arguments: Any) -> list[Any]:
        """Look into the store."""
        connection = await asyncpg.connect(self.database_url)
        try:
            rows: list[Any] = await connection.fetch(sql, *arguments)
        finally:
            await connection.close()
        return rows

    async def _idle(self, store: "asyncpg.Connection[asyncpg.Record]", kafka: AIOKafkaConsumer) -> bool:
        """Whether all webhooks are delivered, all events taken in and settled, all changes relayed."""
        webhooks = await self.control("GET", "/webhooks?limit=0")
        # In the order of the flow: what has left one place has arrived at the next by the time that is asked.
        if webhooks["pendingEvents"]:
            return False
        topic = self.topics.webhook_events
        ends = await kafka.end_offsets([TopicPartition(topic, number) for number in range(PARTITIONS)])
        rows = await store.fetch("SELECT partition, coalesce(next_offset, 0) AS next FROM intake_offsets")
        taken = {row["partition"]: row["next"] for row in rows}
        if any(taken.get(tp.partition, 0) < end for tp, end in ends.items()):
            return False
        row = await store.fetchrow(
            "SELECT (SELECT count(*) FROM dirty d JOIN tenants t USING (tenant_id) WHERE t.state = 'connected') AS dirty, "
            "(SELECT count(*) FROM passes WHERE finished_at IS NULL) AS passes, "
            "(SELECT count(*) FROM positions p JOIN relay_marks m USING (partition) WHERE p.position > m.position) "
            "AS behind"
        )
        assert row is not None
        return not (row["dirty"] or row["passes"] or row["behind"])

    async def calm(self, within: float = 30.0) -> None:
        """Wait until every webhook was answered 200."""

        async def delivered() -> bool:
            return not (await self.control("GET", "/webhooks?limit=0"))["pendingEvents"]

        await self.until(delivered, within, "all webhooks to be delivered")

    async def drained(self, within: float = 60.0) -> None:
        """Wait until nothing is left to do."""
        # One connection to each server for all looks: to connect costs more than to look.
        kafka = AIOKafkaConsumer(bootstrap_servers=self.bootstrap_servers)
        store = await asyncpg.connect(self.database_url)
        try:
            await kafka.start()
            await self.until(lambda: self._idle(store, kafka), within, "the work to drain")
        finally:
            await kafka.stop()
            await store.close()

    async def ends(self, topic: str) -> dict[int, int]:
        """End offsets of a topic."""
        ends = await _ends(self.bootstrap_servers, [TopicPartition(topic, number) for number in range(PARTITIONS)])
        return {tp.partition: offset for tp, offset in ends.items()}

    async def read(self, topics: Sequence[str]) -> list[Any]:
        """Everything on these topics, as a read_committed consumer gets it."""
        return await read_topics(self.bootstrap_servers, topics)

    async def changes(self) -> list[Change]:
        """All change events."""
        records = await self.read(self.change_topics)
        return [
            read_change(Spot(r.topic, r.partition, r.offset), r.key, r.value, r.headers)
            for r in sorted(records, key=lambda r: (r.topic, r.partition, r.offset))
        ]

    async def records(self) -> list[RecordMessage]:
        """Everything on the compacted topics."""
        entity_of = {self.topics.records(name): name.value for name in STREAMED}
        found = await self.read(list(entity_of))
        return [
            read_record(Spot(r.topic, r.partition, r.offset), r.key, r.value, r.headers, entity_of[r.topic])
            for r in found
        ]

    async def truth(self, tenants: Sequence[str]) -> dict[RecordRef, Any]:
        """What Xero would answer now, unified."""
        found: dict[RecordRef, Any] = {}
        for tenant in tenants:
            for entity in map(by_name, STREAMED):
                body = (await self.http.get(f"/_sim/truth/{tenant}/{entity.path}")).content
                found |= unified(entity, tenant, body)
        return found

    async def history(self, tenants: Sequence[str]) -> History:
        """Everything there is to judge."""
        logged = [orjson.loads(r.value) for r in await self.read([self.topics.webhook_events])]
        return History(
            changes=await self.changes(),
            records=await self.records(),
            acknowledged=await self.acknowledged(),
            logged=[EventRef(event["delivery_id"], event["index"]) for event in logged],
            truth=await self.truth(tenants),
            partitions=PARTITIONS,
        )

    async def acknowledged(self) -> list[EventRef]:
        """Events of deliveries that the simulator saw answered 200."""
        log = await self.control("GET", "/webhooks?limit=1000000")
        return [
            EventRef(delivery["bodySha256"][:32], number)
            for delivery in log["deliveries"]
            if any(attempt["answer"] == 200 for attempt in delivery["attempts"])
            for number in range(delivery["events"])
        ]

    async def findings(self, tenants: Sequence[str]) -> list[Finding]:
        """Every broken promise."""
        return check(await self.history(tenants))

    async def judged(
        self, tenants: Sequence[str], *, without: Sequence[Promise] = (), least: int = 1, cut: bool = False
    ) -> History:
        """Judge everything recorded, and keep it beside the logs where it fails.

        Args:
            tenants: whose truth is compared.
            without: promises that this run breaks on purpose.
            least: changes below which the run proves nothing.
            cut: the log has lost its beginning; it is complete from its first position on.

        Raises:
            AssertionError: a promise was broken, or there was too little to judge.
        """
        history = await self.history(tenants)
        if cut:
            history = replace(history, start=_first_positions(history.changes))
        findings = [finding for finding in check(history) if finding.promise not in without]
        if findings or len(history.changes) < least:
            self.keep(history)
            lines = "\n".join(str(finding) for finding in findings[:20])
            raise AssertionError(
                f"{len(findings)} broken promises over {len(history.changes)} changes (at least {least} wanted); "
                f"seed {self.seed}, logs and history.jsonl in {self.folder}\n{lines}"
            )
        return history

    def keep(self, history: History) -> None:
        """Write a history down, one line per message, to be looked at later."""
        with (self.folder / "history.jsonl").open("w", encoding="utf-8") as file:
            for change in history.changes:
                line = {"spot": str(change.spot), "ce_id": change.ce_id, "event": change.event}
                file.write(json.dumps(line, default=str) + "\n")

    async def assert_quotas_kept(self) -> None:
        """No 429 that was not forced, never more than five at once or sixty in any sliding minute."""
        calls = await self.control("GET", "/calls")
        assert not calls["refusedEarned"], calls
        assert calls["mostConcurrent"] <= 5, calls
        assert calls["mostInSlidingMinute"] <= 60, calls


def _first_positions(changes: Sequence[Change]) -> dict[int, int]:
    first: dict[int, int] = {}
    for change in changes:
        first[change.spot.partition] = min(change.position, first.get(change.spot.partition, change.position))
    return first


async def read_topics(bootstrap_servers: str, topics: Sequence[str]) -> list[Any]:
    """Everything on these topics, as a read_committed consumer gets it.

    Read up to the end of the log, not only of what is decided: the marker that ends a transaction comes a moment
    after its commit was answered.
    """
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap_servers,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        fetch_max_wait_ms=50,
        max_partition_fetch_bytes=16 * 1024 * 1024,
    )
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, number) for topic in topics for number in range(PARTITIONS)]
        ends = {tp: end for tp, end in (await _ends(bootstrap_servers, partitions)).items() if end}
        if not ends:
            return []
        consumer.assign(list(ends))
        await consumer.seek_to_beginning(*ends)
        found: list[Any] = []
        deadline = time.monotonic() + 60
        while True:
            positions = {tp: await consumer.position(tp) for tp in ends}
            if all(positions[tp] >= ends[tp] for tp in ends):
                return found
            assert time.monotonic() < deadline, f"not read to the end: {positions} of {ends}"
            for records in (await consumer.getmany(timeout_ms=200)).values():
                found += records
    finally:
        await consumer.stop()


async def _ends(bootstrap_servers: str, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap_servers)
    await consumer.start()
    try:
        ends: dict[TopicPartition, int] = await consumer.end_offsets(partitions)
        return ends
    finally:
        await consumer.stop()
