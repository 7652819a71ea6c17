"""``xero-stream local``."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from cli.exits import ExitCode, guarded
from xero_stream.local.command import run_local
from xero_stream.local.errors import LocalServerError
from xero_stream.settings.local import LocalSettings


@guarded(
    examples=(
        "xero-stream local > env.sh     # in one terminal",
        ". ./env.sh                     # in the others, once it says it is ready",
    ),
    unreachable=(LocalServerError,),
)
def local(
    data_dir: Annotated[
        Path | None, typer.Option(help="Where data, logs and ports are kept; .xero-stream by default.")
    ] = None,
) -> ExitCode:
    """Run only the local Kafka and PostgreSQL, until Ctrl-C.

    Both are the real ones, out of Python wheels: no Java, no Docker needed. Data survives a restart. What the other
    commands need to find them goes to standard output as `export` lines; keep those private: they hold a password.
    """
    asyncio.run(run_local(data_dir or LocalSettings.read().data_dir))
    return ExitCode.OK
