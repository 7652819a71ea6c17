"""The fault plan."""

import random
from typing import Any

import pytest

from simulator.faults.plan import APPLIES, FaultPlan, Operation, PlanError, read_rules

DRAW: dict[str, dict[str, Any]] = {
    "firewall": {},
    "proxy": {"status": 502},
    "role_missing": {},
    "scope_missing": {},
    "latency": {"ms": 5},
    "status": {"status": 503},
    "truncate": {},
    "drip": {},
    "reset": {},
    "hang": {},
    "stale": {"seconds": 5},
    "rate_limit": {"problem": "minute", "retryAfter": 3},
    "date": {"offsetSeconds": 60},
    "token_error": {"error": "invalid_grant"},
    "drop": {},
    "duplicate": {},
    "reorder": {},
    "delay": {"ms": 5},
}


def rule(kind: str = "status", operation: Any = "get", **fields: Any) -> dict[str, Any]:
    """One rule."""
    return {"operation": operation, "fault": {"kind": kind, **DRAW[kind]}} | fields


def plan(*rules: dict[str, Any]) -> FaultPlan:
    """A plan of those rules."""
    return FaultPlan(read_rules({"rules": list(rules)}))


def strikes(book: FaultPlan, times: int = 1, operation: Operation = Operation.GET, tenant: str = "t") -> list[int]:
    """How many faults strike, each time."""
    dice = random.Random(5)
    return [len(book.decide(operation, tenant, "Invoices", dice.random)) for _ in range(times)]


def test_a_rule_without_numbers_strikes_always() -> None:
    """Every match."""
    assert strikes(plan(rule()), 3) == [1, 1, 1]


def test_times_strikes_exactly_so_often() -> None:
    """And is completed then."""
    book = plan(rule(times=2))

    assert strikes(book, 4) == [1, 1, 0, 0]
    assert book.report()["rules"][0] | {"fault": None} == {
        "operation": ["get"],
        "times": 2,
        "after": 0,
        "fault": None,
        "matched": 4,
        "fired": 2,
        "completed": True,
    }


def test_after_lets_some_pass_first() -> None:
    """A fault in the middle of things."""
    assert strikes(plan(rule(after=2, times=1)), 4) == [0, 0, 1, 0]


def test_a_rate_is_a_probability() -> None:
    """Rolled for each match, from the dice given."""
    book = plan(rule(rate=0.25))

    struck = sum(strikes(book, 4000))

    assert 850 < struck < 1150
    assert strikes(plan(rule(rate=0)), 50) == [0] * 50
    assert strikes(plan(rule(rate=1)), 50) == [1] * 50


def test_rules_are_for_an_operation_a_tenant_and_an_endpoint() -> None:
    """The endpoint in any letter case."""
    book = plan(rule(operation=["get", "list"], tenantId="t", endpoint="invoices"))

    assert strikes(book, operation=Operation.LIST) == [1]
    assert strikes(book, operation=Operation.TOKEN) == [0]
    assert strikes(book, tenant="other") == [0]
    assert book.decide(Operation.GET, "t", "Contacts", random.random) == []


def test_several_rules_strike_together_in_order() -> None:
    """Each counts for itself."""
    book = plan(rule("latency"), rule("date"))

    kinds = [fault.kind for fault in book.decide(Operation.GET, "t", "Invoices", random.random)]

    assert kinds == ["latency", "date"]


def test_an_empty_plan_is_false_and_does_nothing() -> None:
    """The usual case costs nothing."""
    assert not FaultPlan()
    assert strikes(FaultPlan()) == [0]


def test_rules_are_replaced_or_added() -> None:
    """A new plan counts from nothing, an addition leaves the counts."""
    book = plan(rule(times=1))
    strikes(book)

    book.extend(read_rules({"rules": [rule("latency")]}))
    assert [one["fired"] for one in book.report()["rules"]] == [1, 0]

    book.replace(read_rules({"rules": [rule(times=1)]}))
    assert [one["fired"] for one in book.report()["rules"]] == [0]


@pytest.mark.parametrize("kind", sorted(APPLIES))
@pytest.mark.parametrize("operation", list(Operation))
def test_every_kind_fits_its_operations_and_no_other(kind: str, operation: Operation) -> None:
    """A misplaced fault is refused with the operations that fit."""
    document = {"rules": [rule(kind, operation.value)]}

    if operation in APPLIES[kind]:
        assert read_rules(document)[0].fault.kind == kind
    else:
        with pytest.raises(PlanError, match="can't spoil"):
            read_rules(document)


def test_what_can_be_spoiled_by_what() -> None:
    """Reads can be stale, tokens refused, webhooks lost; answers can be late or broken."""
    reads, answers = {"get", "list"}, {"get", "list", "write", "connections", "token"}

    assert {kind for kind, operations in APPLIES.items() if operations == reads} == {"stale"}
    assert {kind for kind, operations in APPLIES.items() if operations == {"token"}} == {"token_error"}
    assert {kind for kind, operations in APPLIES.items() if operations == {"webhook"}} == {
        "drop",
        "duplicate",
        "reorder",
        "delay",
    }
    assert {kind for kind, operations in APPLIES.items() if operations == answers} == {
        "latency",
        "status",
        "truncate",
        "drip",
        "reset",
        "hang",
        "date",
        "rate_limit",
        "firewall",
        "proxy",
    }
    records = {"get", "list", "write"}
    assert {kind for kind, operations in APPLIES.items() if operations == records} == {"role_missing", "scope_missing"}


def test_all_kinds_are_tried_here() -> None:
    """The table of the tests is the table of the code."""
    assert set(DRAW) == set(APPLIES)


@pytest.mark.parametrize(
    "document",
    [
        {"rules": [rule(operation="eat")]},
        {"rules": [{"operation": "get", "fault": {"kind": "explode"}}]},
        {"rules": [rule() | {"often": 3}]},
        {"rules": [{"operation": "get", "fault": {"kind": "status"}}]},
        {"rules": [{"operation": "get", "fault": {"kind": "status", "status": 99}}]},
        {"rules": [rule(times=0)]},
        {"rules": [rule(rate=2)]},
        {"rules": [rule(operation=[])]},
        {"rules": [rule(endpoint="Invoice")]},
        {"rule": []},
        [],
        None,
    ],
)
def test_unknown_words_are_refused_with_the_known_ones(document: Any) -> None:
    """So that a typo is found at once."""
    with pytest.raises(PlanError) as caught:
        read_rules(document)

    assert "get" in caught.value.known["operations"]
    assert "latency" in caught.value.known["kinds"]
    assert "tenantId" in caught.value.known["fields"]
    assert {"Invoices", "Reports"} < set(caught.value.known["endpoints"])
    assert caught.value.problems
