"""Looking at the store: schema, deployment, who works, what waits."""

from typing import Any

import asyncpg

from cli.deployment.command import ignored_line
from cli.deployment.here import here
from cli.doctor.findings import Finding, fine, problem, skipped
from cli.grants.command import connect_again, held_line, line
from cli.store import STORE_ERRORS, database_url
from xero_api.registry import by_name
from xero_api.scopes import lacking, open_to
from xero_stream.contracts.names import AppName
from xero_stream.settings.apps import Apps
from xero_stream.settings.base import SettingsError
from xero_stream.settings.entities import EntitySettings
from xero_stream.settings.shared import ONLY_RECEIVERS, differences
from xero_stream.settings.store import EncryptionSettings
from xero_stream.settings.xero import AppTier
from xero_stream.store.crypto import MisplacedTokenError, TokenCipher, UndecryptableError
from xero_stream.store.deployment import read
from xero_stream.store.grants import all_grants
from xero_stream.store.ignored_events import ignored
from xero_stream.store.pool import open_pool
from xero_stream.store.queries.grants import standing
from xero_stream.store.revision import NEEDED, current

_MIGRATE = "xero-stream migrate"
_LATE_SECONDS = 60


async def look_at_store() -> list[Finding]:
    """PostgreSQL answers, has our schema, and what it says about the deployment."""
    try:
        url = database_url()
        pool = await open_pool(url, size=4, name="xero-stream-doctor")
    except SettingsError as error:
        return [skipped("store", f"its settings can't be used: {error}")]
    except STORE_ERRORS as error:
        return [problem("store", str(error)), skipped("schema", "needs the store")]
    try:
        version = await pool.fetchval("SHOW server_version")
        answers = fine("store", f"PostgreSQL {str(version).split()[0]} answers")
        schema = await _schema(url)
        if schema.todo:
            return [answers, schema]
        return [
            answers,
            schema,
            *await _deployment(pool),
            await _partitions(pool),
            *await _organisations(pool),
            *await _entities(pool),
            await _tokens(pool),
            await _backlog(pool),
            await _unconnected(pool),
            await _relay(pool),
            await _quarantine(pool),
        ]
    finally:
        await pool.close()


async def _schema(url: str) -> Finding:
    found = await current(url)
    if found is None:
        return problem("schema", "the store is empty", _MIGRATE)
    if found < NEEDED:
        return problem("schema", f"is {found}, this release needs {NEEDED}", _MIGRATE)
    return fine("schema", f"is {found}")


async def _deployment(pool: "asyncpg.Pool[Any]") -> list[Finding]:
    deployment = await read(pool)
    if deployment is None:
        return [fine("deployment", "not started yet: the first start stores the settings that all processes share")]
    ours, _ = here()
    counts = [fine("events", ignored_line(one)) for one in await ignored(pool)]
    differing = [one for one in differences(ours, deployment.shared) if one.name not in ONLY_RECEIVERS]
    if differing:
        return [*(problem("deployment", str(one), "xero-stream deployment show") for one in differing), *counts]
    shared = f"prefix {deployment.topic_prefix}, {deployment.partitions} partitions"
    return [fine("deployment", f"{shared}, the same settings as here"), *counts]


async def _partitions(pool: "asyncpg.Pool[Any]") -> Finding:
    rows = await pool.fetch("SELECT partition FROM leases WHERE owner IS NULL OR released ORDER BY partition")
    total = await pool.fetchval("SELECT count(*) FROM leases")
    if rows or not total:
        alone = ", ".join(str(row["partition"]) for row in rows) or "all"
        return problem("processors", f"no process owns partitions {alone}", "xero-stream processors (or up)")
    owners = await pool.fetchval("SELECT count(DISTINCT owner) FROM leases")
    return fine("processors", f"{total} partitions, {owners} {'owner' if owners == 1 else 'owners'}")


async def _organisations(pool: "asyncpg.Pool[Any]") -> list[Finding]:
    rows = await standing(pool)
    if not any(row.tenant_id for row in rows):
        return [problem("organisations", "none is connected", "xero-stream connect --help")]
    waiting = [
        problem("organisations", line(row), row.app_hint or "xero-stream connect")
        for row in rows
        if connect_again(row) or row.app_trouble is not None
    ]
    return waiting or [fine("organisations", f"{sum(row.tenant_id is not None for row in rows)} connected")]


