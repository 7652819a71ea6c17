"""PostgreSQL dies, hangs, drags, refuses, runs out of disk, or turns single statements down.

The receiver knows no database: while any of this lasts, every webhook is answered 200 as if nothing were wrong.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from functools import partial

import asyncpg

from tests.robustness.experiment import Experiment
from tests.robustness.failures import servers
from tests.robustness.failures.failure import Failure
from tests.robustness.receiver_probe import unnoticed
from tests.support.stack import PARTITIONS
from xero_stream.contracts.names import TenantId
from xero_stream.contracts.partition import partition_of

RECOVERS_SECONDS = 15.0
HAPPENS_SECONDS = 30.0

TABLES = (
    "calls",
    "changes",
    "dirty",
    "intake_offsets",
    "leases",
    "positions",
    "record_versions",
    "records",
    "relay_marks",
)
"""What the processors write all the time."""

_CONFLICTS = """
CREATE SEQUENCE rogue_hits;
CREATE FUNCTION rogue() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF random() < {share} THEN
        PERFORM nextval('rogue_hits');  -- not undone with the transaction
        RAISE EXCEPTION USING ERRCODE = '{code}', MESSAGE = '{message}';
    END IF;
    RETURN NULL;
END $$;
"""


@contextlib.asynccontextmanager
async def _connected(experiment: Experiment) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A session of somebody else, past the proxy."""
    connection = await asyncpg.connect(experiment.stack.database_url, server_settings={"application_name": "rogue"})
    try:
        yield connection
    finally:
        await connection.close()


async def killed(experiment: Experiment) -> None:
    """``kill -9`` of the server and its sessions, and a new start on the same data."""
    async with unnoticed(experiment):
        await servers.die(experiment.servers.postgres, experiment.chance)


async def frozen(experiment: Experiment) -> None:
    """The server and its sessions stand still for ten seconds."""
    async with unnoticed(experiment):
        await servers.freeze(experiment.servers.postgres, 10.0)


async def slow(experiment: Experiment) -> None:
    """A second for every round trip."""
    async with unnoticed(experiment):
        await servers.drag(experiment.postgres, latency=0.5, seconds=12.0)


async def refused(experiment: Experiment) -> None:
    """All connections are reset and none is taken for five seconds."""
    async with unnoticed(experiment):
        await servers.refuse(experiment.postgres, 5.0)


async def unreachable(experiment: Experiment) -> None:
    """Nothing gets through for ten seconds, no connection is told so, and what was held back arrives afterwards."""
    async with unnoticed(experiment):
        await servers.freeze(experiment.postgres, 10.0)


async def cut(experiment: Experiment) -> None:
    """All connections are reset, several times; the server goes on with what it was told."""
    async with unnoticed(experiment):
        await servers.cut(experiment.postgres, experiment.chance)


async def terminated(experiment: Experiment) -> None:
    """The server ends all our sessions, several times, as an administrator or a failover would."""
    async with unnoticed(experiment), _connected(experiment) as rogue:
        for _ in range(3):
            ended = await rogue.fetchval(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                "WHERE application_name LIKE 'xero-stream%' AND pid <> pg_backend_pid()"
            )
            assert ended, "nobody was connected"
            await asyncio.sleep(experiment.chance.uniform(0.1, 1.5))


async def deadlocks(experiment: Experiment) -> None:
    """Somebody locks our rows in the other order, and PostgreSQL ends our transaction, not theirs."""
    async with unnoticed(experiment), _connected(experiment) as rogue, _connected(experiment) as onlooker:
        for tenant in experiment.one_tenant_each():
            async with asyncio.timeout(HAPPENS_SECONDS):
                while not await _deadlock(experiment, tenant, rogue, onlooker):
                    pass


