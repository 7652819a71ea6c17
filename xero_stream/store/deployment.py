"""Which deployment a store belongs to, and the settings that all its processes share."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from xero_stream.contracts.names import AppName, EntityName
from xero_stream.settings.shared import ONLY_RECEIVERS, PARTITIONS, PREFIX, Difference, Shared, differences
from xero_stream.store import (
    dirty,
    entity_holds,
    ignored_events,
    intake_offsets,
    leases,
    passes,
    positions,
    relay_marks,
)
from xero_stream.store.grants import Seal, seal_again


class DeploymentMismatchError(Exception):
    """A process's settings differ from the deployment's; the message has both values and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """A deployment as its store knows it.

    Attributes:
        store_id: the store's identity; stands beside the relay's offsets.
        topic_prefix: what the topics' names start with.
        partitions: of every keyed topic.
        settings: what all processes share, by name; without prefix and partitions.
    """

    store_id: UUID
    topic_prefix: str
    partitions: int
    settings: Shared = field(default_factory=dict)

    @property
    def shared(self) -> dict[str, str]:
        """All that processes share, prefix and partitions included."""
        return {PREFIX: self.topic_prefix, PARTITIONS: str(self.partitions), **self.settings}


_ROW = "SELECT store_id, topic_prefix, partitions, settings FROM deployment"


async def claim(
    pool: "asyncpg.Pool[Any]",
    *,
    topic_prefix: str,
    partitions: int,
    settings: Shared | None = None,
    complete: bool = False,
) -> Deployment:
    """Write the deployment down at first start; compare at every other.

    A setting that the row does not have yet is written with this process's value: the first start fixes it, or the first
    one of a release that has it.

    Args:
        topic_prefix: from the settings.
        partitions: from the settings.
        settings: what this process or command uses of the settings that all share.
        complete: whether that is all of them.

    Raises:
        DeploymentMismatchError: the deployment has other values; nothing was written.
    """
    ours = {name: value for name, value in (settings or {}).items() if name not in (PREFIX, PARTITIONS)}
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "INSERT INTO deployment (topic_prefix, partitions) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            topic_prefix,
            partitions,
        )
        found = _deployment(await connection.fetchrow(f"{_ROW} FOR UPDATE"))
        fixed = {PREFIX: topic_prefix, PARTITIONS: str(partitions)}
        require_same({**ours, **fixed}, found.shared, complete=complete)
        for table in (leases, intake_offsets, positions, relay_marks):
            await table.make(connection, found.partitions)
        return await _adopt(connection, found, ours)


async def read(pool: "asyncpg.Pool[Any]") -> Deployment | None:
    """The deployment, or None before its first start."""
    row = await pool.fetchrow(_ROW)
    return _deployment(row) if row else None


async def keep_same(pool: "asyncpg.Pool[Any]", ours: Shared) -> Deployment:
    """Compare again, while a process runs; what the row does not have yet is written.

    Args:
        ours: all that this process shares with the others.

    Raises:
        DeploymentMismatchError: the deployment's settings were changed.
    """
    found = _deployment(await pool.fetchrow(_ROW))
    require_same(ours, found.shared, complete=True)
    if ours.keys() <= found.shared.keys():
        return found
    async with pool.acquire() as connection, connection.transaction():
        found = _deployment(await connection.fetchrow(f"{_ROW} FOR UPDATE"))
        require_same(ours, found.shared, complete=True)
        return await _adopt(connection, found, ours)


async def hold_same(connection: Any, ours: Shared) -> None:
    """Inside a transaction: compare, and let nobody change the row before its end.

    Raises:
        DeploymentMismatchError: the deployment's settings were changed.
    """
    require_same(ours, _deployment(await connection.fetchrow(f"{_ROW} FOR SHARE")).shared, complete=True)


def require_same(ours: Shared, deployed: Shared, *, complete: bool = False) -> None:
    """See that a process's settings are the deployment's.

    Args:
        ours: the process's.
        deployed: the row's.
        complete: whether ``ours`` has all apps.

    Raises:
        DeploymentMismatchError: they differ.
    """
    found = [one for one in differences(ours, deployed, complete=complete) if one.name not in ONLY_RECEIVERS]
    if found:
        raise DeploymentMismatchError(told(found))


def told(found: Iterable[Difference]) -> str:
    """Differences as one message."""
    return "; ".join(map(str, found))


