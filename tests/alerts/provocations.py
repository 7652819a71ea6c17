"""What makes each alert fire, with real parts, and how it ends. One table: a rule without a row fails the test.

To add a row for a new rule: write an async context manager that causes the trouble on entry and ends it on exit, and put it with
the alerts it raises into a group below. Provocations of one group happen at the same time, so they must not get into each
other's way; what of the rule's expression is too long for a test is named beside them, with its replacement.
"""

import asyncio
import contextlib
import os
import signal
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import orjson
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.records_to_delete import RecordsToDelete
from aiokafka.structs import TopicPartition

from tests.support.clocks import DAY, MachineClock
from tests.support.kafka_wire import Api, Fate
from tests.support.proxied_servers import ProxiedServers
from tests.support.stack import PARTITIONS, WEBHOOK_KEY, Process, Stack
from tests.support.topics import make_anew
from tests.support.webhooks import sign
from xero_stream.contracts.names import STREAMED, EntityName, TenantId
from xero_stream.contracts.partition import partition_of
from xero_stream.kafka.admin import TopicAdmin, wanted

BACKUP = "backup"
BACK_SECONDS = 90.0
"""For a process to be back, however busy the machine is."""


@dataclass(slots=True, kw_only=True)
class Scene:
    """A running system on servers of its own, and what is at hand to disturb it.

    Attributes:
        stack: receiver with two workers, one process of processors, simulator.
        proxied: the servers, and proxies in front of them.
        clocks: of the machine that each process believes to run on.
        tenants: all organisations of the simulator; each is connected by a grant of its own.
    """

    stack: Stack
    proxied: ProxiedServers
    clocks: Mapping[str, MachineClock]
    tenants: list[str] = field(default_factory=list)

    @property
    def receiver(self) -> Process:
        """The receiver's parent."""
        return self.stack.processes["receiver"]

    @property
    def processors(self) -> Process:
        """The processors."""
        return self.stack.processes["processors-0"]

    @property
    def partitions(self) -> list[int]:
        """All partitions, the one with most organisations first."""
        here = Counter(partition_of(TenantId(one), PARTITIONS) for one in self.tenants)
        assert len(here) == PARTITIONS, "a partition has no organisation: draw another seed"
        return [partition for partition, _ in here.most_common()]

    def tenant(self, partition: int, number: int = 0) -> str:
        """An organisation of ``partitions[partition]``: a provocation that stops one leaves the others alone."""
        here = self.partitions[partition]
        return [one for one in self.tenants if partition_of(TenantId(one), PARTITIONS) == here][number]

    @property
    def stranger(self) -> str:
        """The organisation that is not connected at the beginning."""
        return self.tenant(0, 3)

    async def change(self, tenant: str, count: int = 1) -> None:
        """Edit contacts of an organisation."""
        await self.stack.edit(tenantId=tenant, endpoint="Contacts", kind="change", count=count)

    async def post(self, body: bytes, key: str = WEBHOOK_KEY) -> int:
        """Send a webhook signed with a key; answers the status."""
        async with httpx.AsyncClient(timeout=10, trust_env=False, verify=False) as http:
            headers = {"x-xero-signature": sign(body, key), "content-type": "application/json"}
            return (await http.post(self.stack.webhook_url, content=body, headers=headers)).status_code