async def _deadlock(
    experiment: Experiment,
    tenant: str,
    rogue: "asyncpg.Connection[asyncpg.Record]",
    onlooker: "asyncpg.Connection[asyncpg.Record]",
) -> bool:
    """One deadlock; answers whether the recorder was its victim.

    It waits for a record while it holds its partition's row; who has waited longest looks first, and gives way.
    """
    count = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    before = await onlooker.fetchval(count)
    holds_position = (
        "SELECT true FROM pg_stat_activity "
        "WHERE $1 = ANY (pg_blocking_pids(pid)) AND query LIKE '%INSERT INTO records %'"
    )
    try:
        async with rogue.transaction():
            await rogue.execute("SELECT FROM records WHERE tenant_id = $1 FOR UPDATE", tenant)
            await experiment.stack.edit(tenantId=tenant, endpoint="Contacts", kind="change", count=1)
            await _comes_true(onlooker, holds_position, rogue.get_server_pid())
            partition = partition_of(TenantId(tenant), PARTITIONS)
            await rogue.execute("SELECT FROM positions WHERE partition = $1 FOR UPDATE", partition)
    except asyncpg.DeadlockDetectedError:
        return False
    # Sessions report what they counted when they are idle, and at most once a second.
    await _comes_true(onlooker, f"SELECT ({count}) > $1", before)
    return True


async def _comes_true(connection: "asyncpg.Connection[asyncpg.Record]", question: str, argument: int) -> None:
    while True:
        if await connection.fetchval(question, argument):
            return
        await asyncio.sleep(0.02)


async def _for_certain(connection: "asyncpg.Connection[asyncpg.Record]", statement: str) -> None:
    """Locking a table that is in use may end in a deadlock: try until it does not."""
    async with asyncio.timeout(HAPPENS_SECONDS):
        while True:
            try:
                await connection.execute(statement)
            except asyncpg.DeadlockDetectedError:
                continue
            return


async def turned_down(experiment: Experiment, *, code: str, message: str, share: float, seconds: float = 8.0) -> None:
    """A share of our statements that write fails.

    Args:
        experiment: the system.
        code: the SQLSTATE.
        message: in PostgreSQL's words.
        share: of the statements.
        seconds: for how long.
    """
    async with unnoticed(experiment), _connected(experiment) as rogue:
        try:
            await rogue.execute(_CONFLICTS.format(share=share, code=code, message=message))
            for table in TABLES:
                await _for_certain(
                    rogue, f"CREATE TRIGGER rogue AFTER INSERT OR UPDATE OR DELETE ON {table} EXECUTE FUNCTION rogue()"
                )
            await asyncio.sleep(seconds)
            hits = await rogue.fetchval("SELECT last_value FROM rogue_hits WHERE is_called")
        finally:
            for table in TABLES:
                await _for_certain(rogue, f"DROP TRIGGER IF EXISTS rogue ON {table}")
            await rogue.execute("DROP FUNCTION IF EXISTS rogue")
            await rogue.execute("DROP SEQUENCE IF EXISTS rogue_hits")
    assert (hits or 0) >= 5, f"only {hits} statements failed"


async def disk_full(experiment: Experiment) -> None:
    """No file of the server can be written; it gives up, as it does without room for its log, and starts again."""
    async with unnoticed(experiment):
        await servers.run_out_of_room(experiment.servers.postgres)


FAILURES = (
    Failure(name="postgres-killed", inject=killed, recovers=RECOVERS_SECONDS),
    Failure(name="postgres-frozen", inject=frozen, recovers=RECOVERS_SECONDS),
    Failure(name="postgres-slow", inject=slow, recovers=RECOVERS_SECONDS),
    Failure(name="postgres-refused", inject=refused, recovers=RECOVERS_SECONDS),
    Failure(name="postgres-unreachable", inject=unreachable, recovers=RECOVERS_SECONDS),
    Failure(name="postgres-cut", inject=cut, recovers=RECOVERS_SECONDS),
    Failure(name="postgres-terminated", inject=terminated, recovers=RECOVERS_SECONDS),
    Failure(name="postgres-deadlocks", inject=deadlocks, recovers=RECOVERS_SECONDS),
    Failure(
        name="postgres-conflicts",
        inject=partial(
            turned_down,
            code="40001",
            message="could not serialize access due to concurrent update",
            share=0.2,
        ),
        recovers=RECOVERS_SECONDS,
    ),
    Failure(
        name="postgres-tables-full",
        inject=partial(
            turned_down,
            code="53100",
            message='could not extend file "base/16385/16412": No space left on device',
            share=1.0,
        ),
        recovers=RECOVERS_SECONDS,
    ),
    Failure(name="postgres-disk-full", inject=disk_full, recovers=RECOVERS_SECONDS),
)