async def forget(pool: "asyncpg.Pool[Any]", names: Sequence[str]) -> None:
    """Let the next process that starts write these settings: for whoever runs all processes of a deployment itself."""
    await pool.execute("UPDATE deployment SET settings = settings - $1::text[]", list(names))


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """What follows a change in the store, besides the row.

    Attributes:
        load: entities that are read from now on: a first load each, or a pass over all of what was loaded before.
        drop: entities that are not read any more.
        read_again: entities to read as a whole, whatever was read before.
        seal: how a stored token is re-encrypted (None for one that can't be read); None leaves them all.
    """

    load: Sequence[EntityName] = ()
    drop: Sequence[EntityName] = ()
    read_again: Sequence[EntityName] = ()
    seal: Seal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """What a change came to.

    Attributes:
        deployment: as it is now.
        loads: loads and passes that were opened.
        dropped: records that no longer wait to be read.
        sealed: grants whose tokens were re-encrypted.
        given_up: grants whose tokens could not be read; they have to be connected again.
    """

    deployment: Deployment
    loads: int
    dropped: int
    sealed: int
    given_up: int


async def change(
    pool: "asyncpg.Pool[Any]",
    *,
    before: Shared,
    after: Mapping[str, str | None],
    effects: Effects,
    left_out: Mapping[EntityName, Sequence[AppName]],
) -> Changed:
    """Change what all processes share, together with what follows from it.

    Args:
        before: the whole row as the caller read it.
        after: the new values by name; None removes one.
        left_out: the apps whose organisations can't be read, by entity.

    Raises:
        DeploymentMismatchError: somebody else changed the row meanwhile; nothing was done.
    """
    async with pool.acquire() as connection, connection.transaction():
        found = _deployment(await connection.fetchrow(f"{_ROW} FOR UPDATE"))
        if found.shared != before:
            raise DeploymentMismatchError(
                "somebody else changed the deployment at the same time: look again, and repeat"
            )
        settings = {name: value for name, value in {**found.settings, **after}.items() if value is not None}
        await _write(connection, settings)
        loads = 0
        for entity in dict.fromkeys((*effects.load, *effects.read_again)):
            loads += await passes.load_everywhere(connection, entity, left_out[entity])
        await ignored_events.forget(connection, effects.load)
        await passes.drop_unfinished(connection, effects.drop)
        dropped = await dirty.forget_entities(connection, effects.drop)
        await entity_holds.entities_changed(connection, added=effects.load, gone=effects.drop)
        sealed, given_up = await seal_again(connection, effects.seal) if effects.seal else (0, 0)
    deployment = Deployment(
        store_id=found.store_id, topic_prefix=found.topic_prefix, partitions=found.partitions, settings=settings
    )
    return Changed(deployment=deployment, loads=loads, dropped=dropped, sealed=sealed, given_up=given_up)


async def drop_leftovers(pool: "asyncpg.Pool[Any]", enabled: Sequence[EntityName], ours: Shared) -> int:
    """Drop what waits of entities that are not read: processes with the settings before may have added some to the last.

    Args:
        ours: all that this process shares with the others.

    Returns:
        How many records no longer wait.

    Raises:
        DeploymentMismatchError: this process has former settings: what it does not know may have been enabled since, and
            its first loads wait. Nothing was dropped.
    """
    async with pool.acquire() as connection, connection.transaction():
        await hold_same(connection, ours)
        await passes.keep_only(connection, enabled)
        await entity_holds.keep_only(connection, enabled)
        return await dirty.keep_only(connection, enabled)


async def _adopt(connection: Any, found: Deployment, ours: Shared) -> Deployment:
    """Write what the row does not have yet; the row is locked."""
    added = {name: value for name, value in ours.items() if name not in found.shared}
    if not added:
        return found
    settings = {**found.settings, **added}
    await _write(connection, settings)
    return Deployment(
        store_id=found.store_id, topic_prefix=found.topic_prefix, partitions=found.partitions, settings=settings
    )


async def _write(connection: Any, settings: Shared) -> None:
    await connection.execute("UPDATE deployment SET settings = $1::jsonb", orjson.dumps(dict(settings)).decode())


def _deployment(row: Any) -> Deployment:
    return Deployment(
        store_id=row["store_id"],
        topic_prefix=row["topic_prefix"],
        partitions=row["partitions"],
        settings=orjson.loads(row["settings"]),
    )
