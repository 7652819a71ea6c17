"""``xero-stream audit``."""

import asyncio
import json
from typing import Annotated

import typer

from cli.exits import ExitCode, guarded
from cli.readable import printable
from cli.store import STORE_ERRORS, store
from xero_stream.store.audit import Entry, entries


@guarded(
    examples=("xero-stream audit", "xero-stream audit --subject 5f0c2a9be1d4 --json | jq .after"),
    unreachable=STORE_ERRORS,
)
def audit(
    limit: Annotated[int, typer.Option(help="Maximum number of entries, newest first.", min=1, max=100_000)] = 100,
    subject: Annotated[str | None, typer.Option(help="Only entries about this id.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line, with before and after.")] = False,
) -> ExitCode:
    """Show who changed what and when, the newest first. Entries are never changed or removed.

    So far: API keys created and revoked.
    """
    found = asyncio.run(_entries(limit, subject))
    for entry in found:
        typer.echo(json.dumps(_json(entry)) if as_json else line(entry))
    if not found and not as_json:
        typer.echo("the audit log is empty" if subject is None else f"nothing about {printable(subject)}")
    return ExitCode.OK


async def _entries(limit: int, subject: str | None) -> list[Entry]:
    async with store() as pool:
        return await entries(pool, limit=limit, subject=subject)


def _json(entry: Entry) -> dict[str, object]:
    act = entry.act
    return {
        "id": entry.id,
        "at": entry.at.isoformat(),
        "actor": act.actor,
        "action": act.action,
        "subject": act.subject,
        "request_id": act.request_id,
        "before": act.before,
        "after": act.after,
    }


def line(entry: Entry) -> str:
    """An entry as one line."""
    act = entry.act
    state = act.after if act.after is not None else act.before or {}
    name = f" ({state['name']})" if state.get("name") else ""
    return printable(f"{entry.at:%Y-%m-%d %H:%M:%S} UTC · {act.actor} · {act.action} {act.subject}{name}")