Provoke = Callable[[Scene], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Provocation:
    """What makes alerts fire.

    Attributes:
        alerts: each with the labels that one of its series must have.
        provoke: causes it on entry, ends it on exit.
        shorter: parts of the alerts' expressions that are replaced, with what, by alert.
    """

    alerts: Sequence[tuple[str, Mapping[str, str]]]
    provoke: Provoke
    shorter: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@contextlib.asynccontextmanager
async def unreadable_event(scene: Scene) -> AsyncIterator[None]:
    """Xero sends an event that nobody can read; a human settles it."""
    await scene.stack.send_unreadable_event(scene.tenant(0))
    yield
    await scene.stack.fetch("UPDATE quarantine SET state = 'resolved' WHERE state = 'open'")


@contextlib.asynccontextmanager
async def made_up_ids(scene: Scene) -> AsyncIterator[None]:
    """Whoever has a signing key sends events of records that Xero does not have; later a human settles them."""
    tenant = scene.tenant(1, 3)

    async def send() -> None:
        while True:
            event = {
                "tenantId": tenant,
                "eventCategory": "INVOICE",
                "eventType": "UPDATE",
                "eventDateUtc": "2026-01-01T00:00:00",
            }
            events = [{**event, "resourceId": str(uuid.uuid4())} for _ in range(3)]
            await scene.post(orjson.dumps({"events": events, "entropy": uuid.uuid4().hex}))
            await asyncio.sleep(1)

    sending = asyncio.create_task(send())
    try:
        yield
    finally:
        sending.cancel()
        await asyncio.wait({sending})

        async def settled() -> bool:
            return not await scene.stack.fetch(
                "SELECT 1 FROM dirty WHERE tenant_id = $1 AND entity = 'invoices'", tenant
            )

        await scene.stack.until(settled, BACK_SECONDS, "all made-up records to be put aside")
        await scene.stack.fetch("UPDATE quarantine SET state = 'resolved' WHERE reason = 'never_seen'")


@contextlib.asynccontextmanager
async def consent_withdrawn(scene: Scene) -> AsyncIterator[None]:
    """The user of one organisation takes the consent back, and gives another one."""
    tenant, stack = scene.tenant(0, 1), scene.stack
    # A 401 to a token of the last minute is not worth a refresh: let this one be older.
    await stack.fetch("UPDATE grants SET refreshed_at = refreshed_at - interval '2 minutes'")
    for grant in (await stack.control("GET", "/grants"))["grants"]:
        if grant["tenants"] == [tenant] and not grant["revoked"]:
            await stack.control("DELETE", f"/grants/{grant['id']}")
    await scene.change(tenant)
    yield
    await stack.connect([tenant])


@contextlib.asynccontextmanager
async def no_json(scene: Scene) -> AsyncIterator[None]:
    """A signed body that is not valid JSON."""
    assert await scene.post(b'{"events": [') == 200
    yield


@contextlib.asynccontextmanager
async def another_key(scene: Scene) -> AsyncIterator[None]:
    """Requests signed with a key that is not ours, again and again."""

    async def send() -> None:
        while True:
            await scene.post(b'{"events": []}', "another key than the one that was agreed")
            await asyncio.sleep(0.2)

    sending = asyncio.create_task(send())
    try:
        yield
    finally:
        sending.cancel()
        await asyncio.wait({sending})


@contextlib.asynccontextmanager
async def never_delivered(scene: Scene) -> AsyncIterator[None]:
    """Xero numbers an event and never delivers it; a later one shows the gap."""
    tenant, stack = scene.tenant(0, 2), scene.stack
    rule = {
        "name": "never-delivered",
        "operation": "webhook",
        "tenantId": tenant,
        "times": 1,
        "fault": {"kind": "drop"},
    }
    await stack.plan_faults(rule)
    await scene.change(tenant)

    async def dropped() -> bool:
        return any(
            one["fired"] for one in (await stack.control("GET", "/faults"))["rules"] if one["name"] == rule["name"]
        )

    await stack.until(dropped, 20, "an event to be dropped")
    await scene.change(tenant)
    yield
    await stack.control("DELETE", "/faults?name=never-delivered")


@contextlib.asynccontextmanager
async def clocks_set_wrong(scene: Scene) -> AsyncIterator[None]:
    """The machines of the receiver and of the processors are a day ahead, and set right again."""
    await scene.change(scene.tenant(0))  # an acknowledgement tells the broker's time
    for clock in scene.clocks.values():
        clock.set(DAY)
    yield
    for clock in scene.clocks.values():
        clock.set(0.0)


@contextlib.asynccontextmanager
async def minute_used_up(scene: Scene) -> AsyncIterator[None]:
    """Xero asks one organisation's reader to wait, so its events stay unsettled."""
    tenant, stack = scene.tenant(1), scene.stack
    fault = {"kind": "rate_limit", "problem": "minute", "retryAfter": 14}
    await stack.plan_faults(
        {"name": "used-up", "operation": ["list", "get"], "tenantId": tenant, "times": 1, "fault": fault}
    )
    await scene.change(tenant)
    yield
    await stack.control("DELETE", "/faults?name=used-up")


@contextlib.asynccontextmanager
async def role_missing(scene: Scene) -> AsyncIterator[None]:
    """The user who connected one organisation may not read its contacts; then the role is granted, and a human says so."""
    tenant, stack = scene.tenant(1, 1), scene.stack
    fault = {"kind": "role_missing"}
    await stack.plan_faults(
        {"name": "role", "operation": ["list", "get"], "tenantId": tenant, "endpoint": "Contacts", "fault": fault}
    )
    await scene.change(tenant)
    yield
    await stack.control("DELETE", "/faults?name=role")
    await stack.fetch("UPDATE entity_holds SET not_before = now()")
    await stack.fetch("UPDATE tenants SET roused = roused + 1 WHERE tenant_id = $1", tenant)


@contextlib.asynccontextmanager
async def intake_waits(scene: Scene) -> AsyncIterator[None]:
    """Somebody's transaction holds the row that says where intake is."""
    async with _locked(scene, "SELECT 1 FROM intake_offsets WHERE partition = $1 FOR UPDATE"):
        await scene.change(scene.tenant(2))
        yield


@contextlib.asynccontextmanager
async def stranger_sends(scene: Scene) -> AsyncIterator[None]:
    """Xero sends more events of an organisation that is not connected than are kept; then it is connected."""
    # New ones: more records than may wait, whatever is drawn.
    await scene.stack.edit(tenantId=scene.stranger, endpoint="Contacts", kind="create", count=5)
    yield
    await scene.stack.connect([scene.stranger])
    # What was only counted is read again ten minutes after the connection: long enough for a deployment, too long for a test.
    await scene.stack.fetch(
        "UPDATE passes SET not_before = now() WHERE finished_at IS NULL AND tenant_id = $1", scene.stranger
    )


@contextlib.asynccontextmanager
async def relay_rebuilds(scene: Scene) -> AsyncIterator[None]:
    """The end of every transaction is lost: the relay makes its producer anew without end."""
    kafka = scene.proxied.kafka
    kafka.plan(Api.END_TXN, Fate.DROP, times=1_000_000, client=".relay.")
    try:
        await scene.change(scene.tenant(0), count=3)
        yield
    finally:
        kafka.forget_rules()


@contextlib.asynccontextmanager
async def servers_refuse(scene: Scene) -> AsyncIterator[None]:
    """Kafka and PostgreSQL take no connection, while webhooks come in."""
    proxies = (scene.proxied.kafka, scene.proxied.postgres)
    for proxy in proxies:
        await proxy.refuse()
        await proxy.cut()
    try:
        await scene.change(scene.tenant(0), count=3)
        yield
    finally:
        for proxy in proxies:
            await proxy.accept()


@contextlib.asynccontextmanager
async def a_worker_hangs(scene: Scene) -> AsyncIterator[None]:
    """One of the receiver's workers stands still."""
    worker = _first_child(scene.receiver.pid)
    os.kill(worker, signal.SIGSTOP)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):  # the parent ends what hangs for long
            os.kill(worker, signal.SIGCONT)


