"""Exit codes, and errors as one line. Every command ends through :func:`guarded`."""

import functools
import inspect
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from enum import IntEnum
from pathlib import Path
from typing import ParamSpec

import typer

from xero_stream.printable import printable
from xero_stream.settings.base import OptionError, SettingsError
from xero_stream.settings.unknown import names_in, unknown_names, unreadable_lines

P = ParamSpec("P")
Errors = tuple[type[Exception], ...]


class ExitCode(IntEnum):
    """What the shell gets. The last two are sysexits.h's EX_UNAVAILABLE and EX_CONFIG."""

    OK = 0
    PROBLEMS = 1  # the command did its work and found something wrong
    USAGE = 2  # unknown command or option, or options that don't go together
    UNREACHABLE = 69  # Kafka, PostgreSQL or Xero does not answer
    CONFIGURATION = 78  # a setting is missing or wrong, or the deployment is not prepared
    INTERRUPTED = 130  # Ctrl-C, where that is not the usual end


EPILOG = (
    "Exit codes: 0 done · 1 found problems · 2 wrong usage · 69 Kafka, PostgreSQL or Xero does not answer · "
    "78 a setting is missing or wrong, or a step of the set-up is missing."
)


def complain(message: object) -> None:
    """One line on standard error, whatever the message holds."""
    sys.stderr.write(f"xero-stream: {printable(' '.join(str(message).split()))}\n")
    sys.stderr.flush()


def ineffective() -> Iterator[str]:
    """What is set in the environment or in ``.env`` and has no effect."""
    from xero_stream.settings.example import SECTIONS, settings_of  # noqa: PLC0415 - `--help` needs none of them

    known = {setting.name for section in SECTIONS for setting in settings_of(section)}
    try:
        lines = Path(".env").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        lines = []
    yield from unknown_names([*os.environ, *names_in(lines)], known)
    yield from unreadable_lines(lines)


def _sentences(error: Exception) -> Iterator[str]:
    """The message, the hint that some of our errors have, and the notes added on the way up."""
    for text in (str(error), getattr(error, "hint", ""), *getattr(error, "__notes__", ())):
        if text:
            yield text if text.endswith((".", "`")) else f"{text}."


def guarded(
    *,
    examples: Sequence[str] = (),
    problems: Errors = (),
    unreachable: Errors = (),
    configuration: Errors = (),
) -> Callable[[Callable[P, ExitCode | int | None]], Callable[P, None]]:
    """Make a command of a function: its result becomes the exit code, the errors named here one line.

    Any other error is a bug, and shows its traceback.

    Args:
        examples: lines that end its help: a command as one would type it, and perhaps two spaces, ``#`` and what for.
        problems: errors that end with :attr:`ExitCode.PROBLEMS`.
        unreachable: errors that end with :attr:`ExitCode.UNREACHABLE`.
        configuration: errors that end with :attr:`ExitCode.CONFIGURATION`, besides ``SettingsError``.
    """
    rows: tuple[tuple[Errors, ExitCode], ...] = (
        (unreachable, ExitCode.UNREACHABLE),
        ((OptionError,), ExitCode.USAGE),
        ((SettingsError, *configuration), ExitCode.CONFIGURATION),
        (problems, ExitCode.PROBLEMS),
    )

    def wrap(command: Callable[P, ExitCode | int | None]) -> Callable[P, None]:
        @functools.wraps(command)
        def run(*args: P.args, **kwargs: P.kwargs) -> None:
            for sentence in ineffective():
                complain(f"warning: {sentence}" + ("" if sentence.endswith("?") else "."))
            try:
                code = command(*args, **kwargs)
            except KeyboardInterrupt:
                raise typer.Exit(ExitCode.INTERRUPTED) from None
            except Exception as error:
                for errors, told in rows:
                    if isinstance(error, errors):
                        complain(" ".join(_sentences(error)))
                        raise typer.Exit(told) from error
                raise
            raise typer.Exit(code or ExitCode.OK)

        # \b keeps the help's formatter from filling these lines.
        run.__doc__ = "\n".join(
            (inspect.cleandoc(command.__doc__ or ""), "", "\b", "Examples:", *map("  ".__add__, examples))
        )
        return run

    return wrap
