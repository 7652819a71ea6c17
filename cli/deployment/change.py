"""Changing a setting for all processes: what must be there first, the row with what follows from it, and Kafka."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from cli.store import store
from xero_api.registry import by_name
from xero_api.scopes import NotOnTierError, require
from xero_stream.contracts.names import DEFAULT_APP, AppName, EntityName
from xero_stream.failpoints import Failpoint, reach
from xero_stream.kafka.admin import TopicAdmin, TopicSpec
from xero_stream.kafka.admin import wanted as topics_wanted
from xero_stream.kafka.marker import write_marker
from xero_stream.settings.base import SettingsError
from xero_stream.settings.kafka import KafkaSettings
from xero_stream.settings.shared import (
    AMOUNTS,
    API_URL,
    CLUSTER,
    COMPRESSION,
    ENTITIES,
    KEEP_DELIVERIES,
    KEEP_RAW,
    KEYS,
    LETTER_DAYS,
    ONE_TOPIC,
    POLICY,
    POLICY_KEY,
    REPLICAS,
    TIER,
    Difference,
    Shared,
)
from xero_stream.settings.store import EncryptionSettings
from xero_stream.settings.xero import AppTier
from xero_stream.store.crypto import Column, TokenCipher, UndecryptableError
from xero_stream.store.deployment import Changed, Deployment, DeploymentMismatchError, Effects, change, read
from xero_stream.store.deployment_keys import readable
from xero_stream.store.grants import sealed_tokens

READ_AGAIN = frozenset({AMOUNTS, KEEP_RAW, POLICY, POLICY_KEY, API_URL})
"""What ``--read-again`` goes with: records as published depend on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What to change.

    Attributes:
        values: new values by name.
        removed: names that are no longer there (apps that the file has no more).
        cluster: whether the cluster that this terminal reaches becomes the deployment's.
        read_again: whether all records are read now.
        give_up_tokens: whether grants that the new keys can't read are given up.
        dry_run: change nothing.
    """

    values: Shared
    removed: Sequence[str] = ()
    cluster: bool = False
    read_again: bool = False
    give_up_tokens: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a change came to.

    Attributes:
        differences: what was different: here the new value, deployed the former one.
        effects: what followed in the store.
        topics: those that were created.
        altered: topics whose settings were changed.
        changed: counts; None where nothing was to be done, or nothing was done.
    """

    differences: Sequence[Difference]
    effects: Effects
    topics: Sequence[str] = ()
    altered: Sequence[str] = ()
    changed: Changed | None = None


async def set_shared(wish: Wish) -> Done:
    """Change the deployment.

    New topics come first: a topic more harms no process. Then the row; existing topics and Kafka's copy of the row follow it. Whoever
    is stopped in between repeats the command: where the row has the values already, what is missing on Kafka follows.

    Raises:
        StoreUnreachableError, KafkaUnreachableError: nothing was changed.
        DeploymentMismatchError, SettingsError: it can't be done; nothing was changed.
    """
    async with store() as pool:
        deployment = await read(pool)
        if deployment is None:
            raise SettingsError("the deployment was never started: the first start stores its settings")
        kafka = KafkaSettings.read()
        async with TopicAdmin(kafka) as admin:
            cluster = await admin.cluster_id()
            values = {**wish.values, **({CLUSTER: cluster} if wish.cluster else {})}
            found = _differences(values, deployment, wish.removed)
            _check_cluster(values, deployment, cluster)
            merged = {**deployment.shared, **values}
            effects = await _effects(pool, wish, deployment, values, merged)
            if wish.dry_run:
                return Done(differences=found, effects=effects)
            kafka = _kafka(kafka, deployment, merged)
            specs = topics_wanted(kafka, _entities(merged), deliveries=merged.get(KEEP_DELIVERIES) == "true")
            await _check_topics(admin, specs)
            created = await admin.create_missing(specs)
            await reach(Failpoint.DEPLOYMENT_TOPICS_MADE)
            changed = None
            if found or effects.read_again:
                changed = await _change(pool, wish, deployment, values, merged, effects)
            await reach(Failpoint.DEPLOYMENT_CHANGED)
            applied = await admin.apply(specs)
        await write_marker(kafka, changed.deployment.shared if changed else deployment.shared)
    return Done(differences=found, effects=effects, topics=created, altered=applied.altered, changed=changed)


async def _check_topics(admin: TopicAdmin, specs: Sequence[TopicSpec]) -> None:
    """Before anything is changed.

    Raises:
        SettingsError: a topic can't become what it has to be.
    """
    left = [problem for problem in await admin.check(specs) if not problem.fixable]
    if left:
        raise SettingsError("; ".join(f"{problem.topic} {problem.what}" for problem in left))


async def _change(
    pool: "asyncpg.Pool[Any]", wish: Wish, deployment: Deployment, values: Shared, merged: Shared, effects: Effects
) -> Changed:
    return await change(
        pool,
        before=deployment.shared,
        after={**values, **dict.fromkeys(wish.removed)},
        effects=effects,
        left_out={entity: _not_open(entity, merged) for entity in (*effects.load, *effects.read_again)},
    )


