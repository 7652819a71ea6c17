"""The doctor's report."""

from cli.doctor.findings import fine, lines, problem, skipped, verdict
from cli.exits import ExitCode


def test_a_report() -> None:
    """A line per finding, what to do below it, the sum at the end."""
    findings = [fine("kafka", "answers"), problem("schema", "is old\x1b[2J", "xero-stream migrate"), skipped("x", "y")]

    assert lines(findings) == [
        "ok       kafka          answers",
        "problem  schema         is old [2J",
        "                        → xero-stream migrate",
        "skipped  x              y",
        "1 problem",
    ]
    assert verdict(findings) is ExitCode.PROBLEMS


def test_all_is_well() -> None:
    """Only a problem is one."""
    findings = [fine("kafka", "answers"), skipped("x", "y")]

    assert lines(findings)[-1] == "all is well"
    assert verdict(findings) is ExitCode.OK
