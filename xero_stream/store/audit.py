"""The audit log: who changed what, when. Every statement that writes ``audit``; rows are only added."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg
import orjson


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """A change that somebody made.

    Attributes:
        actor: who: ``key KEY_ID`` or ``USER@HOST``.
        action: what: ``api-key.create``.
        subject: the id of what it concerns.
        before: its state before, without secrets; None: it did not exist.
        after: its state after, without secrets; None: it no longer exists.
        request_id: of the HTTP request; None: it was a command.
    """

    actor: str
    action: str
    subject: str
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A stored act.

    Attributes:
        id: rises with time.
        at: when, by the store's clock.
        act: what was done.
    """

    id: int
    at: datetime
    act: Act


async def record(connection: Any, act: Act) -> None:
    """Write down a change.

    Args:
        connection: of the transaction that makes the change: both are stored, or neither.
        act: what is changed.
    """
    await connection.execute(
        "INSERT INTO audit (actor, action, subject, before, after, request_id) VALUES ($1, $2, $3, $4, $5, $6)",
        act.actor,
        act.action,
        act.subject,
        _json(act.before),
        _json(act.after),
        act.request_id,
    )


async def entries(
    pool: "asyncpg.Pool[Any]", *, limit: int, before: int | None = None, subject: str | None = None
) -> list[Entry]:
    """What was done, the newest first.

    Args:
        limit: at most so many.
        before: only entries with a lower id.
        subject: only what concerns this.
    """
    rows = await pool.fetch(
        "SELECT * FROM audit WHERE ($2::bigint IS NULL OR id < $2) AND ($3::text IS NULL OR subject = $3) "
        "ORDER BY id DESC LIMIT $1",
        limit,
        before,
        subject,
    )
    return [
        Entry(
            id=row["id"],
            at=row["at"],
            act=Act(
                actor=row["actor"],
                action=row["action"],
                subject=row["subject"],
                before=_mapping(row["before"]),
                after=_mapping(row["after"]),
                request_id=row["request_id"],
            ),
        )
        for row in rows
    ]


def _json(value: Mapping[str, Any] | None) -> str | None:
    # jsonb refuses NUL characters, and what people typed must not undo the change itself.
    return None if value is None else orjson.dumps(value).decode().replace("\\u0000", "\\ufffd")


def _mapping(text: str | None) -> Mapping[str, Any] | None:
    return None if text is None else orjson.loads(text)
