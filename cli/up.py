"""``xero-stream up``."""

import asyncio
from collections.abc import Coroutine, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.exits import ExitCode, complain, guarded
from cli.family.family import Child, Family
from cli.kept_running import kept_running
from cli.prepare import prepare
from cli.service import run_service
from cli.store import STORE_ERRORS
from xero_stream.kafka.admin import KafkaUnreachableError
from xero_stream.local.errors import LocalServerError
from xero_stream.local.servers import LocalServers
from xero_stream.settings.access import Process, sections_of
from xero_stream.settings.apps import WebhookApps
from xero_stream.settings.base import SettingsError
from xero_stream.settings.local import LocalSettings
from xero_stream.settings.store import EncryptionSettings
from xero_stream.store.crypto import TokenCipher
from xero_stream.store.deployment import DeploymentMismatchError
from xero_stream.store.migrate import MigrationError


@guarded(
    examples=(
        "xero-stream up --local",
        "xero-stream migrate && xero-stream topics apply && xero-stream up",
    ),
    unreachable=(*STORE_ERRORS, KafkaUnreachableError, LocalServerError, MigrationError),
    configuration=(DeploymentMismatchError,),
)
def up(
    local: Annotated[
        bool, typer.Option("--local", help="Also run Kafka and PostgreSQL here, migrate, and apply the topics.")
    ] = False,
    workers: Annotated[int, typer.Option(help="Receiver processes that share the public port.", min=1)] = 1,
    data_dir: Annotated[
        Path | None, typer.Option(help="With --local: where data and logs are kept; .xero-stream by default.")
    ] = None,
) -> ExitCode:
    """Run receiver and processors under one parent, a process each: a slow page never delays an answer to Xero.

    What dies is started again (after 0.5 s, then more, at most 30 s); what can't run with its settings ends all with
    exit code 78. Ctrl-C or SIGTERM stops the receiver first, then the processors, then the local servers. If the
    parent is killed, all of them end by themselves.
    """
    _check_settings()
    result: list[ExitCode] = []

    async def work(stop: asyncio.Event) -> None:
        result.append(await _up(stop, local=local, workers=workers, data_dir=data_dir))

    run_service(work, service="up")
    return result[0]


def _check_settings() -> None:
    """Find here what would end the children, so that it is said once."""
    for section in dict.fromkeys((*sections_of(Process.RECEIVER), *sections_of(Process.PROCESSORS))):
        section.read()
    TokenCipher(EncryptionSettings.read().keys)
    if not any(WebhookApps.read().all().values()):
        raise SettingsError("XERO_WEBHOOK_KEYS is not set: the signing key from Xero's developer portal")


async def _up(stop: asyncio.Event, *, local: bool, workers: int, data_dir: Path | None) -> ExitCode:
    async with AsyncExitStack() as stack:
        environment: Mapping[str, str] = {}
        if local:
            servers = LocalServers(data_dir or LocalSettings.read().data_dir, progress=complain)
            if not await _unless(stop, servers.start()):
                return ExitCode.OK
            stack.push_async_callback(servers.stop)
            environment = servers.environment
            if not await _unless(stop, prepare(environment, say=complain)):
                return ExitCode.OK
            complain(
                "commands in other terminals of this folder find these servers; other programs: xero-stream local --env"
            )
            for server in (servers.kafka, servers.postgres):
                stack.callback(asyncio.create_task(kept_running(server), name=f"keep-{server.name}").cancel)
        family = Family(
            [
                Child(
                    name="receiver",
                    process=Process.RECEIVER,
                    arguments=["receiver", "--workers", str(workers)],
                    environment=environment,
                ),
                Child(name="processors", process=Process.PROCESSORS, arguments=["processors"], environment=environment),
            ]
        )
        return await family.run(stop)


async def _unless(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Do something that may take long, unless told to stop meanwhile; whether it was done."""
    task, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not task.done():
        task.cancel()
        await asyncio.wait({task})
        return False
    task.result()
    return True
