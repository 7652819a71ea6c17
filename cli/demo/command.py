"""``xero-stream demo``."""

import asyncio
import contextlib
import errno
import os
import random
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from cli.demo.chaos import schedule
from cli.demo.ending import final_screen
from cli.demo.environment import DemoEnvironment, StartFailedError, build, listening, load
from cli.demo.kafka_log import Live, NotReadError
from cli.demo.places import Places
from cli.demo.processes import WorkerFailedError
from cli.demo.show import Show
from cli.demo.simulated import SimulatedError
from cli.demo.tally import Tally
from cli.demo.terminal import wants_screen
from cli.exits import ExitCode, guarded
from cli.service import loop_factory
from xero_stream.contracts.names import EntityName
from xero_stream.kafka.admin import KafkaUnreachableError
from xero_stream.local.errors import DiskFullError, LocalServerError
from xero_stream.process.program import ProgramFailedError
from xero_stream.settings.local import LocalSettings
from xero_stream.store.migrate import MigrationError
from xero_stream.store.pool import StoreUnreachableError

FOLDER = "demo"
"""Where the demo's data is, below the data directory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What was asked for.

    Attributes:
        data_dir: where everything is kept.
        seconds: end by itself after that many seconds of live view; None: when somebody quits.
        chaos: press keys at random.
        fresh: start over.
        seed: of the simulator's books and of chaos; None: the books kept (or 1), and any chaos.
    """

    data_dir: Path
    seconds: float | None
    chaos: bool
    fresh: bool
    seed: int | None


@guarded(
    examples=(
        "xero-stream demo",
        "xero-stream demo --seconds 30 --chaos   # break things, then check all",
        "xero-stream demo --fresh                # forgets what earlier demos kept",
    ),
    unreachable=(
        LocalServerError,
        StartFailedError,
        WorkerFailedError,
        ProgramFailedError,
        SimulatedError,
        NotReadError,
        KafkaUnreachableError,
        StoreUnreachableError,
        MigrationError,
    ),
)
def demo(
    seconds: Annotated[
        float | None, typer.Option(min=1, max=86_400, help="Stop after this many seconds and run all checks.")
    ] = None,
    chaos: Annotated[bool, typer.Option("--chaos", help="Press k, b, r and e at random; with --seconds.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Delete the data of earlier demos.")] = False,
    data_dir: Annotated[Path | None, typer.Option(help="Data directory; .xero-stream/demo by default.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the simulator's books (1 by default) and of chaos.")] = None,
) -> ExitCode:
    """Everything on this machine against a simulated Xero: a real Kafka, a real PostgreSQL, three organisations.

    Keys: e edits, k kills a worker (kill -9), b stops Kafka for a while, r rate-limits an organisation, v verifies,
    q quits, ? says what each does. Ctrl-C stops everything and leaves no process behind; the next demo goes on with the
    data kept. With --seconds it ends by itself: it stops the edits, waits until everything is published, compares Kafka
    with the simulator's truth record by record, and exits 0 only if all agree.
    """
    if chaos and seconds is None:
        raise typer.BadParameter("--chaos needs --seconds: chaos ends with a verdict")
    folder = data_dir or LocalSettings.read().data_dir / FOLDER
    options = Options(data_dir=folder, seconds=seconds, chaos=chaos, fresh=fresh, seed=seed)
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        try:
            return runner.run(_interruptible(options))
        except BrokenPipeError:  # whoever read our lines has gone; everything is stopped by now
            with contextlib.suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return ExitCode.INTERRUPTED


def _say(text: str) -> None:
    sys.stdout.write(f"xero-stream: {text}\n")
    sys.stdout.flush()


async def _interruptible(options: Options) -> ExitCode:
    with _ended_by_signals() as asked:
        try:
            return await _run(options)
        except asyncio.CancelledError:
            if not asked():
                raise
            _say(f"stopped; the next demo goes on with the data kept in {options.data_dir}")
            return ExitCode.OK if options.seconds is None else ExitCode.INTERRUPTED
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise DiskFullError(
                    f"no disk space is left for {options.data_dir}: free some and start again"
                ) from error
            raise


async def _run(options: Options) -> ExitCode:
    places = Places(options.data_dir)
    shows: list[Show] = []

    def restarted(name: str, on_purpose: bool) -> None:
        for show in shows:
            show.restarted(name, on_purpose)

    async with AsyncExitStack() as stack:
        demo = await build(stack, places, fresh=options.fresh, seed=options.seed, say=_say, on_restart=restarted)
        await load(demo, _say)
        code = await _live(options, demo, shows)
        _say("stopping")
    if options.seconds is None:
        _say(f"stopped; the next demo goes on with the data kept in {places.path}")
    return code


async def _live(options: Options, demo: DemoEnvironment, shows: list[Show]) -> ExitCode:
    chaos_seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1_000_000)
    source = random.Random(chaos_seed)
    presses = schedule(source, options.seconds) if options.chaos and options.seconds else []
    if presses:
        _say(f"chaos will press {' '.join(press.key for press in presses)} (seed {chaos_seed})")
    show = Show(Tally(demo.names, asyncio.get_running_loop().time()), source=source)
    shows.append(show)
    live = Live(demo.kafka, show.seen)
    reader = asyncio.create_task(live.run(), name="live")
    try:
        await listening(live)
        verdict = await show.run(
            demo,
            out=sys.stdout,
            screen=wants_screen(sys.stdout, os.environ),
            seconds=options.seconds,
            presses=presses,
        )
        picture = show.picture()
    finally:
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)
    if verdict is None:
        return ExitCode.OK
    lines = final_screen(
        verdict,
        picture,
        bootstrap_servers=demo.servers.bootstrap_servers,
        topic=demo.kafka.topics.changes(EntityName.INVOICES),
        password_file=str(demo.servers.kafka.password_file),
        data_dir=str(demo.places.path),
    )
    sys.stdout.write("\n".join(["", *lines, "", ""]))
    sys.stdout.flush()
    return ExitCode.OK if verdict.agrees else ExitCode.PROBLEMS


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[Callable[[], bool]]:
    """Cancel the current task on the first signal that asks for an end; leave at once on the second.

    What is yielded tells whether one came. Whatever still runs then is ended by its shim within seconds.
    """
    task = asyncio.current_task()
    assert task is not None
    loop = asyncio.get_running_loop()
    came: list[int] = []

    def asked(number: int) -> None:
        if came:
            os._exit(128 + number)
        came.append(number)
        task.cancel()

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP) if sys.platform != "win32" else ()
    for number in numbers:
        loop.add_signal_handler(number, asked, number)
    try:
        yield lambda: bool(came)
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
