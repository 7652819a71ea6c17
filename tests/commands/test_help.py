"""What people read first: the list of commands, each one's help, its examples."""

import inspect
import re
import shlex
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from cli.application import COMMANDS, build, load
from cli.exits import ExitCode
from tests.commands.conftest import CommandLine

WIDTH = 80


def commands() -> list[tuple[str, ...]]:
    """Every command with its path, those inside groups too."""
    paths: list[tuple[str, ...]] = []
    for name, entry in COMMANDS.items():
        command = load(entry)
        inner = getattr(command, "commands", None)
        paths += [(name, *([one] if one else [])) for one in (inner or {None: None})]
    return paths


def command_of(path: tuple[str, ...]) -> Any:
    """The command behind a path."""
    command = load(COMMANDS[path[0]])
    return command.commands[path[1]] if len(path) > 1 else command


def help_of(*path: str) -> str:
    """What ``--help`` prints in a terminal of 80 columns."""
    result = CliRunner(env={"COLUMNS": str(WIDTH), "TERMINAL_WIDTH": str(WIDTH)}).invoke(build(), [*path, "--help"])
    assert result.exit_code == 0, result.output
    return str(result.output)


def test_the_list_names_every_command() -> None:
    """Each with one line, and where to start."""
    listing = help_of()

    for name, entry in COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(entry.about[:30])}", listing, re.MULTILINE), name
    assert "xero-stream demo" in listing
    assert "xero-stream doctor" in listing


@pytest.mark.parametrize("path", commands(), ids=" ".join)
def test_help_is_worth_reading(path: tuple[str, ...]) -> None:
    """What it does, examples, every option explained, the exit codes; nothing wider than the terminal."""
    text = help_of(*path)

    assert len(inspect.cleandoc(command_of(path).help or "")) > 60
    assert "Examples:" in text
    assert "Exit codes:" in text
    for code in ExitCode:
        if code is not ExitCode.INTERRUPTED:
            assert re.search(rf"\b{code.value} ", text[text.index("Exit codes:") :]), code
    for parameter in command_of(path).params:
        assert parameter.help or parameter.hidden, parameter.name
    assert [line for line in text.splitlines() if len(line) > WIDTH] == []


@pytest.mark.parametrize("path", commands(), ids=" ".join)
def test_examples_use_what_exists(path: tuple[str, ...]) -> None:
    """Every ``xero-stream`` in an example is a command, with options it has."""
    examples = (command_of(path).help or "").split("Examples:\n")[1]
    calls = re.findall(r"xero-stream ([^\n|&<>#\"')]*)", examples.replace("\\\n", " "))

    assert calls
    for call in calls:
        words = shlex.split(call)
        group = load(COMMANDS[words[0]])
        inner = getattr(group, "commands", None)
        command = inner[words[1]] if inner else group
        known = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= known, call


def test_no_module_is_loaded_for_the_list(xero_stream: CommandLine) -> None:
    """The list comes at once: no client library is imported for it."""
    ended = xero_stream.process("--help", env={"PYTHONPROFILEIMPORTTIME": "1"})

    assert "cli.exits" in ended.err
    for heavy in ("aiokafka", "asyncpg", "sqlalchemy", "aiohttp", "httpx"):
        assert f" {heavy}\n" not in ended.err


def test_version(xero_stream: CommandLine) -> None:
    """The installed one."""
    ended = xero_stream.process("--version")

    assert (ended.code, ended.err) == (0, "")
    assert re.fullmatch(r"xero-stream \d+\.\d+\.\d+\n", ended.out)


@pytest.mark.parametrize(
    "arguments",
    [
        ["topicz"],
        ["topics", "destroy"],
        ["tail", "--entity", "bank-transactions"],
        ["tail", "--colour"],
        ["quarantine", "show", "x"],
        ["quarantine", "retry"],
        ["quarantine", "retry", "--all", "6f1c0f0e-6f8a-5f8e-9f39-0c8f3f1b8b52"],
        ["grants", "add"],
        ["up", "--workers", "0"],
    ],
    ids=" ".join,
)
def test_wrong_usage(xero_stream: CommandLine, arguments: list[str]) -> None:
    """Unknown words and options that don't go together end with 2 and one line, before anything is opened."""
    ended = xero_stream(*arguments)

    assert ended.code == ExitCode.USAGE
    assert ended.complaint.endswith("--help`.")


@pytest.mark.parametrize("arguments", [[], ["topics"]], ids=" ".join)
def test_without_a_command(xero_stream: CommandLine, arguments: list[str]) -> None:
    """The help, and 2: nothing was done."""
    ended = xero_stream(*arguments)

    assert ended.code == ExitCode.USAGE
    assert (ended.err + ended.out).startswith("Usage: xero-stream")


def test_a_misspelt_command_is_suggested(xero_stream: CommandLine) -> None:
    """The nearest word helps more than a list."""
    assert "Did you mean 'topics'?" in xero_stream("topicz").err


def test_typer_knows_every_command() -> None:
    """The table's modules and names exist."""
    assert isinstance(build(), typer.Typer)
    for entry in COMMANDS.values():
        assert load(entry) is not None
