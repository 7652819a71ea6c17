"""The processors' composition: settings → adapters → a running group member; drained and stopped under one deadline."""

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
import structlog
from prometheus_client import CollectorRegistry

from processors.deployment import Follower, tell_kafka
from processors.intake.subject import Subjects
from processors.jobs.registry import KINDS
from processors.maintenance.chores import chores, write_egress
from processors.maintenance.gauges import watch
from processors.maintenance.metrics import Clock
from processors.metrics import ProcessorMetrics
from processors.partitions.consumer import Membership
from processors.partitions.worker import WorkerServices
from processors.quotas.egress import Egress
from processors.quotas.ledgers import StoredLedgers
from processors.quotas.minutes import AppMinutes
from processors.recorder.amounts import Amounts
from processors.recorder.policy import NO_POLICY, FieldPolicy, read_policy
from processors.relay.resume import ForeignStoreError, check_owner, committed_offset
from processors.tenants.app_holds import AppHolds
from processors.tenants.desk import DeskServices
from processors.tenants.room import Room
from processors.tenants.services import RunnerServices
from processors.xero import open_xero
from xero_api.budget.tenant import APP_PER_MINUTE
from xero_api.client import XeroClient
from xero_api.registry import ENTITIES as ALL
from xero_api.registry import by_name
from xero_api.scopes import NotOnTierError, open_to, require
from xero_stream.contracts.names import STREAMED, AppName, EntityName
from xero_stream.kafka.admin import Problem, TopicAdmin, kafka_unreachable, wanted
from xero_stream.process.dependencies import Waiting, wait_for_dependencies
from xero_stream.settings.apps import Apps
from xero_stream.settings.base import SettingsError
from xero_stream.settings.entities import EntitySettings
from xero_stream.settings.kafka import KafkaSettings
from xero_stream.settings.processors import ProcessorSettings
from xero_stream.settings.receiver import ReceiverSettings
from xero_stream.settings.shared import CLUSTER, ENTITIES, KEEP_DELIVERIES, values, values_of_apps
from xero_stream.settings.store import EncryptionKeys, StoreSettings
from xero_stream.settings.telemetry import PrivatePortSettings
from xero_stream.settings.xero import AppTier, XeroSettings
from xero_stream.store.clock import set_clock, utc_now
from xero_stream.store.crypto import TokenCipher
from xero_stream.store.days import make_days
from xero_stream.store.deployment import (
    Deployment,
    claim,
    keep_same,
)
from xero_stream.store.deployment_keys import check_keys
from xero_stream.store.grants import bind_tokens
from xero_stream.store.pool import open_pool, store_unreachable
from xero_stream.store.revision import NEEDED, current
from xero_stream.telemetry.health import Health
from xero_stream.telemetry.private_port import PrivatePort
from xero_stream.telemetry.watchdog import Watchdog

log = structlog.get_logger(__name__)


