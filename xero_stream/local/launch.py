"""Start a program of the local servers; what goes wrong is one of their errors."""

from collections.abc import Sequence

from xero_stream.local.errors import ServerFailedError
from xero_stream.process import program
from xero_stream.process.program import Program, ProgramFailedError, RunningProgram


async def launch(what: Program, *, keep_open: Sequence[int] = ()) -> RunningProgram:
    """Start a program.

    Args:
        what: the program.
        keep_open: file descriptors that its shim inherits.

    Raises:
        ServerFailedError: it can't be started.
    """
    try:
        return await RunningProgram.start(what, keep_open=keep_open)
    except ProgramFailedError as error:
        raise ServerFailedError(str(error)) from error


async def run_to_end(what: Program, *, keep_open: Sequence[int] = ()) -> None:
    """Run a short program to its end; it ends early when we do.

    Args:
        what: the program.
        keep_open: file descriptors that its shim inherits.

    Raises:
        ServerFailedError: it can't be started or ends with another status than 0.
    """
    try:
        await program.run_to_end(what, keep_open=keep_open)
    except ProgramFailedError as error:
        raise ServerFailedError(str(error)) from error
