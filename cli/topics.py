"""``xero-stream topics check|apply|acl``."""

import asyncio
from collections.abc import Sequence
from typing import Annotated

import typer

from cli.exits import EPILOG, ExitCode, guarded
from xero_stream.kafka.acl import Consumer, acls, command
from xero_stream.kafka.admin import Applied, KafkaUnreachableError, Problem, TopicAdmin, wanted
from xero_stream.kafka.marker import read_marker
from xero_stream.settings.access import Process
from xero_stream.settings.base import SettingsError
from xero_stream.settings.entities import EntitySettings
from xero_stream.settings.kafka import KafkaSettings
from xero_stream.settings.receiver import ReceiverSettings
from xero_stream.settings.shared import differences, values

app = typer.Typer(
    help="Check or apply the Kafka topics (names, partitions, retention, sizes) and their ACLs. No process creates topics implicitly.",
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
            typer.echo("`xero-stream topics apply` fixes what it can")
        return ExitCode.PROBLEMS
    count = len(wanted(settings, EntitySettings.read().entities, deliveries=deliveries))
    typer.echo(f"{count} topics of {settings.topic_prefix} are correct")
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


Principal = Annotated[
    str | None, typer.Option(help="Its Kafka principal, as User:name; without it no ACLs are printed for it.")
]


@app.command(epilog=EPILOG)
@guarded(
    examples=(
        "xero-stream topics acl --receiver User:receiver --processors User:worker",
        "xero-stream topics acl --consumer User:billing=billing-service > acls.sh",
    )
)
def acl(
    receiver: Principal = None,
    processors: Principal = None,
    setup: Principal = None,
    tools: Principal = None,
    commands_from: Annotated[
        list[str] | None,
        typer.Option(help="Principal that may request writes (topic commands), as User:name; repeatable."),
    ] = None,
    consumer: Annotated[
        list[str] | None, typer.Option(help="Principal that reads changes and records, as User:name=GROUP; repeatable.")
    ] = None,
    command_config: Annotated[
        str | None, typer.Option(help="Properties file with which kafka-acls.sh connects as an administrator.")
    ] = None,
) -> ExitCode:
    """Print the least ACLs that each process needs, as commands of kafka-acls.sh. Nothing is sent to Kafka.

    They are for the entities and topics of these settings: run it again after a change of XERO_STREAM_ENTITIES. `setup` is
    `topics apply`, `tools` are the other commands. Kafka refuses what no ACL allows where its authorizer is on.
    """
    settings, deliveries = _settings()
    given = {
        Process.RECEIVER: receiver,
        Process.PROCESSORS: processors,
        Process.SETUP: setup,
        Process.TOOLS: tools,
    }
    principals = {process: _principal(name) for process, name in given.items() if name}
    writers = [_principal(name) for name in commands_from or ()]
    consumers = [_consumer(text) for text in consumer or ()]
    if not (principals or writers or consumers):
        raise SettingsError("name at least one principal, such as --receiver User:receiver; see --help")
    found = acls(
        settings.topics,
        EntitySettings.read().entities,
        deliveries=deliveries,
        principals=principals,
        writers=writers,
        consumers=consumers,
    )
    for one in found:
        typer.echo(command(one, bootstrap_servers=settings.bootstrap_servers, config=command_config))
    return ExitCode.OK


def _principal(text: str) -> str:
    if not text.startswith("User:") or text in ("User:", "User:*"):
        raise SettingsError(f"{text} names no user: write User:name")
    return text


def _consumer(text: str) -> Consumer:
    # A certificate's name has equals signs; a group has none.
    principal, equals, group = text.rpartition("=")
    if not equals or not group:
        raise SettingsError(f"--consumer {text} names no group: write User:name=GROUP")
    return Consumer(principal=_principal(principal), group=group)


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
