"""Apps in the store: what is known of each, and why Xero refuses one as a whole. Every statement that writes ``apps``."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from xero_stream.contracts.names import AppName
from xero_stream.settings.apps import App

_LONGEST_TEXT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class AppTrouble:
    """An app that Xero refuses: none of its organisations is read before a setting changes.

    Attributes:
        app: which.
        trouble: what Xero, or our own check of the settings, says.
        hint: what an operator can do.
        since: when it began.
    """

    app: str
    trouble: str
    hint: str
    since: datetime


async def seen(connection: Any, app: App) -> None:
    """An app was used to connect something.

    Args:
        connection: of the transaction that does it.
        app: as configured.
    """
    await connection.execute(
        "INSERT INTO apps (app, client_id, tier) VALUES ($1, $2, $3) "
        "ON CONFLICT (app) DO UPDATE SET client_id = excluded.client_id, tier = excluded.tier, seen_at = now()",
        app.name,
        app.client_id,
        app.tier.value,
    )


async def refused(pool: "asyncpg.Pool[Any]", app: AppName, trouble: str, hint: str) -> None:
    """Xero refuses the app itself."""
    await pool.execute(
        "UPDATE apps SET trouble = $2, trouble_hint = $3, trouble_since = coalesce(trouble_since, now()) WHERE app = $1",
        app,
        trouble[:_LONGEST_TEXT],
        hint[:_LONGEST_TEXT],
    )


async def works(connection: Any, app: AppName) -> None:
    """Xero takes the app."""
    await connection.execute(
        "UPDATE apps SET trouble = NULL, trouble_hint = NULL, trouble_since = NULL "
        "WHERE app = $1 AND trouble IS NOT NULL",
        app,
    )


async def troubles(pool: "asyncpg.Pool[Any]") -> list[AppTrouble]:
    """Every app that Xero refuses."""
    rows = await pool.fetch(
        "SELECT app, trouble, trouble_hint AS hint, trouble_since AS since FROM apps WHERE trouble IS NOT NULL ORDER BY app"
    )
    return [AppTrouble(**dict(row)) for row in rows]
