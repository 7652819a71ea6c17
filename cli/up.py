"""``xero-stream up``."""

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated

import typer

from cli.exits import ExitCode, complain, guarded
from cli.prepare import prepare
from cli.service import run_service
from cli.store import STORE_ERRORS
from processors.app import ProcessorsConfig
from xero_stream.kafka.admin import KafkaUnreachableError
from xero_stream.local.errors import LocalServerError
from xero_stream.local.servers import LocalServers
from xero_stream.process.backoff import Backoff
from xero_stream.process.child import ChildProcess
from xero_stream.process.restart import RestartPolicy
from xero_stream.process.stopping import StoppedError, unless_stopped
from xero_stream.process.supervisor import GaveUpError, Supervisor
from xero_stream.settings import access
from xero_stream.settings.access import Process, sections_of
from xero_stream.settings.apps import WebhookApps
from xero_stream.settings.base import SettingsError
from xero_stream.settings.local import LocalSettings
from xero_stream.store.deployment import DeploymentMismatchError
from xero_stream.store.migrate import MigrationError

STOP_SECONDS = 15.0
"""How long a child may take to end in order: more than any of them needs to drain."""
BACKOFF = Backoff(first=0.5, longest=30.0)
POLICY = RestartPolicy(
    backoff=BACKOFF, settled_seconds=60.0, unusable=frozenset((ExitCode.USAGE, ExitCode.CONFIGURATION))
)
SERVER_POLICY = RestartPolicy(backoff=BACKOFF, settled_seconds=60.0)
"""No exit status of a local server is final: it has no settings of an operator that could be wrong."""


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
    """Run receiver, processors and console under one parent, a process each: a slow page never delays an answer to Xero.

    What dies is started again (after 0.5 s, then more, at most 30 s); what can't run with its settings ends all with
    exit code 78. Ctrl-C or SIGTERM stops the receiver first, then the others, then the local servers. If the
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
    for section in dict.fromkeys(
        (*sections_of(Process.RECEIVER), *sections_of(Process.PROCESSORS), *sections_of(Process.CONSOLE))
    ):
        section.read()
    ProcessorsConfig.read().check()
    if not any(WebhookApps.read().all().values()):
        raise SettingsError("XERO_WEBHOOK_KEYS is not set: the signing key from Xero's developer portal")


async def _up(stop: asyncio.Event, *, local: bool, workers: int, data_dir: Path | None) -> ExitCode:
    async with AsyncExitStack() as stack:
        try:
            environment = await _local(stack, stop, data_dir) if local else {}
        except StoppedError:
            return ExitCode.OK
        supervisor = Supervisor(
            [_child(Process.RECEIVER, ["receiver", "--workers", str(workers)], environment)],
            [
                _child(Process.PROCESSORS, ["processors"], environment),
                _child(Process.CONSOLE, ["console"], environment),
            ],
            policy=POLICY,
        )
        try:
            await supervisor.run(stop)
        except GaveUpError:
            return ExitCode.CONFIGURATION
        return ExitCode.OK


async def _local(stack: AsyncExitStack, stop: asyncio.Event, data_dir: Path | None) -> Mapping[str, str]:
    """Start the local servers and keep them running; the settings that lead to them.

    Raises:
        StoppedError: ``stop`` was set first.
    """
    servers = LocalServers(data_dir or LocalSettings.read().data_dir, progress=complain)
    await unless_stopped(stop, servers.start())
    stack.push_async_callback(servers.stop)
    await unless_stopped(stop, prepare(servers.environment, say=complain))
    complain("commands in other terminals of this folder find these servers; other programs: xero-stream local --env")
    supervisor = Supervisor(
        [servers.kafka, servers.postgres], policy=SERVER_POLICY, start_errors=(LocalServerError, OSError)
    )
    stack.callback(asyncio.create_task(supervisor.keep(), name="local servers").cancel)
    return servers.environment


def _child(process: Process, arguments: Sequence[str], environment: Mapping[str, str]) -> ChildProcess:
    return ChildProcess(
        name=process.value,
        command=[sys.executable, "-P", "-m", "cli.main", *arguments, "--with-parent"],
        environment=access.environment(process, {**os.environ, **environment}),
        stop_seconds=STOP_SECONDS,
    )
