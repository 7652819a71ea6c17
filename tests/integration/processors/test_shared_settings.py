"""Every setting of the table, changed on one process of several: refused with both values, or harmless."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from cryptography.fernet import Fernet

from processors.app import ProcessorsConfig, RefusedError, _prepare
from receiver.deployment import Fit, MisfitError, compared
from tests.support.other_settings import NOT_TRIED, other_value
from tests.support.servers import SharedServers
from xero_stream.contracts.names import STREAMED
from xero_stream.kafka.admin import TopicAdmin, wanted
from xero_stream.settings.entities import EntitySettings
from xero_stream.settings.example import SECTIONS, settings_of
from xero_stream.settings.kafka import KafkaSettings
from xero_stream.settings.receiver import ReceiverSettings
from xero_stream.settings.shared import CLUSTER, ONLY_RECEIVERS, RULES, SECRETS, Sharing, check_value
from xero_stream.store.deployment import DeploymentMismatchError, Effects, change, read
from xero_stream.store.pool import open_pool

CONFLICT = {"KAFKA_TOPIC_PREFIX", "KAFKA_PARTITIONS"}


@pytest.fixture
async def environment(
    kafka: str, database_url: str, topic_prefix: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> dict[str, str]:
    """The settings of a deployment whose first two processes have started."""
    monkeypatch.chdir(tmp_path)
    for section in SECTIONS:
        for setting in settings_of(section):
            monkeypatch.delenv(setting.name, raising=False)
    found = {
        "KAFKA_BOOTSTRAP_SERVERS": kafka,
        "KAFKA_TOPIC_PREFIX": topic_prefix,
        "KAFKA_PARTITIONS": "3",
        "KAFKA_REPLICATION_FACTOR": "1",
        "DATABASE_URL": database_url,
        "XERO_STREAM_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "XERO_CLIENT_ID": "CLIENT",
        "XERO_CLIENT_SECRET": "client-secret",
        "XERO_APP_TIER": "core",
        "XERO_WEBHOOK_KEYS": "f3f0b2a4c6d81e5970a1b2c3d4e5f607",
        "XERO_STREAM_KEEP_DELIVERIES": "true",
    }
    for name, value in found.items():
        monkeypatch.setenv(name, value)
    settings = KafkaSettings.read()
    async with TopicAdmin(settings) as admin:
        await admin.apply(wanted(settings, STREAMED, deliveries=True))
    for _ in range(2):
        async with started({}):
            pass
    return found


@contextlib.asynccontextmanager
async def started(environment: Mapping[str, str]) -> AsyncIterator[None]:
    """All that a processor does before it joins the group."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        config = ProcessorsConfig.read()
        config.check()
        prepared = await _prepare(config)
        async with prepared.closing:
            yield


async def refusal(environment: Mapping[str, str]) -> str | None:
    """What a processor with these settings says, or None: it would join."""
    try:
        async with started(environment):
            return None
    except DeploymentMismatchError as error:
        return str(error)


def as_shown(name: str, value: str) -> str:
    """A value as a message has it."""
    return check_value(value) if name in SECRETS else value


@pytest.mark.timeout(180)
async def test_every_setting_changed_on_one_process_of_three(environment: dict[str, str]) -> None:
    """Fixed and same: refused before anything is taken, both values named. Free: it would join. The table decides."""
    wrong = []
    for name, rule in RULES.items():
        if name in NOT_TRIED:
            continue
        value = other_value(name, environment.get(name))
        said = await refusal({name: value})
        if rule.sharing is Sharing.FREE or name in ONLY_RECEIVERS:
            wrong += [f"{name} is harmless, and refused: {said}"] if said else []
            continue
        if said is None or name not in said:
            wrong.append(f"{name}: {said}")
            continue
        sorted_value = ",".join(sorted(value.split(","))) if name == "XERO_STREAM_ENTITIES" else value
        expected = as_shown(name, sorted_value.replace('": ', '":')).replace('{"email": ', '{"email":')
        if f"here it is {'the key ' if name in SECRETS else ''}{expected}" not in said:
            wrong.append(f"{name} without its value here: {said}")
        if (
            name in environment
            and f"{name}={'the key ' if name in SECRETS else ''}{as_shown(name, environment[name])}" not in said
        ):
            wrong.append(f"{name} without the deployment's value: {said}")

    assert not wrong, "\n".join(wrong)


