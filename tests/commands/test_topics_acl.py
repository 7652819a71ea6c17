"""``xero-stream topics acl`` on the command line."""

import pytest

from tests.commands.conftest import CommandLine


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "name at least one principal"),
        (["--receiver", "receiver"], "receiver names no user"),
        (["--receiver", "User:*"], "names no user"),
        (["--commands-from", "Group:x"], "names no user"),
        (["--consumer", "User:billing"], "names no group"),
        (["--consumer", "User:billing="], "names no group"),
    ],
)
def test_what_is_no_principal(xero_stream: CommandLine, arguments: list[str], told: str) -> None:
    """78, and what to write: a wildcard would open the topic to everybody."""
    ended = xero_stream("topics", "acl", *arguments)

    assert (ended.code, told in ended.complaint, ended.out) == (78, True, "")


def test_nothing_but_commands_on_standard_output(xero_stream: CommandLine) -> None:
    """So that it can be piped into a shell."""
    ended = xero_stream("topics", "acl", "--receiver", "User:r", "--consumer", "User:CN=b,O=x=bill")

    assert ended.code == 0
    assert {line.split()[0] for line in ended.out.splitlines()} == {"kafka-acls.sh"}
    assert "--allow-principal User:CN=b,O=x --operation Read --group bill" in ended.out
