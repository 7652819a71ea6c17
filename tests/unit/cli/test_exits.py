"""Errors as one line, results as exit codes."""

import pytest
import typer

from cli.exits import ExitCode, guarded
from xero_api.errors import ClientConfigError
from xero_stream.settings.base import SettingsError


class FirstError(Exception):
    """An error of a test."""


def code_of(error: BaseException | None, result: ExitCode | int | None = None) -> int:
    """The exit code of a command that raises or returns something."""

    @guarded(problems=(FirstError,), unreachable=(ConnectionError,), configuration=(ClientConfigError,))
    def command() -> ExitCode | int | None:
        """Do it."""
        if error is not None:
            raise error
        return result

    with pytest.raises(typer.Exit) as caught:
        command()
    return int(caught.value.exit_code)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (FirstError("x"), 1),
        (ConnectionRefusedError("x"), 69),
        (SettingsError("x"), 78),
        (ClientConfigError("x"), 78),
        (KeyboardInterrupt(), 130),
    ],
)
def test_known_errors_have_a_code(error: BaseException, code: int) -> None:
    """Each kind of error ends with its documented code."""
    assert code_of(error) == code


def test_the_message_is_one_line_with_hint_and_notes(capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever an error holds, people get one line: message, hint, what was noted on the way."""
    error = ClientConfigError("token endpoint:\n  400 invalid_client")
    error.add_note("Nothing was stored")

    code_of(error)

    assert capsys.readouterr().err == (
        "xero-stream: token endpoint: 400 invalid_client. Check XERO_CLIENT_ID, XERO_CLIENT_SECRET and the app's type "
        "and scopes in Xero's developer portal. Nothing was stored.\n"
    )


def test_a_bug_is_not_hidden() -> None:
    """What nobody named keeps its traceback."""

    @guarded(problems=(FirstError,))
    def command() -> None:
        """Do it."""
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        command()


@pytest.mark.parametrize(("result", "code"), [(None, 0), (ExitCode.OK, 0), (ExitCode.PROBLEMS, 1), (7, 7)])
def test_the_result_is_the_code(result: ExitCode | int | None, code: int) -> None:
    """Commands return what the shell gets."""
    assert code_of(None, result) == code


def test_examples_end_the_help() -> None:
    """They stand as they are, behind the marker that keeps the formatter from filling them."""

    @guarded(examples=("xero-stream x", "xero-stream x --y"))
    def command() -> None:
        """Do it.

        Well.
        """

    assert command.__doc__ == "Do it.\n\nWell.\n\n\b\nExamples:\n  xero-stream x\n  xero-stream x --y"
