"""The command ``xero-stream``. Only names and their modules: a command's module is loaded when it is called."""

import importlib
import logging
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from cli.exits import EPILOG, ExitCode, complain
from cli.running_servers import use_running_servers

HELP = frozenset({"-h", "--help"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One command.

    Attributes:
        module: where it is.
        name: of the function, or of the group of commands, in that module.
        about: its line in the list of commands.
        finds_servers: whether it uses the local servers that run on the data directory, where no others are set.
    """

    module: str
    name: str
    about: str
    finds_servers: bool = True


COMMANDS: dict[str, Entry] = {
    "demo": Entry(
        module="cli.demo.command",
        name="demo",
        about="Everything on this machine against a simulated Xero, with live traffic.",
        finds_servers=False,
    ),
    "up": Entry(
        module="cli.up",
        name="up",
        about="Receiver, processors and console under one parent, a process each.",
        finds_servers=False,
    ),
    "receiver": Entry(module="cli.receiver", name="receiver", about="Take Xero's webhooks and put them on Kafka."),
    "processors": Entry(
        module="cli.processors", name="processors", about="Read changed records from Xero, publish change events."
    ),
    "console": Entry(module="cli.console", name="console", about="Answer programs that have an API key."),
    "simulator": Entry(
        module="cli.simulator", name="simulator", about="A Xero that runs on a laptop.", finds_servers=False
    ),
    "local": Entry(module="cli.local", name="local", about="Only the local Kafka and PostgreSQL.", finds_servers=False),
    "migrate": Entry(module="cli.migrate", name="migrate", about="Bring the store's schema up to date."),
    "topics": Entry(module="cli.topics", name="app", about="Check or apply the Kafka topics."),
    "deployment": Entry(
        module="cli.deployment.command", name="app", about="The settings that all processes share: show, change."
    ),
    "connect": Entry(
        module="cli.connect.command", name="connect", about="Connect organisations by a consent in the browser."
    ),
    "grants": Entry(module="cli.grants.command", name="app", about="Connect organisations, see how they stand."),
    "tenants": Entry(module="cli.tenants.command", name="app", about="List the connected organisations, remove one."),
    "tail": Entry(module="cli.tail", name="tail", about="Show change events as they are published."),
    "quarantine": Entry(
        module="cli.quarantine", name="app", about="What could not be applied: list, show, send round again."
    ),
    "api-keys": Entry(
        module="cli.api_keys.command", name="app", about="Keys of programs that call the console: create, list, revoke."
    ),
    "audit": Entry(module="cli.audit", name="audit", about="Show who changed what, and when."),
    "doctor": Entry(module="cli.doctor.command", name="doctor", about="Check everything, and say what to do."),
}


class Lazily(TyperGroup):
    """Lists commands by their entries; loads the one that is called; says what is wrong with a call in one line."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run what is called; see Typer's own for the arguments."""
        try:
            code = super().main(
                args=args,
                prog_name=prog_name,
                complete_var=complete_var,
                standalone_mode=False,
                windows_expand_args=windows_expand_args,
                **extra,
            )
        except typer.TyperException as error:
            _tell(error)
            code = error.exit_code
        except typer.Abort:
            code = ExitCode.INTERRUPTED
        if standalone_mode:
            sys.exit(code)
        return code

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """The command's name, the command itself, and its arguments."""
        name, _, rest = super().resolve_command(ctx, args)
        if not name:
            return name, None, rest
        if COMMANDS[name].finds_servers and not HELP.intersection(rest):
            use_running_servers()
        return name, load(COMMANDS[name]), rest


def _tell(error: typer.TyperException) -> None:
    message = error.format_message().replace("Input should be", "must be")  # a library's words for its own input
    if message.startswith("Usage: "):  # a group was called without a command: it is its whole help
        typer.echo(message, err=True)
        return
    called = getattr(getattr(error, "ctx", None), "command_path", "xero-stream")
    complain(f"{message}{'' if message.endswith(('.', '?', '!')) else '.'} See `{called} --help`.")


def load(entry: Entry) -> Any:
    """Import a command."""
    found = getattr(importlib.import_module(entry.module), entry.name)
    if not isinstance(found, typer.Typer):
        alone = typer.Typer(add_completion=False, rich_markup_mode=None)
        alone.command(epilog=EPILOG)(found)
        found = alone
    return typer.main.get_command(found)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"xero-stream {version('xero-stream')}")
        raise typer.Exit


def build() -> typer.Typer:
    """The application with all its commands."""
    app = typer.Typer(
        cls=Lazily,
        name="xero-stream",
        no_args_is_help=True,
        pretty_exceptions_enable=False,  # its tracebacks show local variables, which may be secrets
        rich_markup_mode=None,
        epilog=EPILOG,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @app.callback()
    def xero_stream(
        version: Annotated[
            bool, typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True)
        ] = False,
    ) -> None:
        """Xero's webhooks, verified, completed and published to Kafka as change events, exactly once.

        Settings come from the environment and from `.env`: see .env.example. Start with `xero-stream demo`; when
        something does not work, `xero-stream doctor` says what to do.
        """
        del version

    for name, entry in COMMANDS.items():
        app.command(name, help=entry.about)(_placeholder())
    return app


def _placeholder() -> Callable[[], None]:
    def placeholder() -> None:
        """Stands in the list; :class:`Lazily` puts the real command in its place."""

    return placeholder


def run() -> None:
    """Run the command line."""
    # Libraries' own lines on standard error, until a service sets logs up: our errors say it in one.
    logging.getLogger().addHandler(logging.NullHandler())
    build()()