async def test_the_receiver_compares_what_kafka_tells(environment: dict[str, str]) -> None:
    """Topics and partitions, and those of the shared settings that it has; of the others it has no need."""

    async def look(changed: Mapping[str, str], keep_deliveries: bool = True) -> str | None:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in changed.items():
                patch.setenv(name, value)
            kafka, settings = KafkaSettings.read(), ReceiverSettings.read()
            fit = Fit(
                kafka=kafka,
                ours=compared(kafka, settings, EntitySettings.read()),
                keep_deliveries=keep_deliveries,
                clock=iter(range(0, 1_000, 10)).__next__,
            )
            looking, fitted = asyncio.create_task(fit.run()), asyncio.create_task(fit.fitted.wait())
            await asyncio.wait({looking, fitted}, return_when=asyncio.FIRST_COMPLETED)
            if fitted.done():
                looking.cancel()
                return None
            fitted.cancel()
            with pytest.raises(MisfitError) as caught:
                await looking
            return str(caught.value)

    assert await look({}) is None
    for name, rule in RULES.items():
        if name in NOT_TRIED or name in CONFLICT:
            continue
        value = other_value(name, environment.get(name))
        said = await look({name: value})
        if rule.on_kafka:
            assert said is not None, name
            assert f"{name}=" in said
            assert f"here it is {','.join(sorted(value.split(',')))}" in said
        else:
            assert said is None, (name, said)
    assert "another.webhook-events, another.dead-letters, another.webhook-deliveries do not exist" in str(
        await look({"KAFKA_TOPIC_PREFIX": "another"})
    )
    assert "`xero-stream topics apply`" in str(await look({"KAFKA_TOPIC_PREFIX": "another"}))


@pytest.mark.usefixtures("environment")
async def test_apps_of_a_file_are_compared_one_by_one(tmp_path: Path) -> None:
    """An app that is new is added; one that is missing, or has another client id or tier, is refused."""
    file = tmp_path / "apps.toml"
    file.write_text("[apps.uk]\nclient_id = 'U'\nclient_secret = 's'\ntier = 'core'\n")
    with_file = {"XERO_STREAM_APPS_FILE": str(file)}

    added = await refusal(with_file)
    missing = await refusal({})
    file.write_text("[apps.uk]\nclient_id = 'V'\nclient_secret = 's'\ntier = 'plus'\n")
    other = await refusal(with_file)

    assert added is None
    assert missing is not None
    assert "apps.uk.client_id=U, here it is missing" in missing
    assert other is not None
    assert "apps.uk.client_id=U, here it is V" in other
    assert "apps.uk.tier=core, here it is plus" in other


async def test_another_cluster_behind_the_address(environment: dict[str, str]) -> None:
    """The address may differ; what counts is the id of the cluster that it leads to."""
    pool = await open_pool(environment["DATABASE_URL"], size=1)
    deployment = await read(pool)
    assert deployment is not None
    await change(
        pool,
        before=deployment.shared,
        after={CLUSTER: "another-cluster"},
        effects=Effects(),
        left_out={},
    )
    await pool.close()

    said = await refusal(
        {"KAFKA_BOOTSTRAP_SERVERS": environment["KAFKA_BOOTSTRAP_SERVERS"].replace("127.0.0.1", "localhost")}
    )

    assert said is not None
    assert "KAFKA_BOOTSTRAP_SERVERS=the cluster another-cluster, here it is the cluster " in said


async def test_another_store_behind_the_address(environment: dict[str, str], shared_servers: SharedServers) -> None:
    """A store that is not the topics' own is noticed before the group is joined."""
    settings, topics = KafkaSettings.read(), KafkaSettings.read().topics
    anchor = TopicPartition(topics.webhook_events, 1)
    relay = AIOKafkaConsumer(
        bootstrap_servers=settings.bootstrap_servers, group_id=topics.relay_group, enable_auto_commit=False
    )
    await relay.start()
    relay.assign([anchor])
    pool = await open_pool(environment["DATABASE_URL"], size=1)
    deployment = await read(pool)
    await pool.close()
    assert deployment is not None
    await relay.commit({anchor: OffsetAndMetadata(7, str(deployment.store_id))})
    await relay.stop()
    foreign = shared_servers.create_database(migrated=True)

    assert await refusal({}) is None
    with pytest.raises(RefusedError, match="carry the changes of another store"):
        async with started({"DATABASE_URL": shared_servers.url(foreign)}):
            pass
    shared_servers.drop_database(foreign)
