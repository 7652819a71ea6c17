"""The table of calls per client, at the end of the run."""

import pytest

TABLE: list[str] = []


@pytest.fixture(scope="session")
def table() -> list[str]:
    """Lines that are shown when all is done."""
    return TABLE


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show the table."""
    if TABLE:
        terminalreporter.section("calls of foreign clients")
        for line in TABLE:
            terminalreporter.write_line(line)
