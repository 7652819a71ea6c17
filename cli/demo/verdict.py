"""What a verification came to, in numbers and in words. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from verify.history import History
from verify.promises import Finding, Promise, check

SHOWN = 5
"""How many findings are named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """What was broken on purpose.

    Attributes:
        kills: workers killed with ``kill -9``.
        outages: times Kafka was stopped.
        limits: times an organisation was rate-limited.
        crashes: workers that ended by themselves, which none should.
    """

    kills: int = 0
    outages: int = 0
    limits: int = 0
    crashes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The outcome.

    Attributes:
        broken: what was broken on purpose.
        acknowledged: webhook events answered 200.
        logged: how many of them are in the log.
        gaps: places where a change is missing or out of order.
        duplicates: changes that are there again.
        records: records Xero has or had.
        equal: how many of them are published as they are.
        changes: changes read.
        findings: everything that was found.
        left: what was not done in time, in words.
    """

    broken: Broken
    acknowledged: int
    logged: int
    gaps: int
    duplicates: int
    records: int
    equal: int
    changes: int
    findings: Sequence[Finding] = ()
    left: Sequence[str] = ()

    @property
    def agrees(self) -> bool:
        """Whether everything agrees, and there was something to agree on."""
        return not self.findings and not self.left and self.records > 0 and self.acknowledged > 0

    def line(self) -> str:
        """The honest line."""
        broken = self.broken
        parts = [
            plural(broken.kills, "kill"),
            *([plural(broken.outages, "Kafka stop")] if broken.outages else []),
            *([plural(broken.crashes, "crash", "crashes")] if broken.crashes else []),
            f"{plural(self.acknowledged, 'webhook')} acknowledged, {self.logged:,} in the log",
            f"gaps {self.gaps}",
            f"duplicates {self.duplicates}",
            f"{self.equal:,} of {self.records:,} records equal",
        ]
        return " · ".join(parts)

    def troubles(self) -> list[str]:
        """What does not agree, the first few of it, in words; empty if all does."""
        lines = [f"not done in time: {what}" for what in self.left]
        lines += [str(finding) for finding in self.findings[:SHOWN]]
        if len(self.findings) > SHOWN:
            lines.append(f"and {len(self.findings) - SHOWN:,} more")
        if not self.findings and not self.left and not self.agrees:
            lines.append("nothing was tested: no webhook was delivered in this run")
        return lines


def plural(number: int, one: str, many: str = "") -> str:
    """``1 kill``, ``1,204 kills``.

    Args:
        one: the word for one.
        many: the word for more, where it isn't ``one`` with an s.
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def judge(history: History, broken: Broken, left: Sequence[str] = ()) -> Verdict:
    """Check a history and count.

    Args:
        history: everything recorded; its truth is that of all organisations.
        broken: what was broken on purpose.
        left: what was not done in time.
    """
    findings = check(history)
    acknowledged = set(history.acknowledged)
    missing = [finding for finding in findings if finding.promise is Promise.ACKNOWLEDGED]
    # Findings of this promise about a record carry its reference; those about a place in the log don't.
    unlike = {finding.where for finding in findings if finding.promise is Promise.PUBLISHED}
    return Verdict(
        broken=broken,
        acknowledged=len(acknowledged),
        logged=len(acknowledged) - len(missing),
        gaps=_places(findings, Promise.GAPLESS, Promise.IN_ORDER),
        duplicates=_places(findings, Promise.ONCE),
        records=len(history.truth),
        equal=sum(str(ref) not in unlike for ref in history.truth),
        changes=len(history.changes),
        findings=findings,
        left=left,
    )


def _places(findings: Sequence[Finding], *promises: Promise) -> int:
    """In how many places these promises are broken; one place may break one in several ways."""
    return len(
        {
            finding.where if finding.promise is Promise.ONCE else str(finding)
            for finding in findings
            if finding.promise in promises
        }
    )
