"""Everything the demo starts, stage by stage, and takes down again in reverse."""

import asyncio
import os
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
from pydantic import SecretStr

from cli.demo import stored, variables
from cli.demo.kafka_log import Live
from cli.demo.places import Places, Ports
from cli.demo.processes import DemoProcesses, program
from cli.demo.simulated import Simulated
from xero_stream.contracts.names import DEFAULT_APP, STREAMED, TenantId
from xero_stream.kafka.admin import TopicAdmin, wanted
from xero_stream.local.servers import LocalServers
from xero_stream.settings import access
from xero_stream.settings.apps import App
from xero_stream.settings.kafka import KafkaSettings
from xero_stream.settings.shared import API_URL, IDENTITY_URL, KEYS
from xero_stream.settings.simulator import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET
from xero_stream.settings.xero import AppTier
from xero_stream.store.connections import Organisation, connect
from xero_stream.store.crypto import Column, TokenCipher
from xero_stream.store.deployment import forget
from xero_stream.store.grants import SealedTokens, seal_again
from xero_stream.store.migrate import upgrade
from xero_stream.store.pool import open_pool

WORKERS = ("processors 1", "receiver", "processors 2")
"""What may be killed, in the order of the key."""
READY_SECONDS = 120.0
LOAD_SECONDS = 300.0
LOAD_TELL_SECONDS = 3.0


class StartFailedError(Exception):
    """The demo could not be started; the message says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoEnvironment:
    """Everything that runs.

    Attributes:
        places: the data directory.
        servers: Kafka and PostgreSQL.
        kafka: how to reach Kafka.
        processes: simulator, receiver, processors.
        simulated: the simulator's control API.
        pool: the store.
        names: the organisations' names by tenant id.
        seed: of the simulator's books.
    """

    places: Places
    servers: LocalServers
    kafka: KafkaSettings
    processes: DemoProcesses
    simulated: Simulated
    pool: "asyncpg.Pool[Any]"
    names: dict[str, str]
    seed: int


async def build(
    stack: AsyncExitStack,
    places: Places,
    *,
    fresh: bool,
    seed: int | None,
    say: Callable[[str], None],
    on_restart: Callable[[str, bool], None],
) -> DemoEnvironment:
    """Start everything up to passing the handshake and connecting the organisations.

    Args:
        stack: takes everything down when it is closed.
        fresh: start over.
        seed: of the simulator's books; None for those kept, or 1.
        say: told what goes on.
        on_restart: see :class:`~cli.demo.processes.DemoProcesses`.

    Raises:
        LocalServerError, StartFailedError, WorkerFailedError, ProgramFailedError, SimulatedError: the message says what to do.
    """
    await places.claim(fresh=fresh, progress=say)
    if places.seed is not None:
        _same_seed(places, seed, places.seed)
    servers = LocalServers(places.path, progress=say)
    await stack.enter_async_context(servers)
    new_key = places.prepare(servers.database_url)
    say("bringing schema and topics up to date")
    await upgrade(servers.database_url)
    await _forget_places(servers.database_url, new_key=new_key)
    kafka = _kafka_settings(servers)
    async with TopicAdmin(kafka) as admin:
        applied = await admin.apply(wanted(kafka, STREAMED))
    if applied.left:
        raise StartFailedError(
            f"{applied.left[0].topic} {applied.left[0].what}. To start over: xero-stream demo --fresh"
        )
    ports = places.ports(say)
    processes = DemoProcesses(keep_open=servers.inherited, on_restart=on_restart)
    stack.push_async_callback(processes.stop)
    simulated = Simulated(variables.simulator_url(ports))
    stack.push_async_callback(simulated.close)
    say("starting the simulated Xero, the receiver and two processors")
    found_seed = await _start_simulator(processes, simulated, places, ports, seed)
    await _start_workers(processes, places, ports, servers)
    pool = await open_pool(servers.database_url, size=4, name="xero-stream-demo")
    stack.callback(pool.terminate)
    names = await simulated.tenants()
    answers = await simulated.shake_hands()
    good = sum(answer == 200 for answer in answers)
    say(f"intent to receive: {good} good answered 200, {len(answers) - good} bad answered 401")
    await _connect(pool, simulated, names, places.key, again=new_key)
    say(f"connected: {', '.join(names.values())}")
    return DemoEnvironment(
        places=places,
        servers=servers,
        kafka=kafka,
        processes=processes,
        simulated=simulated,
        pool=pool,
        names=names,
        seed=found_seed,
    )


async def _forget_places(database_url: str, *, new_key: bool) -> None:
    """Let the deployment take this run's addresses and key: all its processes are started here, with the same ones."""
    pool = await open_pool(database_url, size=1, name="xero-stream-demo")
    await forget(pool, (API_URL, IDENTITY_URL, KEYS))
    if new_key:
        async with pool.acquire() as connection, connection.transaction():
            await seal_again(connection, lambda *_: None)
    await pool.close()


def _kafka_settings(servers: LocalServers) -> KafkaSettings:
    # Not read: the environment, or a .env here, may speak of a real deployment.
    given = servers.environment
    return KafkaSettings.model_construct(
        bootstrap_servers=servers.bootstrap_servers,
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism="PLAIN",
        sasl_username=given["KAFKA_SASL_USERNAME"],
        sasl_password=SecretStr(given["KAFKA_SASL_PASSWORD"]),
        partitions=variables.PARTITIONS,
        replication_factor=1,
    )


