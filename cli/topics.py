"""``xero-stream topics check|apply``."""

import asyncio
from collections.abc import Sequence

import typer

from cli.exits import EPILOG, ExitCode, guarded
from xero_stream.kafka.admin import Applied, KafkaUnreachableError, Problem, TopicAdmin, wanted
from xero_stream.kafka.marker import read_marker
from xero_stream.settings.base import SettingsError
from xero_stream.settings.entities import EntitySettings
from xero_stream.settings.kafka import KafkaSettings
from xero_stream.settings.receiver import ReceiverSettings
from xero_stream.settings.shared import differences, values

app = typer.Typer(
    help="Check or apply the Kafka topics: names, partitions, retention, sizes. Nothing creates topics by itself.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    epilog=EPILOG,
)


@app.command(epilog=EPILOG)
@guarded(examples=("xero-stream topics check && echo all right",), unreachable=(KafkaUnreachableError,))
def check() -> ExitCode:
    """Say how the topics differ from what they should be. Exit code 1 if they do."""
    settings, deliveries = _settings()
    problems = asyncio.run(_check(settings, deliveries=deliveries))
    _show(problems)
    if problems:
        if any(problem.fixable for problem in problems):
            typer.echo("`xero-stream topics apply` mends what it can")
        return ExitCode.PROBLEMS
    count = len(wanted(settings, EntitySettings.read().entities, deliveries=deliveries))
    typer.echo(f"{count} topics of {settings.topic_prefix}: as they should be")
    return ExitCode.OK


@app.command(epilog=EPILOG)
@guarded(
    examples=(
        "xero-stream topics apply",
        "KAFKA_REPLICATION_FACTOR=1 xero-stream topics apply   # a single broker",
    ),
    unreachable=(KafkaUnreachableError,),
)
def apply() -> ExitCode:
    """Create what is missing, set what differs. Never deletes, never changes a number of partitions.

    Exit code 1 if something is left that it can't mend.
    """
    settings, deliveries = _settings()
    applied = asyncio.run(_apply(settings, deliveries=deliveries))
    for verb, names in (("created", applied.created), ("changed", applied.altered)):
        for name in names:
            typer.echo(f"{verb} {name}")
    _show(applied.left)
    if applied.left:
        return ExitCode.PROBLEMS
    if not applied.created and not applied.altered:
        typer.echo("nothing to do")
    return ExitCode.OK


def _settings() -> tuple[KafkaSettings, bool]:
    return KafkaSettings.read(), ReceiverSettings.read().keep_deliveries


async def _check(settings: KafkaSettings, *, deliveries: bool) -> list[Problem]:
    async with TopicAdmin(settings) as admin:
        await _compare(settings, admin)
        return await admin.check(wanted(settings, EntitySettings.read().entities, deliveries=deliveries))


async def _apply(settings: KafkaSettings, *, deliveries: bool) -> Applied:
    async with TopicAdmin(settings) as admin:
        await _compare(settings, admin)
        return await admin.apply(wanted(settings, EntitySettings.read().entities, deliveries=deliveries))


async def _compare(settings: KafkaSettings, admin: TopicAdmin) -> None:
    """See that the settings are the deployment's, as far as Kafka knows it: else topics would be made that nobody uses.

    Raises:
        SettingsError: they are not.
    """
    ours = values(settings, EntitySettings.read())
    found = differences(ours, await read_marker(admin, settings))
    if found:
        raise SettingsError("; ".join(map(str, found)))


def _show(problems: Sequence[Problem]) -> None:
    for problem in problems:
        typer.echo(f"{problem.topic} {problem.what}")