async def _entities(pool: "asyncpg.Pool[Any]") -> list[Finding]:
    """What is not read of organisations that are: refused kinds of records, scopes that lack, loads that never began."""
    rows = [row for row in await standing(pool) if row.tenant_id is not None and not connect_again(row)]
    if not rows:
        return []
    found = [
        problem("entities", f"{row.name or row.tenant_id}: {held_line(hold)}", hold.hint)
        for row in rows
        for hold in row.held
    ]
    try:
        tiers, enabled = {app.name: app.tier for app in Apps.read().all()}, EntitySettings.read().entities
    except SettingsError as error:
        return [*found, skipped("entities", f"settings can't be used: {error}")]
    granted = {grant["grant_id"]: grant["scopes"] for grant in await pool.fetch("SELECT grant_id, scopes FROM grants")}
    begun = {tuple(load) for load in await pool.fetch("SELECT tenant_id, entity FROM passes WHERE kind = 'backfill'")}
    for row in rows:
        name, held = row.name or row.tenant_id, {hold.entity for hold in row.held}
        wanted = open_to(tiers.get(AppName(row.app), AppTier.STARTER), map(by_name, enabled))
        scopes = granted[row.grant_id]
        lacks = lacking(scopes, wanted) if scopes is not None else {}
        found += [
            problem(
                "entities", f"{name}: {entity} is not read, the grant lacks the scope {scope}", "xero-stream connect"
            )
            for entity, scope in lacks.items()
            if entity not in held
        ]
        never = [one.name for one in wanted if (row.tenant_id, one.name) not in begun and one.name not in lacks]
        if never:
            what = f"{name}: the first load of {', '.join(never)} was never begun"
            found.append(problem("entities", what, "xero-stream processors (or up) begins it; else see their log"))
    if found:
        return found
    loading = sum(len(row.loading) for row in rows)
    entities = f"{len(enabled)} kinds of records of {len(rows)} {'organisation' if len(rows) == 1 else 'organisations'}"
    state = f"{loading} first loads are under way" if loading else "all loaded"
    return [fine("entities", f"{entities}, {state}; no scope is missing")]


async def _tokens(pool: "asyncpg.Pool[Any]") -> Finding:
    try:
        cipher = TokenCipher(EncryptionSettings.read().keys)
    except SettingsError:
        return skipped("tokens", "needs XERO_STREAM_ENCRYPTION_KEYS")
    rows = await all_grants(pool)
    lost = misplaced = 0
    for row in rows:
        try:
            for column, token in row.sealed.items():
                cipher.open(token, row.grant_id, column)
        except MisplacedTokenError:
            misplaced += 1
        except UndecryptableError:
            lost += 1
    if misplaced:
        return problem(
            "tokens",
            f"{misplaced} of {len(rows)} grants have a token that was sealed for another grant or column",
            "find out who can write the table grants, then connect their organisations again with `xero-stream grants add`",
        )
    if lost:
        return problem(
            "tokens",
            f"{lost} of {len(rows)} grants can't be decrypted",
            "put the key they were written with behind the others in XERO_STREAM_ENCRYPTION_KEYS",
        )
    return fine("tokens", f"{len(rows)} can be decrypted")


async def _backlog(pool: "asyncpg.Pool[Any]") -> Finding:
    row = await pool.fetchrow(
        "SELECT count(*) AS all, "
        "max(extract(epoch FROM now() - d.first_received_at)) FILTER (WHERE t.state = 'connected' AND "
        "coalesce(t.parked_until, now()) <= now()) AS oldest FROM dirty d JOIN tenants t USING (tenant_id)"
    )
    what = f"{row['all']:,} records wait to be read"
    if row["oldest"]:
        what += f"; the oldest since {row['oldest']:,.0f} s"
    return fine("backlog", what)


async def _unconnected(pool: "asyncpg.Pool[Any]") -> Finding:
    row = await pool.fetchrow(
        "SELECT count(*) AS all, coalesce(sum(kept), 0)::bigint AS kept, coalesce(sum(dropped + expired), 0)::bigint AS counted "
        "FROM unconnected u WHERE NOT EXISTS (SELECT 1 FROM tenants t WHERE t.tenant_id = u.tenant_id)"
    )
    if not row["all"]:
        return fine("unconnected", "no events of organisations that are not connected")
    organisations = f"{row['all']:,} organisation{'' if row['all'] == 1 else 's'}"
    return fine(
        "unconnected",
        f"events of {organisations} not connected: {row['kept']:,} records wait, {row['counted']:,} were dropped or "
        "expired; see `xero-stream grants list`",
    )


async def _relay(pool: "asyncpg.Pool[Any]") -> Finding:
    # Since the oldest change behind the mark, not since the mark: an idle partition's mark is old.
    row = await pool.fetchrow(
        "SELECT coalesce(sum(greatest(p.position - m.position, 0)), 0)::bigint AS behind, "
        "max((SELECT extract(epoch FROM now() - recorded_at) FROM changes c WHERE c.partition = m.partition "
        "AND c.position > m.position ORDER BY c.position LIMIT 1)) AS since FROM positions p JOIN relay_marks m USING (partition)"
    )
    what = f"{row['behind']:,} changes are not on Kafka yet"
    if row["since"] and row["since"] > _LATE_SECONDS:
        return problem("relay", f"{what}, the first since {row['since']:,.0f} s", "see the processors' log")
    return fine("relay", what)


async def _quarantine(pool: "asyncpg.Pool[Any]") -> Finding:
    open_ones = await pool.fetchval("SELECT count(*) FROM quarantine WHERE state = 'open'")
    if open_ones:
        return problem("quarantine", f"{open_ones:,} open", "xero-stream quarantine list")
    return fine("quarantine", "nothing open")
