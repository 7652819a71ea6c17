"""``xero-stream grants add|list``."""

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from getpass import getpass
from typing import Annotated
from uuid import UUID

import typer

from cli.exits import EPILOG, ExitCode, guarded
from cli.grants.add import Wish, add, by_client_credentials, by_refresh_token
from cli.grants.choose import NothingToConnectError
from cli.organisation import CustomerRef, Tags, Tenants, organisation_named
from cli.readable import printable
from cli.store import STORE_ERRORS, store
from xero_api.errors import HoldError, MisconfiguredError, TransientError, XeroError
from xero_stream.contracts.names import DEFAULT_APP, EntityName, TenantId
from xero_stream.settings.entities import EntitySettings
from xero_stream.store import entity_holds
from xero_stream.store.connections import Connected, Organisation, OtherAppError
from xero_stream.store.deployment import DeploymentMismatchError
from xero_stream.store.entity_holds import EntityHold
from xero_stream.store.queries.grants import Standing, standing
from xero_stream.store.tenants import rouse
from xero_stream.store.unconnected import Unconnected, unconnected

app = typer.Typer(
    help="Connect organisations with a refresh token or a custom connection, and see how they stand.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    epilog=EPILOG,
)


@app.command("add", epilog=EPILOG)
@guarded(
    examples=(
        "xero-stream grants add < refresh-token.txt",
        "xero-stream grants add --tenant 1b3e...  --customer-ref c-1001",
        "xero-stream grants add --app shop --client-credentials",
    ),
    unreachable=(*STORE_ERRORS, TransientError, HoldError),
    configuration=(DeploymentMismatchError, MisconfiguredError),
    problems=(XeroError, NothingToConnectError, OtherAppError),
)
def add_grant(
    app_name: Annotated[
        str, typer.Option("--app", help="Through which of your apps.", show_default=True)
    ] = DEFAULT_APP,
    client_credentials: Annotated[
        bool, typer.Option("--client-credentials", help="The app is a custom connection: its id and secret are all.")
    ] = False,
    tenant: Tenants = None,
    customer_ref: CustomerRef = None,
    tag: Tags = None,
) -> ExitCode:
    """Connect the organisations that a grant reaches, and start loading them.

    The refresh token is read from standard input, never from the command line, where others could see it. It is
    traded for a new one at once (Xero takes the old one for 30 minutes more), and stored encrypted: use it nowhere
    else from then on. An organisation that waits because its grant died goes on with the new one.
    """
    tags = tags_named(tag or ())
    wish = Wish(
        entities=EntitySettings.read().entities,
        app=app_name,
        obtain=by_client_credentials if client_credentials else by_refresh_token(_refresh_token()),
        custom=client_credentials,
        again="" if client_credentials else "Xero takes the same refresh token again for 30 minutes.",
        tenants=[organisation_named(one, "--tenant") for one in tenant or ()],
        customer_ref=customer_ref,
        tags=tags,
    )
    for organisation, connected in asyncio.run(add(wish)):
        typer.echo(told(organisation, connected))
    return ExitCode.OK


@app.command("list", epilog=EPILOG)
@guarded(
    examples=("xero-stream grants list", "xero-stream grants list --json | jq .state"),
    unreachable=STORE_ERRORS,
)
def show_list(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line.")] = False,
) -> ExitCode:
    """List grants with their organisations: state, first load, backlog, what is held and why. Exit code 1 if one needs you.

    Organisations that Xero sends events of and that are not connected come last, the hundred that did so most recently.
    """
    rows, strangers = asyncio.run(_standing())
    for row in rows:
        if as_json:
            typer.echo(json.dumps(asdict(row), default=_plain))
            continue
        typer.echo(line(row))
        for hold in row.held:
            typer.echo(f"  {held_line(hold)}")
            typer.echo(printable(f"    → {hold.hint}"))
    for one in strangers:
        fields = {"state": "unconnected", **asdict(one)}
        typer.echo(json.dumps(fields, default=_plain) if as_json else line_of_unconnected(one))
    if not rows and not as_json:
        typer.echo("no organisation is connected: see `xero-stream connect --help`")
    return ExitCode.PROBLEMS if any(needs_you(row) for row in rows) else ExitCode.OK


@app.command("retry", epilog=EPILOG)
@guarded(
    examples=("xero-stream grants retry", "xero-stream grants retry --tenant 1b3e... --entity contacts"),
    unreachable=STORE_ERRORS,
)
def retry_held(
    tenant: Annotated[str | None, typer.Option(help="Only of this organisation (Xero's tenant id).")] = None,
    entity: Annotated[str | None, typer.Option(help="Only this kind of record, e.g. contacts.")] = None,
) -> ExitCode:
    """Try again at once what is held or fails (`grants list` shows it): after a role or a network was put right."""
    if entity is not None and entity not in set(EntityName):
        known = ", ".join(sorted(EntityName))
        raise typer.BadParameter(f"there is no entity {entity!r}; there is {known}", param_hint="--entity")
    chosen = organisation_named(tenant, "--tenant") if tenant else None
    count = asyncio.run(_retry(chosen, EntityName(entity) if entity else None))
    typer.echo(f"{count} {'entity is' if count == 1 else 'entities are'} tried again" if count else "nothing is held")
    return ExitCode.OK


