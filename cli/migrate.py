"""``xero-stream migrate``."""

import asyncio

import typer

from cli.exits import ExitCode, guarded
from cli.store import STORE_ERRORS, database_url
from xero_stream.store.migrate import MigrationError, newest, upgrade
from xero_stream.store.pool import open_pool
from xero_stream.store.revision import current


@guarded(
    examples=(
        "xero-stream migrate",
        "DATABASE_URL_FILE=/run/secrets/database_url xero-stream migrate",
    ),
    unreachable=(*STORE_ERRORS, MigrationError),
)
def migrate() -> ExitCode:
    """Bring the store's schema up to date.

    Safe to run at any time, also by several at once: a lock lets one after the other work, each step is a transaction
    of its own, and the release before this one goes on working meanwhile.
    """
    before, after = asyncio.run(_migrate())
    typer.echo(f"schema {after}: up to date" if before == after else f"schema {before or 'none'} → {after}: done")
    return ExitCode.OK


async def _migrate() -> tuple[str | None, str]:
    url = database_url()
    await (await open_pool(url, size=1, name="xero-stream-migrate")).close()  # says in one line what is wrong
    before = await current(url)
    await upgrade(url)
    return before, newest()