def _first_child(pid: int) -> int:
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()[0])


@contextlib.asynccontextmanager
async def processors_end(scene: Scene) -> AsyncIterator[None]:
    """The processors are stopped; meanwhile the store is copied, as a backup would."""
    await scene.processors.stop()
    await _copy_store(scene)
    yield
    scene.processors.start()
    await scene.stack.settled_group(within=BACK_SECONDS)


@contextlib.asynccontextmanager
async def receiver_ends(scene: Scene) -> AsyncIterator[None]:
    """The receiver is stopped."""
    await scene.receiver.stop()
    yield
    scene.receiver.start()
    await scene.stack.until(scene.stack.receiver_ready, BACK_SECONDS, "the receiver to be back")


@contextlib.asynccontextmanager
async def restored_wrongly(scene: Scene) -> AsyncIterator[None]:
    """While the processors are down: an old backup of the store, emptied topics, events that retention took, a locked lease."""
    stack = scene.stack
    for tenant in scene.tenants:
        await scene.change(tenant)
    await stack.drained()
    await scene.processors.stop()
    contacts = {stack.topics.changes(EntityName.CONTACTS), stack.topics.records(EntityName.CONTACTS)}
    async with TopicAdmin(stack.kafka) as admin:
        specs = [spec for spec in wanted(stack.kafka, STREAMED) if spec.name in contacts]
        await make_anew(stack.bootstrap_servers, admin, specs)
    await _forget_events(stack)
    stack.database_url = scene.proxied.servers.postgres.url(BACKUP)
    scene.processors.env = {**scene.processors.env, "DATABASE_URL": scene.proxied.through_proxy(stack.database_url)}
    async with _locked(scene, "SELECT 1 FROM leases WHERE partition = $1 FOR UPDATE"):
        scene.processors.start()
        yield
    await stack.settled_group(within=BACK_SECONDS)


