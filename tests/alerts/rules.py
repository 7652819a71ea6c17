"""The alert rules as deployed, and the same with shorter times."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).parents[2] / "deploy" / "alerts.yml"

PENDING_SECONDS = 2.0
"""In place of what a rule's ``for`` says."""
_WINDOWS = {"5m": "6s", "15m": "8s"}
"""In place of the windows of ``rate``: still some scrapes long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """An alert rule.

    Attributes:
        alert: its name.
        expression: PromQL.
        pending: seconds for which it must hold before it fires.
    """

    alert: str
    expression: str
    pending: float


def deployed() -> Mapping[str, Any]:
    """The file, as Prometheus reads it."""
    document: Mapping[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return document


def names() -> list[str]:
    """Every rule there is."""
    return [rule["alert"] for group in deployed()["groups"] for rule in group["rules"]]


def shortened(document: Mapping[str, Any], shorter: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """The file with shorter times; everything else as it is.

    Args:
        document: the file.
        shorter: for each alert the parts of its expression to replace, with what.

    Raises:
        AssertionError: a part is no longer in the expression, or a window is not known here.
    """
    groups = []
    for group in document["groups"]:
        rules = []
        for rule in group["rules"]:
            expression = rule["expr"]
            for part, other in shorter.get(rule["alert"], {}).items():
                assert part in expression, f"{rule['alert']}: its expression has no {part!r} any more"
                expression = expression.replace(part, other)
            unknown = set(re.findall(r"\[(\w+)\]", expression)) - _WINDOWS.keys()
            assert not unknown, (
                f"{rule['alert']}: say in tests/alerts/rules.py how long the windows {unknown} are in a test"
            )
            expression = re.sub(r"\[(\w+)\]", lambda found: f"[{_WINDOWS[found[1]]}]", expression)
            rules.append({**rule, "expr": expression, **({"for": f"{PENDING_SECONDS:.0f}s"} if "for" in rule else {})})
        groups.append({**group, "rules": rules})
    return {**document, "groups": groups}


def rules_of(document: Mapping[str, Any]) -> Iterable[Rule]:
    """The rules of a file that was shortened."""
    for group in document["groups"]:
        for rule in group["rules"]:
            pending = float(rule["for"].removesuffix("s")) if "for" in rule else 0.0
            yield Rule(alert=rule["alert"], expression=rule["expr"], pending=pending)
