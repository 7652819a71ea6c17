"""``xero-stream deployment show|set``."""

import asyncio
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

import typer

from cli.deployment.change import Done, Wish, set_shared
from cli.deployment.here import here, wanted
from cli.exits import EPILOG, ExitCode, guarded
from cli.readable import printable
from cli.store import STORE_ERRORS, store
from xero_stream.kafka.admin import KafkaUnreachableError
from xero_stream.settings.base import SettingsError
from xero_stream.settings.shared import APPS_FILE, CLUSTER, ONLY_RECEIVERS, RULES, differences, setting_of, shown
from xero_stream.store.deployment import Deployment, DeploymentMismatchError, read
from xero_stream.store.ignored_events import Ignored, ignored

app = typer.Typer(
    help="Show and change the settings that must be the same in all processes.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    epilog=EPILOG,
)


@app.command(epilog=EPILOG)
@guarded(
    examples=("xero-stream deployment show", "xero-stream deployment show --json"),
    unreachable=STORE_ERRORS,
)
def show(as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False) -> ExitCode:
    """Show what the deployment has, beside what this terminal's environment has. Exit code 1 if they differ.

    Of secrets only check values are kept and shown. A setting that is not listed may differ from process to process.
    """
    deployment, counts = asyncio.run(_look())
    if deployment is None:
        raise SettingsError("the deployment was never started: the first start stores its settings")
    ours, wrong = here()
    differing = differences(ours, deployment.shared, complete=not wrong)
    if as_json:
        document = {
            "store_id": str(deployment.store_id),
            "settings": deployment.shared,
            "here": ours,
            "differ": sorted(one.name for one in differing),
            "ignored": [_ignored_json(one) for one in counts],
        }
        typer.echo(json.dumps(document))
    else:
        for line in _lines(deployment, {one.name: one.here for one in differing}):
            typer.echo(printable(line))
        for text in (*wrong, *map(ignored_line, counts)):
            typer.echo(printable(text))
    return ExitCode.PROBLEMS if differing else ExitCode.OK


@app.command("set", epilog=EPILOG)
@guarded(
    examples=(
        "xero-stream deployment set XERO_STREAM_ENTITIES=invoices,contacts",
        "xero-stream deployment set --dry-run XERO_STREAM_ONE_CHANGES_TOPIC=true",
        "xero-stream deployment set XERO_STREAM_ENCRYPTION_KEYS",
    ),
    unreachable=(*STORE_ERRORS, KafkaUnreachableError),
    configuration=(DeploymentMismatchError,),
)
def set_(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME[=VALUE]...", help="Settings to change; without =VALUE the environment's value is used."
        ),
    ],
    read_again: Annotated[
        bool, typer.Option("--read-again", help="Read all records now if their published form changes.")
    ] = False,
    give_up_tokens: Annotated[
        bool,
        typer.Option(
            "--give-up-tokens",
            help="Discard grants that the new keys can't decrypt, because the previous keys are lost.",
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the consequences without changing anything.")
    ] = False,
) -> ExitCode:
    """Change settings for all processes, do what follows from it, and say what consumers see.

    Topics that are missing are made; loads of new entities are opened for every connected organisation; tokens are
    re-encrypted. Processes that run with a former value take no more partitions and end within seconds with exit code
    78: set the new value in the environment of each and start it again. Receivers go on; they take it when they start.
    """
    values = wanted([name for name in names if name.upper() != CLUSTER])
    wish = Wish(
        values=values,
        removed=asyncio.run(_apps_gone(values)) if any(name.upper() == APPS_FILE for name in names) else (),
        cluster=any(name.upper() == CLUSTER for name in names),
        read_again=read_again,
        give_up_tokens=give_up_tokens,
        dry_run=dry_run,
    )
    for line in _told(asyncio.run(set_shared(wish)), dry_run=dry_run):
        typer.echo(printable(line))
    return ExitCode.OK


async def _look() -> tuple[Deployment | None, list[Ignored]]:
    async with store() as pool:
        return await read(pool), await ignored(pool)


async def _apps_gone(values: dict[str, str]) -> list[str]:
    """What the deployment has of apps that the file has no more."""
    async with store() as pool:
        deployment = await read(pool)
    known = deployment.settings if deployment else {}
    return [name for name in known if setting_of(name) == APPS_FILE and name not in values]


def _lines(deployment: Deployment, differing: dict[str, str | None]) -> Iterator[str]:
    yield f"{'store':<42} {deployment.store_id}"
    for name, value in sorted(deployment.shared.items()):
        more = f"   here: {shown(name, differing[name])}" if name in differing else ""
        yield f"{name:<42} {shown(name, value)}{more}"


def ignored_line(one: Ignored) -> str:
    """Events that were not read, as one line."""
    return (
        f"{one.events:,} events of {one.entity} were not read, the last at {one.last_at:%Y-%m-%d %H:%M} UTC: enabling {one.entity} with "
        "`deployment set XERO_STREAM_ENTITIES` reads what they were about"
    )


def _ignored_json(one: Ignored) -> dict[str, object]:
    last_at: datetime = one.last_at
    return {"entity": one.entity, "events": one.events, "last_at": last_at.isoformat()}


def _told(done: Done, *, dry_run: bool) -> Iterator[str]:
    if not done.differences and done.changed is None and not done.topics and not done.altered:
        yield "nothing to do: the deployment has these values"
        return
    for one in done.differences:
        yield f"{one.name}: {shown(one.name, one.deployed)} → {shown(one.name, one.here)}"
    for setting in dict.fromkeys(setting_of(one.name) for one in done.differences):
        yield f"  {RULES[setting].then or RULES[setting].why}."
    if dry_run:
        yield "nothing was changed"
        return
    if done.topics:
        yield f"created {', '.join(done.topics)}"
    if done.altered:
        yield f"changed the settings of {len(done.altered)} topics"
    if done.changed is not None:
        yield from _counts(done)
    if any(one.name not in ONLY_RECEIVERS for one in done.differences):
        yield (
            "Processors with a former value end within 10 s with exit code 78: set the new one in the environment of every "
            "process and start them again"
        )


def _counts(done: Done) -> Iterator[str]:
    changed = done.changed
    assert changed is not None
    if done.effects.load or done.effects.read_again:
        yield f"{changed.loads:,} loads were opened"
    if done.effects.drop:
        yield f"{changed.dropped:,} records no longer wait to be read"
    if changed.sealed or changed.given_up:
        yield f"the tokens of {changed.sealed:,} grants were encrypted with the first key"
    if changed.given_up:
        yield f"{changed.given_up:,} grants were given up: connect their organisations again with `xero-stream connect`"