@contextlib.asynccontextmanager
async def _locked(scene: Scene, statement: str) -> AsyncIterator[None]:
    """Hold a row of the third partition."""
    connection = await asyncpg.connect(scene.stack.database_url)
    try:
        async with connection.transaction():
            await connection.fetch(statement, scene.partitions[2])
            yield
    finally:
        await connection.close()


async def _copy_store(scene: Scene) -> None:
    name = scene.stack.database_url.rpartition("/")[2].partition("?")[0]
    connection: Any = await asyncpg.connect(scene.proxied.servers.postgres.url("postgres"))
    try:
        async with asyncio.timeout(30):
            while True:
                try:
                    await connection.execute(f"CREATE DATABASE {BACKUP} TEMPLATE {name}")
                except asyncpg.ObjectInUseError:  # somebody's session is about to end
                    await asyncio.sleep(0.2)
                else:
                    return
    finally:
        await connection.close()


async def _forget_events(stack: Stack) -> None:
    """What retention does: every event so far is gone."""
    topic = stack.topics.webhook_events
    client = AIOKafkaAdminClient(bootstrap_servers=stack.bootstrap_servers)
    await client.start()
    try:
        ends = await stack.ends(topic)
        await client.delete_records(
            {TopicPartition(topic, partition): RecordsToDelete(before_offset=end) for partition, end in ends.items()}
        )
    finally:
        await client.close()


def _row(provoke: Provoke, *alerts: str, **shorter: Mapping[str, str]) -> Provocation:
    return Provocation(alerts=[(alert, {}) for alert in alerts], provoke=provoke, shorter=shorter)


_AN_HOUR = {"< 3600": "< 12"}
"""Ages are read every five seconds, later on a busy machine: a shorter hour could be over before anybody has seen it."""

GROUPS: Mapping[str, Sequence[Provocation]] = {
    "troubles that leave each other alone": (
        _row(unreadable_event, "QuarantineOpen"),
        _row(made_up_ids, "RecordsNeverSeen"),
        _row(consent_withdrawn, "OrganisationsWait"),
        _row(no_json, "DeadLetters", DeadLetters=_AN_HOUR),
        _row(another_key, "WebhooksRejected"),
        _row(never_delivered, "EventsMissed", EventsMissed=_AN_HOUR),
        _row(clocks_set_wrong, "ClocksDiffer"),
        _row(minute_used_up, "EventsUnsettled", EventsUnsettled={"> 900": "> 3"}),
        _row(role_missing, "EntityHeld"),
        _row(intake_waits, "IntakeStuck", IntakeStuck={"> 120": "> 6"}),
        _row(stranger_sends, "OrganisationNotConnected", "UnconnectedEventsDropped", UnconnectedEventsDropped=_AN_HOUR),
    ),
    "a relay without end, a worker that hangs": (
        _row(
            relay_rebuilds,
            "RelayBehind",
            "RelayStands",
            RelayBehind={"> 1000": "> 2", "> 120": "> 3"},
            RelayStands={"> 60": "> 5"},
        ),
        _row(a_worker_hangs, "ReceiverStuck", ReceiverStuck={"> 30": "> 4"}),
    ),
    "servers that refuse": (
        Provocation(
            alerts=[
                ("WebhooksUnavailable", {}),
                ("GaugesStale", {"source": "store"}),
                ("GaugesStale", {"source": "kafka"}),
            ],
            provoke=servers_refuse,
            shorter={"GaugesStale": {"> 60": "> 12"}},
        ),
    ),
    "nobody there": (
        _row(processors_end, "ProcessorsAbsent"),
        _row(receiver_ends, "ReceiverAbsent"),
    ),
    "restored wrongly": (
        _row(
            restored_wrongly,
            "StoreRolledBack",
            "TopicsEmptied",
            "EventsLost",
            "PartitionsWithoutOwner",
            StoreRolledBack=_AN_HOUR,
            TopicsEmptied=_AN_HOUR,
            EventsLost=_AN_HOUR,
        ),
    ),
}
"""In this order; those of a group at the same time."""


def provoked() -> set[str]:
    """Every alert that has a provocation."""
    return {alert for rows in GROUPS.values() for row in rows for alert, _ in row.alerts}


def shorter() -> dict[str, Mapping[str, str]]:
    """All parts of expressions that are replaced, by alert."""
    return {alert: parts for rows in GROUPS.values() for row in rows for alert, parts in row.shorter.items()}
