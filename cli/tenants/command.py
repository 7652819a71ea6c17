"""``xero-stream tenants list|remove``."""

import asyncio
import json
from dataclasses import asdict
from typing import Annotated

import typer

from cli.exits import EPILOG, ExitCode, guarded
from cli.organisation import organisation_named
from cli.readable import printable
from cli.store import STORE_ERRORS, store
from cli.tenants.remove import NoSuchOrganisationError, remove
from xero_api.errors import HoldError, MisconfiguredError, TransientError, XeroError
from xero_stream.store.deployment import DeploymentMismatchError
from xero_stream.store.tenants import Tenant, tenants

app = typer.Typer(
    help="The connected organisations: list them, remove one.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    epilog=EPILOG,
)


@app.command("list", epilog=EPILOG)
@guarded(examples=("xero-stream tenants list", "xero-stream tenants list --json | jq .tags"), unreachable=STORE_ERRORS)
def show_list(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line.")] = False,
) -> ExitCode:
    """List the organisations with your references and tags. How they stand: `xero-stream grants list`."""
    rows = asyncio.run(_all())
    for row in rows:
        typer.echo(json.dumps(asdict(row), default=str) if as_json else line(row))
    if not rows and not as_json:
        typer.echo("no organisation is connected: see `xero-stream connect --help`")
    return ExitCode.OK


@app.command("remove", epilog=EPILOG)
@guarded(
    examples=("xero-stream tenants remove 1b3e...", "xero-stream tenants remove 1b3e... --keep-at-xero"),
    unreachable=(*STORE_ERRORS, TransientError, HoldError),
    configuration=(DeploymentMismatchError, MisconfiguredError),
    problems=(XeroError, NoSuchOrganisationError),
)
def remove_tenant(
    tenant: Annotated[str, typer.Argument(help="The organisation (Xero's tenant id).")],
    keep_at_xero: Annotated[
        bool, typer.Option("--keep-at-xero", help="Do not disconnect it at Xero; only forget it here.")
    ] = False,
) -> ExitCode:
    """Disconnect an organisation at Xero and forget it here: its tokens, loads, backlog and holds.

    Its records and changes stay in the store and on Kafka. Events that Xero still sends of it are counted as events of an
    organisation that is not connected. Connect it again at any time.
    """
    removed = asyncio.run(remove(organisation_named(tenant, "TENANT"), at_xero=not keep_at_xero))
    name = removed.tenant.name or removed.tenant.tenant_id
    typer.echo(printable(f"{name} ({removed.tenant.tenant_id}): removed; {removed.at_xero}"))
    return ExitCode.OK


async def _all() -> list[Tenant]:
    async with store() as pool:
        return await tenants(pool)


def line(row: Tenant) -> str:
    """An organisation as one line."""
    parts = [f"{row.name or 'without name'} ({row.tenant_id})", f"app {row.app}", row.state.replace("_", " ")]
    parts.append(f"since {row.connected_at:%Y-%m-%d %H:%M} UTC")
    if row.customer_ref:
        parts.append(row.customer_ref)
    parts += [f"{name}={value}" for name, value in sorted(row.tags.items())]
    return printable(" · ".join(parts))
