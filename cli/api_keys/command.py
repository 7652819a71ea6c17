"""``xero-stream api-keys create|list|revoke``."""

import asyncio
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated

import typer

from cli.api_keys.actor import actor
from cli.exits import EPILOG, ExitCode, complain, guarded
from cli.organisation import organisation_named
from cli.readable import printable
from cli.store import STORE_ERRORS, store
from xero_stream.contracts.api_key import ApiKey, KeyState, Presented, Scope
from xero_stream.store.api_keys import NewKey, api_keys, create, described, revoke

app = typer.Typer(
    help="Create, list and revoke the API keys of the console.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    epilog=EPILOG,
)


@app.command("create", epilog=EPILOG)
@guarded(
    examples=(
        "xero-stream api-keys create reporting --scope read",
        "xero-stream api-keys create shop --scope read --customer-ref c-1001",
    ),
    unreachable=STORE_ERRORS,
)
def create_key(
    name: Annotated[str, typer.Argument(help="Name of the program that uses the key.")],
    scope: Annotated[list[Scope], typer.Option(help="Permission of the key; may be repeated.")],
    tenant: Annotated[
        list[str] | None, typer.Option("--tenant", help="Only this organisation; may be repeated. Default: all.")
    ] = None,
    customer_ref: Annotated[str | None, typer.Option(help="Only the organisations with this reference.")] = None,
    days: Annotated[
        int | None, typer.Option(help="Days until the key expires. Default: never.", min=1, max=3650)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object that contains the key.")] = False,
) -> ExitCode:
    """Create a key and print it on standard output. It is shown this once: only its SHA-256 is stored.

    Scopes: read (records, changes, organisations), write (writes to Xero), proxy (calls to Xero), connect (connect
    and disconnect organisations), operate (status, syncs, quarantine), admin (keys, audit log). None contains another.
    """
    if not name.strip() or not name.isprintable():
        raise typer.BadParameter("needs printable characters", param_hint="NAME")
    if customer_ref is not None and not customer_ref.isprintable():
        raise typer.BadParameter("needs printable characters", param_hint="--customer-ref")
    tenants = [organisation_named(one, "--tenant") for one in tenant or ()]
    new = NewKey(name=name, scopes=scope, tenant_ids=tenants or None, customer_ref=customer_ref)
    stored, key = asyncio.run(_create(new, days))
    if as_json:
        typer.echo(json.dumps({**_json(stored), "key": str(key)}))
        return ExitCode.OK
    complain(f"{line(stored, KeyState.ACTIVE)}. Store the key now: it can't be shown again")
    typer.echo(str(key))
    return ExitCode.OK


@app.command("list", epilog=EPILOG)
@guarded(
    examples=("xero-stream api-keys list", "xero-stream api-keys list --json | jq .last_used_at"),
    unreachable=STORE_ERRORS,
)
def show_list(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line.")] = False,
) -> ExitCode:
    """List the keys, the newest first, with scopes, restriction, last use and state. The keys themselves are not stored."""
    keys, now = asyncio.run(_all())
    for key in keys:
        state = key.state(now)
        typer.echo(json.dumps({**_json(key), "state": state}) if as_json else line(key, state))
    if not keys and not as_json:
        typer.echo("no API key: see `xero-stream api-keys create --help`")
    return ExitCode.OK


@app.command("revoke", epilog=EPILOG)
@guarded(examples=("xero-stream api-keys revoke 5f0c2a9be1d4",), unreachable=STORE_ERRORS)
def revoke_key(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The key's id: the part between the underscores.")],
) -> ExitCode:
    """End a key at once; running consoles notice within five seconds. Exit code 1 if there is no such key."""
    found = asyncio.run(_revoke(key_id))
    if found is None:
        complain(f"no API key {key_id}: see `xero-stream api-keys list`")
        return ExitCode.PROBLEMS
    typer.echo(line(found, KeyState.REVOKED))
    return ExitCode.OK


async def _create(new: NewKey, days: int | None) -> tuple[ApiKey, Presented]:
    async with store() as pool:
        if days is not None:
            now: datetime = await pool.fetchval("SELECT now()")
            new = NewKey(
                name=new.name,
                scopes=new.scopes,
                tenant_ids=new.tenant_ids,
                customer_ref=new.customer_ref,
                expires_at=now + timedelta(days=days),
            )
        return await create(pool, new, actor=actor())


async def _all() -> tuple[Sequence[ApiKey], datetime]:
    async with store() as pool:
        return await api_keys(pool), await pool.fetchval("SELECT now()")


async def _revoke(key_id: str) -> ApiKey | None:
    async with store() as pool:
        return await revoke(pool, key_id, actor=actor())


def _json(key: ApiKey) -> dict[str, object]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in described(key).items()}


def line(key: ApiKey, state: KeyState) -> str:
    """A key as one line."""
    parts = [f"{key.key_id} {state}", key.name, " ".join(sorted(key.scopes))]
    if key.customer_ref is not None:
        parts.append(f"customer {key.customer_ref}")
    if key.tenant_ids is not None:
        parts.append(f"only {', '.join(sorted(key.tenant_ids))}")
    parts.append(f"made {key.created_at:%Y-%m-%d %H:%M} UTC by {key.created_by}")
    if key.expires_at is not None:
        parts.append(f"expires {key.expires_at:%Y-%m-%d %H:%M} UTC")
    parts.append(f"last used {key.last_used_at:%Y-%m-%d %H:%M} UTC" if key.last_used_at else "never used")
    return printable(" · ".join(parts))
