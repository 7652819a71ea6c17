"""Three foreign clients, as published, against a simulator that they take for Xero: what fails is expected, and for a named reason."""

import json
import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.clients.expected import PYXERO, XERO_NODE, XERO_PYTHON, Failure, Why
from tests.clients.plan import Desk, planned
from tests.clients.xero import Xero, pretended
from tests.consumers.packages import node_modules, python_with

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(900)]

PROGRAMS = Path(__file__).parent / "programs"
PYXERO_VERSION, XERO_PYTHON_VERSION, XERO_NODE_VERSION = "0.9.5", "15.2.0", "20.0.0"

LEAST = {"pyxero": 110, "xero-python": 210, "xero-node": 215}
"""Calls that work at least: a program that stops half way must not pass."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a client: how it ended, and what the client said."""

    name: str
    outcome: str
    detail: str


def called(argv: Sequence[str], xero: Xero, **more: str) -> list[Call]:
    """What a program says about its calls.

    Args:
        argv: the command.
        xero: what the client takes for Xero.
        more: of the environment.
    """
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(xero.authority.parent),
        "XERO_PORT": str(xero.secure),
        "REQUESTS_CA_BUNDLE": str(xero.authority),
        "NODE_EXTRA_CA_CERTS": str(xero.authority),
        **more,
    }
    done = subprocess.run(argv, env=environment, capture_output=True, encoding="utf-8", timeout=600, check=False)
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"call"')]
    assert rows, done.stderr[-3000:]
    assert rows[-1]["outcome"] == "done", f"it did not come to its end:\n{done.stdout[-1000:]}\n{done.stderr[-3000:]}"
    return [Call(row["call"], row["outcome"], row["detail"]) for row in rows[:-1]]


def judge(client: str, calls: Sequence[Call], may_fail: Mapping[str, Failure], table: list[str]) -> None:
    """Each failure is expected, and what is expected to fail fails."""
    failed = {call.name: call for call in calls if call.outcome != "worked"}
    ours = {
        name: f"{call.outcome}: {call.detail}"
        for name, call in failed.items()
        if name not in may_fail or call.outcome != "failed" or not re.search(may_fail[name].says, call.detail)
    }
    stale = sorted(set(may_fail) - set(failed))
    worked = sum(call.outcome == "worked" for call in calls)
    reasons = Counter(may_fail[name].why for name in failed if name not in ours)
    table.append(f"{client:<20} {len(calls):>4} calls: {worked:>4} worked, {len(ours)} failed for a fault of ours")
    table.extend(f"{'':<20} {reasons[why]:>4} {why}" for why in Why if reasons[why])
    table.extend(f"{'':<25}- {name}: {may_fail[name].reason}" for name in failed if name not in ours)
    table.extend(f"{'':<25}! {name}: {said}" for name, said in ours.items())

    assert ours == {}
    assert stale == []
    assert worked >= LEAST[client.partition(" ")[0]]


def test_xero_node(tmp_path: Path, table: list[str]) -> None:
    """Xero's SDK for Node.js: signs in with OpenID Connect, then every method of its Accounting API."""
    folder = node_modules({"xero-node": XERO_NODE_VERSION}, tmp_path / "node")
    for name in ("official.js", "redirect.js"):
        shutil.copy(PROGRAMS / name, folder)
    with pretended(tmp_path) as xero:
        plan = plan_for(xero, tmp_path)
        argv = ["node", "--require", str(folder / "redirect.js"), str(folder / "official.js"), str(plan)]
        judge(f"xero-node {XERO_NODE_VERSION}", called(argv, xero), XERO_NODE, table)


def test_xero_python(tmp_path: Path, table: list[str]) -> None:
    """Xero's SDK for Python: refreshes a token, then every method of its Accounting API."""
    python = python_with([f"xero-python=={XERO_PYTHON_VERSION}"], tmp_path / "venv")
    with pretended(tmp_path) as xero:
        argv = [python, str(PROGRAMS / "official.py"), str(plan_for(xero, tmp_path))]
        calls = [Call(camel(one.name), one.outcome, one.detail) for one in called(argv, xero, PYTHONPATH=str(PROGRAMS))]
        judge(
            f"xero-python {XERO_PYTHON_VERSION}", calls, {camel(name): one for name, one in XERO_PYTHON.items()}, table
        )


def test_pyxero(tmp_path: Path, table: list[str]) -> None:
    """A client that others made: consent, PKCE, every manager, every form of filter, writes in XML."""
    python = python_with([f"pyxero=={PYXERO_VERSION}"], tmp_path / "venv")
    with pretended(tmp_path) as xero:
        argv = [python, str(PROGRAMS / "pyxero_calls.py"), str(plan_for(xero, tmp_path))]
        judge(f"pyxero {PYXERO_VERSION}", called(argv, xero, PYTHONPATH=str(PROGRAMS)), PYXERO, table)


def camel(name: str) -> str:
    """One spelling for the methods of both SDKs: small letters alone."""
    return name.replace("_", "").lower()


def plan_for(xero: Xero, folder: Path) -> Path:
    """Prepare the books; the file that tells a program what to call with what."""
    desk = Desk(xero)
    try:
        path = folder / "plan.json"
        path.write_text(json.dumps(planned(desk)), encoding="utf-8")
    finally:
        desk.close()
    return path