def _differences(values: Shared, deployment: Deployment, removed: Sequence[str]) -> list[Difference]:
    """As for a process, except that keys must be the very same: here they are what the deployment will have."""
    shared = deployment.shared
    found = [
        Difference(name=name, here=value, deployed=shared.get(name, ""))
        for name, value in values.items()
        if shared.get(name) != value
    ]
    return found + [Difference(name=name, here=None, deployed=shared[name]) for name in removed if name in shared]


def _check_cluster(values: Shared, deployment: Deployment, cluster: str) -> None:
    known = values.get(CLUSTER, deployment.settings.get(CLUSTER, cluster))
    if known != cluster:
        raise DeploymentMismatchError(str(Difference(name=CLUSTER, here=cluster, deployed=known)))


def _kafka(kafka: KafkaSettings, deployment: Deployment, merged: Shared) -> KafkaSettings:
    """How this terminal reaches Kafka, with the deployment's topics."""
    return kafka.model_copy(
        update={
            "topic_prefix": deployment.topic_prefix,
            "partitions": deployment.partitions,
            "replication_factor": int(merged.get(REPLICAS, kafka.replication_factor)),
            "dead_letter_days": int(merged.get(LETTER_DAYS, kafka.dead_letter_days)),
            "compression": merged.get(COMPRESSION, kafka.compression),
            "one_changes_topic": merged.get(ONE_TOPIC, str(kafka.one_changes_topic).lower()) == "true",
        }
    )


def _entities(shared: Shared) -> list[EntityName]:
    return [EntityName(name) for name in shared.get(ENTITIES, "").split(",") if name]


async def _effects(
    pool: "asyncpg.Pool[Any]", wish: Wish, deployment: Deployment, values: Shared, merged: Shared
) -> Effects:
    before, after = _entities(deployment.shared), _entities(merged)
    before_keys = deployment.settings.get(KEYS)
    _check_entities(after, merged)
    if wish.read_again and not READ_AGAIN & values.keys():
        raise SettingsError(
            f"--read-again goes with {', '.join(sorted(READ_AGAIN))}: nothing else changes what records are"
        )
    new = [entity for entity in after if entity not in before]
    return Effects(
        load=new,
        drop=[entity for entity in before if entity not in after],
        read_again=after if wish.read_again else (),
        seal=await _seal(pool, give_up=wish.give_up_tokens) if values.get(KEYS, before_keys) != before_keys else None,
    )


def _check_entities(entities: Sequence[EntityName], merged: Shared) -> None:
    tiers = [AppTier(value) for name, value in merged.items() if name == TIER or name.endswith(".tier")]
    try:
        require((by_name(entity).scope for entity in entities), tiers or list(AppTier))
    except NotOnTierError as error:
        raise SettingsError(f"{ENTITIES}: {error}") from error
    try:
        treated = json.loads(merged.get(POLICY) or "{}")
    except ValueError:
        raise SettingsError(f"{POLICY} is not valid JSON") from None
    unread = [name for name in treated if name not in entities] if isinstance(treated, dict) else []
    if unread:
        raise SettingsError(
            f"{POLICY} has rules for {', '.join(unread)}, which would not be read: change both, "
            f"`xero-stream deployment set {ENTITIES} {POLICY}`"
        )


async def _seal(pool: "asyncpg.Pool[Any]", *, give_up: bool) -> "_Seal":
    """How tokens are re-encrypted, after seeing that all can be read."""
    cipher = TokenCipher(EncryptionSettings.read().keys)
    grants = await sealed_tokens(pool)
    lost = [grant for grant in grants if not readable(cipher, grant)]
    if lost and not give_up:
        raise DeploymentMismatchError(
            f"{len(lost)} of {len(grants)} stored grants can't be read with these keys: put the keys they were encrypted with "
            "behind the new one in XERO_STREAM_ENCRYPTION_KEYS. If those are lost, --give-up-tokens gives these grants up: "
            "their organisations wait until they are connected again"
        )
    return _Seal(cipher)


@dataclass(frozen=True, slots=True)
class _Seal:
    """Encrypts with the first key; None for what can't be read."""

    cipher: TokenCipher

    def __call__(self, sealed: bytes, grant_id: UUID, column: Column) -> bytes | None:
        try:
            return self.cipher.seal_again(sealed, grant_id, column)
        except UndecryptableError:
            return None


def _not_open(entity: EntityName, merged: Mapping[str, str]) -> list[AppName]:
    """The apps whose tier does not include an entity: their organisations have no load of it."""
    needed = by_name(entity).scope.tier
    found = []
    for name, value in merged.items():
        if (name == TIER or name.endswith(".tier")) and not AppTier(value).includes(needed):
            found.append(DEFAULT_APP if name == TIER else AppName(name.removeprefix("apps.").removesuffix(".tier")))
    return found