async def _start_simulator(
    processes: DemoProcesses, simulated: Simulated, places: Places, ports: Ports, seed: int | None
) -> int:
    inherited = variables.inherited(os.environ)
    settings = access.environment(
        access.Process.SIMULATOR,
        inherited | variables.simulator(ports, places.books, 1 if seed is None else seed),
    )
    await processes.start(program("simulator", ["simulator"], settings, cwd=places.path, logs=places.logs))

    async def answers() -> bool:
        return await simulated.seed() is not None

    await _until(answers, processes, READY_SECONDS, "the simulator does not answer")
    found = await simulated.seed()
    assert found is not None
    _same_seed(places, seed, found)
    places.keep_seed(found)
    return found


def _same_seed(places: Places, asked: int | None, kept: int) -> None:
    if asked not in (None, kept):
        raise StartFailedError(
            f"the data kept in {places.path} was made with --seed {kept}: leave --seed out, or start over with --fresh"
        )


async def _start_workers(processes: DemoProcesses, places: Places, ports: Ports, servers: LocalServers) -> None:
    shared = variables.inherited(os.environ) | variables.workers(
        servers.environment,
        ports,
        url_file=places.url_file,
        kafka_password_file=servers.kafka.password_file,
        key_file=places.key_file,
    )
    settings = access.environment(access.Process.RECEIVER, shared)
    await processes.start(program("receiver", ["receiver"], settings, cwd=places.path, logs=places.logs))
    for number in (1, 2):
        settings = access.environment(access.Process.PROCESSORS, shared | variables.processor(number, ports))
        name = f"processors {number}"
        await processes.start(program(name, ["processors"], settings, cwd=places.path, logs=places.logs))
    private = (ports.receiver_private, ports.processors_1, ports.processors_2)
    async with httpx.AsyncClient(timeout=5, trust_env=False) as http:

        async def ready() -> bool:
            try:
                pages = [await http.get(f"http://{variables.HOST}:{port}/readyz") for port in private]
            except httpx.TransportError:
                return False
            # Two processors and three partitions: both have some, or a rebalance is still to come.
            shares = [page.json()["reasons"].get("partitions", "") for page in pages]
            return all(page.status_code == 200 for page in pages) and "none" not in shares

        await _until(ready, processes, READY_SECONDS, "receiver and processors do not get ready")


async def _connect(
    pool: "asyncpg.Pool[Any]", simulated: Simulated, names: dict[str, str], key: str, *, again: bool
) -> None:
    standing = {one.tenant_id: one.state for one in await stored.organisations(pool)}
    if not again and all(standing.get(tenant) == "connected" for tenant in names):
        return
    cipher, grant_id = TokenCipher([key]), uuid4()
    long_ago = datetime.now(UTC) - timedelta(hours=1)  # the first call asks for an access token
    await connect(
        pool,
        app=App(
            name=DEFAULT_APP,
            client_id=DEMO_CLIENT_ID,
            client_secret=DEMO_CLIENT_SECRET,
            tier=AppTier.CORE,
        ),
        kind="authorization_code",
        tokens=SealedTokens(
            grant_id=grant_id,
            access_token=cipher.seal("", grant_id, Column.ACCESS),
            refresh_token=cipher.seal(await simulated.grant(), grant_id, Column.REFRESH),
            refreshed_at=long_ago,
            expires_at=long_ago,
        ),
        tenants=[Organisation(tenant_id=TenantId(tenant), name=name) for tenant, name in names.items()],
        entities=STREAMED,
        partitions=variables.PARTITIONS,
    )


async def load(demo: DemoEnvironment, say: Callable[[str], None]) -> None:
    """Wait until everything the organisations have is loaded.

    Raises:
        StartFailedError: it takes too long.
    """
    began = said = time.monotonic()
    before: int | None = None
    while True:
        standing = await stored.organisations(demo.pool)
        loaded = sum(one.loaded for one in standing)
        before = loaded if before is None else before
        if not any(one.open_passes for one in standing) and not (await stored.left(demo.pool)).unpublished:
            break
        demo.processes.check()
        now = time.monotonic()
        if now - said > LOAD_TELL_SECONDS:
            say(f"loading what the organisations have: {loaded:,} records so far")
            said = now
        if now - began > LOAD_SECONDS:
            raise StartFailedError(f"the first load is not done after {LOAD_SECONDS:.0f} s; logs: {demo.places.logs}")
        await asyncio.sleep(0.2)
    if loaded > before:
        say(f"loaded {loaded - before:,} records in {time.monotonic() - began:.1f} s")


async def listening(live: Live) -> None:
    """Wait until the live reader knows where it begins.

    Raises:
        StartFailedError: Kafka does not answer.
    """
    try:
        async with asyncio.timeout(READY_SECONDS):
            await live.started.wait()
    except TimeoutError:
        raise StartFailedError("Kafka does not answer the demo's own consumer: see kafka.log") from None


async def _until(condition: Callable[[], Any], processes: DemoProcesses, seconds: float, complaint: str) -> None:
    deadline = time.monotonic() + seconds
    while not await condition():
        processes.check()
        if time.monotonic() > deadline:
            raise StartFailedError(f"{complaint} after {seconds:.0f} s: see the logs in the data directory")
        await asyncio.sleep(0.1)
