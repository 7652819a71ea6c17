"""``xero-stream local``: only the local Kafka and PostgreSQL, until Ctrl-C."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

from xero_stream.local.errors import ServerFailedError
from xero_stream.local.server import Server
from xero_stream.local.servers import LocalServers


async def run_local(data_dir: Path, *, out: TextIO | None = None, progress: TextIO | None = None) -> None:
    """Run both servers until SIGINT or SIGTERM; what to export is printed once they answer.

    A second signal leaves at once; the servers' shims then stop them.

    Args:
        data_dir: where data, logs and ports are kept.
        out: where the variables go; standard output by default.
        progress: where everything else goes; standard error by default.

    Raises:
        LocalServerError: a server can't be started, or ended by itself.
    """
    out, notes = out or sys.stdout, progress or sys.stderr

    def say(line: str) -> None:
        notes.write(f"xero-stream: {line}\n")
        notes.flush()

    with _ended_by_signals() as asked:
        try:
            async with LocalServers(data_dir, progress=say) as servers:
                out.writelines(f"export {name}='{value}'\n" for name, value in servers.environment.items())
                out.flush()
                say(f"Kafka and PostgreSQL are ready; their data and logs are in {data_dir}. Ctrl-C stops them.")
                await _first_end(servers.kafka, servers.postgres)
        except asyncio.CancelledError:
            if not asked():
                raise
            say("stopped; the next start goes on with the data kept")


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[Callable[[], bool]]:
    """Cancel the current task on SIGINT and SIGTERM; what is yielded tells whether one came."""
    task = asyncio.current_task()
    assert task is not None
    loop = asyncio.get_running_loop()
    came: list[int] = []

    def cancel(number: int) -> None:
        came.append(number)
        task.cancel()

    numbers = (signal.SIGINT, signal.SIGTERM) if sys.platform != "win32" else ()
    for number in numbers:
        loop.add_signal_handler(number, cancel, number)
    try:
        yield lambda: bool(came)
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
        for _ in came:
            task.uncancel()


async def _first_end(*servers: Server) -> None:
    """Until one of the servers ends, which none should.

    Raises:
        ServerFailedError: always, then.
    """
    waiting = {asyncio.ensure_future(server.exited()): server for server in servers}
    try:
        done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for future in waiting:
            future.cancel()
    ended = done.pop()
    raise ServerFailedError(f"{waiting[ended].name} ended by itself (status {ended.result()}): its log says why")