class RefusedError(Exception):
    """The processors don't start; the message says what to do first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessorsConfig:
    """Everything the processors are made of."""

    kafka: KafkaSettings
    store: StoreSettings
    keys: EncryptionKeys
    xero: XeroSettings
    apps: Apps
    settings: ProcessorSettings
    entities: Sequence[EntityName] = STREAMED
    policy: FieldPolicy = NO_POLICY
    keep_deliveries: str | None = None
    """The receivers' setting, where it is given here too: the first to know it writes it down for them."""

    def shared(self, cluster: str | None) -> dict[str, str]:
        """What this process has of the settings that must be the same in all.

        Args:
            cluster: the id of the Kafka cluster it reaches; None while that is not known.
        """
        return {
            **values(self.kafka, self.keys.settings, self.xero, self.settings),
            **values_of_apps(self.apps.all()),
            **({KEEP_DELIVERIES: self.keep_deliveries} if self.keep_deliveries else {}),
            ENTITIES: ",".join(sorted(self.entities)),
            **({CLUSTER: cluster} if cluster else {}),
        }

    @classmethod
    def read(cls) -> "ProcessorsConfig":
        """From the environment.

        Raises:
            SettingsError: a setting is missing or malformed.
        """
        settings, entities, apps = ProcessorSettings.read(), EntitySettings.read().entities, Apps.read()
        try:
            require((by_name(name).scope for name in entities), (app.tier for app in apps.all()))
        except NotOnTierError as error:
            raise SettingsError(f"XERO_STREAM_ENTITIES: {error}") from error
        key, receiver = settings.field_policy_key, ReceiverSettings.read()
        return cls(
            kafka=KafkaSettings.read(),
            store=StoreSettings.read(),
            keys=EncryptionKeys.read(),
            xero=XeroSettings.read(),
            apps=apps,
            settings=settings,
            entities=entities,
            policy=read_policy(
                settings.field_policy,
                key.get_secret_value() if key else None,
                {name: by_name(name).model for name in entities},
            ),
            keep_deliveries=str(receiver.keep_deliveries).lower()
            if "keep_deliveries" in receiver.model_fields_set
            else None,
        )

    def check(self) -> None:
        """See that this can work at all, before anything is opened.

        Raises:
            SettingsError: a key is malformed, or no app can ask Xero for anything.
        """
        TokenCipher(self.keys.settings.keys)
        if not any(app.client_id for app in self.apps.all()):
            raise SettingsError(
                "XERO_CLIENT_ID is not set, and no app in XERO_STREAM_APPS_FILE has a client_id: nothing can be read from Xero. "
                "Both client id and secret are in Xero's developer portal"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prepared:
    """What there is once both servers were found and fit the settings."""

    pool: "asyncpg.Pool[Any]"
    fast: "asyncpg.Pool[Any]"
    store_id: UUID
    cluster: str
    closing: contextlib.AsyncExitStack


async def run(config: ProcessorsConfig, stop: asyncio.Event) -> None:
    """Wait for Kafka and PostgreSQL, then work until told to stop.

    Args:
        config: the settings.
        stop: set by whoever wants the end (a signal, a test).

    Raises:
        SettingsError: nothing can be done with these settings.
        RefusedError: schema, topics or store don't fit; nothing was started.
        DeploymentMismatchError: other processes have other settings, from the beginning or since they were changed.
        StoreRefusesError: PostgreSQL turns us away.
    """
    config.check()
    registry = CollectorRegistry()
    watchdog = Watchdog()
    metrics = ProcessorMetrics(registry, watchdog)
    metrics.partitions.deployed(config.kafka.partitions)
    waiting, memberships = Waiting(), list[Membership]()
    port = PrivatePort(
        host=config.settings.private_host,
        port=config.settings.private_port,
        registry=registry,
        live=lambda: _live(watchdog),
        ready=lambda: _ready(waiting, memberships, config.settings.session_timeout_seconds),
        setting="XERO_STREAM_PROCESSORS_PRIVATE",
        names=PrivatePortSettings.read().host_names,
    )
    async with contextlib.AsyncExitStack() as stack:
        await port.start()
        stack.push_async_callback(port.stop)
        prepared = await wait_for_dependencies(
            lambda: _prepare(config),
            stop,
            waiting,
            unreachable={"Kafka": kafka_unreachable, "PostgreSQL": store_unreachable},
        )
        if prepared is None:
            return
        await stack.enter_async_context(prepared.closing)
        read = Egress()
        stack.push_async_callback(write_egress, prepared.pool, read)
        minutes = AppMinutes(
            StoredLedgers(prepared.pool, limit=APP_PER_MINUTE),
            http_timeout=config.xero.http_timeout_seconds,
            metrics=metrics.quotas,
            heartbeats=metrics.heartbeats,
        )
        stack.push_async_callback(minutes.aclose)
        cipher = TokenCipher(config.keys.settings.keys)
        xero = open_xero(
            config.xero,
            config.apps,
            prepared.pool,
            cipher,
            metrics.quotas,
            read.called,
            lambda app: [row.name for row in open_to(_tier_of(config, app), map(by_name, config.entities))],
        )
        stack.push_async_callback(xero.aclose)
        fatal: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()
        holds = AppHolds(prepared.pool)
        follower = Follower(
            pool=prepared.pool,
            kafka=config.kafka,
            entities=config.entities,
            apps=config.apps,
            keys=config.keys,
            cipher=cipher,
            shared=partial(config.shared, prepared.cluster),
            on_apps=holds.changed,
        )
        following = asyncio.create_task(follower.follow(), name="deployment")
        following.add_done_callback(partial(_refuse, fatal))
        settling = asyncio.create_task(follower.settle(), name="deployment-settled")
        for task in (following, settling):
            stack.callback(task.cancel)
        membership = Membership(
            kafka=config.kafka,
            settings=config.settings,
            services=_services(config, prepared, xero.client, minutes, holds, metrics),
            on_fatal=lambda error: None if fatal.done() else fatal.set_result(error),
        )
        memberships.append(membership)
        metrics.maintenance.compare_clocks(_clocks(xero.client, metrics))
        await _work(config, prepared.pool, membership, read, metrics, stop, fatal)


async def _prepare(config: ProcessorsConfig) -> _Prepared:
    """Connect to the store, and see that it and the topics fit the settings."""
    url = config.store.database_url.get_secret_value()
    async with contextlib.AsyncExitStack() as stack:
        pool = await open_pool(url, size=config.store.pool_size, name="xero-stream-processors")
        stack.push_async_callback(_close, pool)
        fast = await open_pool(url, size=4, name="xero-stream-ledger", synchronous_commit=False)
        stack.push_async_callback(_close, fast)
        await _check_schema(url)
        cipher = TokenCipher(config.keys.settings.keys)
        await check_keys(pool, cipher)
        await claim(
            pool,
            topic_prefix=config.kafka.topic_prefix,
            partitions=config.kafka.partitions,
            settings=config.shared(None),
            complete=True,
        )
        async with TopicAdmin(config.kafka) as admin:
            cluster = await admin.cluster_id()
            deployment = await keep_same(pool, config.shared(cluster))
            await _check_store(config, admin, deployment)
            await _check_topics(config, admin)
        bound = await bind_tokens(pool, cipher)
        if bound:
            log.info("tokens_bound", grants=bound)
        await tell_kafka(config.kafka, deployment.shared)
        await set_clock(pool)
        await make_days(pool, utc_now().date())
        return _Prepared(pool=pool, fast=fast, store_id=deployment.store_id, cluster=cluster, closing=stack.pop_all())


async def _work(
    config: ProcessorsConfig,
    pool: "asyncpg.Pool[Any]",
    membership: Membership,
    read: Egress,
    metrics: ProcessorMetrics,
    stop: asyncio.Event,
    fatal: "asyncio.Future[BaseException]",
) -> None:
    member = asyncio.create_task(membership.run(), name="membership")
    maintaining = asyncio.create_task(chores(config.settings, pool, read, metrics.maintenance), name="chores")
    standing = asyncio.create_task(
        watch(pool, membership.all_bounds, metrics.maintenance, partial(_tier_of, config)), name="standing"
    )
    stopping = asyncio.create_task(stop.wait())
    try:
        watched: set[asyncio.Future[Any]] = {member, maintaining, standing, stopping, fatal}
        await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
        for task in (member, maintaining, standing):
            if task.done() and not task.cancelled():
                task.result()
        if fatal.done():
            raise RefusedError(str(fatal.result()))
    finally:
        log.info("stopping")
        await membership.stop()
        maintaining.cancel()
        standing.cancel()
        stopping.cancel()
        await asyncio.wait({member}, timeout=3)
        await membership.close()
        await asyncio.wait({member, maintaining, standing, stopping}, timeout=3)


def _services(
    config: ProcessorsConfig,
    prepared: _Prepared,
    client: XeroClient,
    minutes: AppMinutes,
    holds: AppHolds,
    metrics: ProcessorMetrics,
) -> WorkerServices:
    runner = RunnerServices(
        pool=prepared.pool,
        fast=prepared.fast,
        client=client,
        entities=config.entities,
        tier_of=partial(_tier_of, config),
        room=Room(),
        app_holds=holds,
        app_minute_of=minutes.of,
        keep_raw=config.settings.keep_raw,
        policy=config.policy,
        amounts=Amounts(config.settings.amounts),
        http_timeout=config.xero.http_timeout_seconds,
        metrics=metrics.tenants,
    )
    return WorkerServices(
        pool=prepared.pool,
        fast=prepared.fast,
        store_id=prepared.store_id,
        kafka=config.kafka,
        owner=f"{socket.gethostname()}-{os.getpid()}",
        subjects=Subjects.of(map(by_name, config.entities)),
        disabled=Subjects.of(row for row in ALL if row.name not in config.entities),
        entities=config.entities,
        shared=partial(config.shared, prepared.cluster),
        desk=DeskServices(pool=prepared.pool, runner=runner, metrics=metrics.tenants, kinds=KINDS),
        metrics=metrics.partitions,
        patience=timedelta(seconds=config.settings.patience_seconds),
        unconnected_limit=config.settings.unconnected_records,
    )


def _clocks(client: XeroClient, metrics: ProcessorMetrics) -> dict[Clock, Callable[[], float | None]]:
    """By how much each clock is ahead of the store's."""

    def ahead(now: float | None) -> float | None:
        return None if now is None else now - utc_now().timestamp()

    return {
        Clock.MACHINE: lambda: ahead(time.time()),  # noqa: TID251 - it is what is compared
        Clock.KAFKA: lambda: ahead(metrics.relay.broker_now()),
        Clock.XERO: lambda: ahead(client.server_now()),
    }


def _tier_of(config: ProcessorsConfig, app: AppName) -> AppTier:
    found = config.apps.get(app)
    return found.tier if found else AppTier.STARTER


async def _check_schema(url: str) -> None:
    found = await current(url)
    if found is None:
        raise RefusedError("the store is empty: run `xero-stream migrate` first")
    if found < NEEDED:
        raise RefusedError(
            f"the store's schema is {found}, this release needs {NEEDED}: run `xero-stream migrate` first"
        )


async def _check_store(config: ProcessorsConfig, admin: TopicAdmin, deployment: Deployment) -> None:
    """See that the topics do not carry another store's changes, before any partition is taken.

    Raises:
        RefusedError: they do.
    """
    topics = config.kafka.topics
    found = await admin.all_committed(topics.relay_group, topics.webhook_events, range(deployment.partitions))
    try:
        for committed in map(committed_offset, found.values()):
            check_owner(deployment.store_id, committed)
    except ForeignStoreError as error:
        raise RefusedError(str(error)) from error


def _refuse(fatal: "asyncio.Future[BaseException]", following: "asyncio.Task[None]") -> None:
    """The deployment's settings were changed: end."""
    error = None if following.cancelled() else following.exception()
    if error is not None and not fatal.done():
        fatal.set_result(error)


async def _check_topics(config: ProcessorsConfig, admin: TopicAdmin) -> None:
    problems: list[Problem] = await admin.check(wanted(config.kafka, config.entities))
    if problems:
        lines = "; ".join(f"{problem.topic} {problem.what}" for problem in problems[:5])
        more = f" (and {len(problems) - 5} more)" if len(problems) > 5 else ""
        raise RefusedError(f"{lines}{more}. Run `xero-stream topics apply`, or `topics check` to see all")


def _live(watchdog: Watchdog) -> Health:
    stuck = watchdog.stuck(time.monotonic())
    return Health(ok=not stuck, reasons={name: f"silent for {seconds:.0f} s" for name, seconds in stuck.items()})


def _ready(waiting: Waiting, memberships: Sequence[Membership], patience: float) -> Health:
    if not memberships:
        return Health(ok=False, reasons={"waiting_for": waiting.reason or "the end"})
    (membership,) = memberships
    workers = membership.workers()
    late = [str(worker.partition) for worker in workers if not worker.ready]
    joining = membership.joining_seconds
    return Health(
        # A rebalance is no trouble, one that does not end is.
        ok=not late and (joining is None or (bool(workers) and joining < patience)),
        reasons={
            "partitions": ", ".join(str(w.partition) for w in workers) or "none",
            "waiting": ", ".join(late),
            "group": "joined" if joining is None else f"joining for {joining:.0f} s",
        },
    )


async def _close(pool: "asyncpg.Pool[Any]") -> None:
    try:
        async with asyncio.timeout(3):
            await pool.close()
    except TimeoutError:
        pool.terminate()
