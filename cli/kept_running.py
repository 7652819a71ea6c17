"""A local server under ``up --local``: started again when it ends, with the same back-off as the processes."""

import asyncio
import time

import structlog

from cli.family.restart import Again, after_end
from xero_stream.local.errors import LocalServerError
from xero_stream.local.server import Server

log = structlog.get_logger(__name__)


async def kept_running(server: Server) -> None:
    """Start a server again whenever it has ended, until cancelled.

    Args:
        server: running.
    """
    failures, started = 0, time.monotonic()
    while True:
        status = await server.exited()
        # The status does not matter: a local server has no settings of an operator that could be wrong.
        decision = after_end(-1, lived=time.monotonic() - started, failures=failures)
        assert isinstance(decision, Again)
        failures = decision.failures
        log.warning(
            "local_server_ended", server=server.name, status=status, log=str(server.log), again_in=decision.pause
        )
        await asyncio.sleep(decision.pause)
        while not await _started(server):
            again = after_end(-1, lived=0.0, failures=failures)
            assert isinstance(again, Again)
            failures = again.failures
            await asyncio.sleep(again.pause)
        started = time.monotonic()


async def _started(server: Server) -> bool:
    try:
        await server.start()
    except (LocalServerError, OSError) as error:
        log.error("local_server_not_started", server=server.name, reason=str(error))  # noqa: TRY400 - it says what to do
        return False
    log.info("local_server_started", server=server.name)
    return True