async def _retry(tenant_id: TenantId | None, entity: EntityName | None) -> int:
    async with store() as pool, pool.acquire() as connection, connection.transaction():
        tried = await entity_holds.retry(connection, tenant_id, entity)
        for one in {tenant for tenant, _ in tried}:
            await rouse(connection, one)
        return len(tried)


def tags_named(given: Sequence[str]) -> dict[str, str]:
    """Tags as they stand on the command line, ``NAME=VALUE`` each.

    Raises:
        BadParameter: one has no name or no ``=``.
    """
    for text in given:
        name, equals, _ = text.partition("=")
        if not equals or not name.strip():
            raise typer.BadParameter(f"{text!r} is no NAME=VALUE: write it as region=north", param_hint="--tag")
    return {name.strip(): value for name, _, value in (text.partition("=") for text in given)}


def _refresh_token() -> str:
    text = getpass("Refresh token (not shown): ") if sys.stdin.isatty() else sys.stdin.readline()
    if not text.strip():
        raise typer.BadParameter(
            "no refresh token on standard input (for a custom connection use --client-credentials)",
            param_hint="standard input",
        )
    return text.strip()


async def _standing() -> tuple[list[Standing], list[Unconnected]]:
    async with store() as pool:
        return await standing(pool), await unconnected(pool)


def told(organisation: Organisation, connected: Connected) -> str:
    """What became of an organisation, as one line."""
    name = organisation.name or organisation.tenant_id
    loading = max(0, connected.passes - len(connected.lacking))
    reads = f"{loading} {'entity is' if loading == 1 else 'entities are'} being loaded"
    match connected.before:
        case None:
            what = f"connected, {reads}"
        case "connected":
            what = "was connected already; it has the new tokens" + (f", {reads}" if loading else "")
        case before:
            what = f"connected again (it was {before.replace('_', ' ')}), {reads}"
    if connected.lacking:
        kinds = ", ".join(f"{entity} ({scope})" for entity, scope in connected.lacking.items())
        what += f"; not read, as the grant lacks the scope: {kinds}"
    return printable(f"{name} ({organisation.tenant_id}): {what}")


def connect_again(row: Standing) -> bool:
    """Whether it has to be connected again."""
    return row.grant_state != "active" or row.state not in {"connected", None}


def needs_you(row: Standing) -> bool:
    """Whether an operator should look: it has to be connected again, Xero refuses the app, or a kind of record is not read."""
    return connect_again(row) or row.app_trouble is not None or bool(row.held)


def held_line(hold: EntityHold) -> str:
    """A kind of record that is held or fails, as one line."""
    times = "once" if hold.attempts == 1 else f"{hold.attempts} times"
    return printable(
        f"{hold.entity}: {hold.state.replace('_', ' ')} since {hold.since:%Y-%m-%d %H:%M} UTC, {times}, "
        f"tried again {hold.not_before:%H:%M:%S}: {hold.error}"
    )


def line(row: Standing) -> str:
    """A grant or organisation as one line."""
    if row.tenant_id is None:
        return printable(
            f"grant {row.grant_id} ({row.app}): {row.grant_state.replace('_', ' ')}, reaches no organisation"
        )
    parts = [f"{row.name or 'without name'} ({row.tenant_id})", f"app {row.app}"]
    if row.customer_ref:
        parts.append(row.customer_ref)
    parts.append((row.state or "").replace("_", " "))
    if row.app_trouble is not None:
        parts.append(f"Xero refuses the app ({row.app_trouble})")
    elif connect_again(row):
        parts.append("connect it again with `xero-stream connect`")
    if row.parked_until:
        parts.append(
            f"parked until {row.parked_until:%Y-%m-%d %H:%M} UTC ({(row.parked_reason or 'no reason given').replace('_', ' ')})"
        )
    if row.loading:
        of = f" of {row.load_total:,}" if row.load_total else ""
        parts.append(f"loading {', '.join(row.loading)} ({row.loaded:,}{of})")
    parts.append(f"backlog {row.backlog:,}")
    if row.day_remaining is not None:
        parts.append(f"{row.day_remaining:,} calls left today")
    return printable(" · ".join(parts))


def line_of_unconnected(one: Unconnected) -> str:
    """An organisation that sends events and is not connected, as one line."""
    parts = [
        one.tenant_id,
        f"app {one.app}" if one.app else "app unknown",
        "not connected",
        f"{one.events:,} events since {one.first_at:%Y-%m-%d %H:%M} UTC",
        f"{one.kept:,} records wait",
    ]
    if one.dropped:
        parts.append(f"{one.dropped:,} events only counted")
    if one.expired:
        parts.append(f"{one.expired:,} records expired")
    return printable(" · ".join(parts))


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value) if isinstance(value, UUID) else repr(value)
