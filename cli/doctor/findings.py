"""What the doctor found, and how it is said. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from cli.exits import ExitCode
from cli.readable import printable


class State(StrEnum):
    """How one thing stands."""

    OK = "ok"
    PROBLEM = "problem"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing looked at.

    Attributes:
        about: one word.
        state: how it stands.
        what: what was seen, one sentence.
        todo: what to do, with a problem.
    """

    about: str
    state: State
    what: str
    todo: str = ""


def fine(about: str, what: str) -> Finding:
    """It is as it should be."""
    return Finding(about=about, state=State.OK, what=what)


def problem(about: str, what: str, todo: str = "") -> Finding:
    """It is not."""
    return Finding(about=about, state=State.PROBLEM, what=what, todo=todo)


def skipped(about: str, what: str) -> Finding:
    """It could not be looked at."""
    return Finding(about=about, state=State.SKIPPED, what=what)


def lines(findings: Sequence[Finding]) -> list[str]:
    """The report: a line per finding, a second one with what to do, and a sum."""
    told = []
    for finding in findings:
        told.append(printable(f"{finding.state:<8} {finding.about:<14} {finding.what}"))
        if finding.todo:
            told.append(printable(f"{'':<24}→ {finding.todo}"))
    problems = sum(finding.state is State.PROBLEM for finding in findings)
    told.append("all is well" if not problems else f"{problems} {'problem' if problems == 1 else 'problems'}")
    return told


def verdict(findings: Sequence[Finding]) -> ExitCode:
    """PROBLEMS if there is one."""
    return ExitCode.PROBLEMS if any(finding.state is State.PROBLEM for finding in findings) else ExitCode.OK
