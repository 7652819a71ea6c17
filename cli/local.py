"""``xero-stream local``."""

import asyncio
import shlex
from pathlib import Path
from typing import Annotated

import typer

from cli.exits import ExitCode, guarded
from xero_stream.local.command import run_local
from xero_stream.local.data_dir import DataDirectory
from xero_stream.local.errors import LocalServerError, ServerFailedError
from xero_stream.local.kafka import KafkaServer, has_password
from xero_stream.local.ports import is_free, read_or_choose
from xero_stream.local.postgres import PostgresServer
from xero_stream.local.servers import environment
from xero_stream.settings.local import LocalSettings


@guarded(
    examples=(
        "xero-stream local                    # in one terminal",
        'eval "$(xero-stream local --env)"     # in the others',
    ),
    unreachable=(LocalServerError,),
)
def local(
    data_dir: Annotated[
        Path | None, typer.Option(help="Where data, logs and ports are kept; .xero-stream by default.")
    ] = None,
    env: Annotated[
        bool,
        typer.Option("--env", help="Start nothing: print how to reach the servers that run on the data directory."),
    ] = False,
) -> ExitCode:
    """Run only the local Kafka and PostgreSQL, until Ctrl-C.

    Both are the real ones, out of Python wheels: no Java, no Docker needed. Data survives a restart. What the other
    commands need to find them goes to standard output as `export` lines; keep those private: they hold passwords.
    """
    folder = data_dir or LocalSettings.read().data_dir
    if env:
        for name, value in environment_of(folder).items():
            typer.echo(f"export {name}={shlex.quote(value)}")
    else:
        asyncio.run(run_local(folder))
    return ExitCode.OK


def environment_of(folder: Path) -> dict[str, str]:
    """How to reach the local servers that run on a data directory, whoever started them.

    Raises:
        ServerFailedError: none run there.
    """
    data = DataDirectory(folder)
    if not data.ports_file.exists():
        raise ServerFailedError(f"no servers were ever started on {folder}: `xero-stream local` starts them")
    places = read_or_choose(data.ports_file)
    if is_free(places.kafka) or is_free(places.postgres):
        raise ServerFailedError(f"no servers run on {folder}: `xero-stream local` or `up --local` starts them")
    cache = LocalSettings.read().cache_dir
    return environment(
        KafkaServer(data, places, cache, progress=lambda _: None, plaintext=not has_password(data)),
        PostgresServer(data, places, progress=lambda _: None),
    )
