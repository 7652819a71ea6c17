"""The simulator's edges take anything: filters, parameters, raw JSON, limits, tokens, faults."""

import json
import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from simulator.accounting_api.fields import FIELDS
from simulator.accounting_api.query import Query, understand
from simulator.accounting_api.where import WhereError, parse
from simulator.books.words import Endpoint
from simulator.control.raw_json import RawJsonError, members
from simulator.faults.plan import FaultPlan, Operation, Rule
from simulator.identity.grants import GRACE_MS, Client, Grant, GrantKind, Grants, TokenError
from simulator.limits.windows import MINUTE_MS, Allowance, Problem, TenantLimits, Window
from simulator.reply import Reply
from simulator.sample.organisations import draw_organisation, draw_profile
from tests.support.examples import examples

SOURCE = random.Random(1)
BOOKS = draw_organisation(SOURCE, draw_profile(SOURCE, 0), contacts=5, invoices=30, credit_notes=5)
INVOICES = list(BOOKS.invoices)

comparisons = st.one_of(
    st.tuples(st.just("Status"), st.sampled_from(("==", "!=")), st.sampled_from(('"PAID"', '"DRAFT"'))),
    st.tuples(st.just("Type"), st.sampled_from(("==", "!=")), st.sampled_from(('"ACCREC"', '"ACCPAY"'))),
    st.tuples(
        st.just("AmountDue"),
        st.sampled_from(("==", "!=", ">", ">=", "<", "<=")),
        st.integers(0, 5000).map(str),
    ),
)


@st.composite
def expressions(draw: st.DrawFn, depth: int = 3) -> tuple[str, Any]:
    """A filter as text, and as a function of our own."""
    if depth == 0 or draw(st.booleans()):
        field, operator, value = draw(comparisons)
        return f"{field}{operator}{value}", _own(field, operator, value)
    left_text, left = draw(expressions(depth=depth - 1))
    right_text, right = draw(expressions(depth=depth - 1))
    if draw(st.booleans()):
        return f"({left_text}) AND ({right_text})", lambda one: left(one) and right(one)
    return f"({left_text}) OR ({right_text})", lambda one: left(one) or right(one)


def _own(field: str, operator: str, value: str) -> Any:
    wanted: Any = value.strip('"') if value.startswith('"') else float(value)

    def read(one: Any) -> Any:
        return {"Status": one.status.value, "Type": one.type.value, "AmountDue": one.amount_due / 100}[field]

    return {
        "==": lambda one: read(one) == wanted,
        "!=": lambda one: read(one) != wanted,
        ">": lambda one: read(one) > wanted,
        ">=": lambda one: read(one) >= wanted,
        "<": lambda one: read(one) < wanted,
        "<=": lambda one: read(one) <= wanted,
    }[operator]


@settings(max_examples=examples(40))
@given(expressions())
def test_filters_mean_what_they_say(expression: tuple[str, Any]) -> None:
    """As an evaluation of our own finds."""
    text, own = expression
    where = parse(text, FIELDS[Endpoint.INVOICES], "invoiceid")

    assert [where.test(one) for one in INVOICES] == [own(one) for one in INVOICES]


@settings(max_examples=examples(40))
@given(st.text(max_size=60) | st.text(alphabet='StausInvoiceID=&|()"! 0123<>ANDORGuid,.', max_size=60))
def test_any_filter_is_understood_or_refused(text: str) -> None:
    """Never anything else."""
    try:
        where = parse(text, FIELDS[Endpoint.INVOICES], "invoiceid")
    except WhereError:
        return
    for one in INVOICES[:3]:
        where.test(one)


NAMES = ("page", "pageSize", "IDs", "where", "order", "Statuses", "ContactIDs", "summaryOnly", "unitdp", "x")


@settings(max_examples=examples(40))
@given(
    st.sampled_from(list(Endpoint)),
    st.dictionaries(st.sampled_from(NAMES), st.text(max_size=20) | st.integers().map(str)),
    st.none() | st.text(max_size=30) | st.datetimes().map(str),
)
def test_any_request_is_understood_or_refused(
    endpoint: Endpoint, parameters: dict[str, str], since: str | None
) -> None:
    """With a page and a size inside Xero's bounds."""
    asked = understand(endpoint, parameters, "", since)

    if isinstance(asked, Reply):
        assert 400 <= asked.status < 500
    else:
        assert isinstance(asked, Query)
        assert asked.page is None or asked.page >= 1
        assert 1 <= asked.page_size <= 1000


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=examples(40))
@given(st.dictionaries(st.text(max_size=6), json_values, max_size=5), st.sampled_from((None, 2)), st.booleans())
def test_members_are_the_texts_of_the_values(document: dict[str, Any], indent: int | None, plain: bool) -> None:
    """However the object is written."""
    text = json.dumps(document, indent=indent, ensure_ascii=plain)

    found = members(text)

    assert {name: json.loads(value) for name, value in found.items()} == document
    assert all(value in text for value in found.values())


@settings(max_examples=examples(40))
@given(st.text(max_size=30) | st.text(alphabet='{}[]":,0a\\ ', max_size=30))
def test_members_of_anything_else_are_refused(text: str) -> None:
    """As the standard library refuses it."""
    try:
        found = members(text)
    except RawJsonError:
        return
    assert isinstance(json.loads(text), dict)
    assert set(found) == set(json.loads(text))


@settings(max_examples=examples(40))
@given(
    steps=st.lists(st.integers(0, 20_000), min_size=1, max_size=120),
    allowance=st.builds(Allowance, concurrent=st.integers(1, 3), minute=st.integers(1, 8), day=st.integers(1, 40)),
    leave_every=st.integers(1, 3),
)
def test_limits_never_let_more_through_than_they_say(steps: list[int], allowance: Allowance, leave_every: int) -> None:
    """Per window and at once; and a refused call that waits as told gets in."""
    limits, app = TenantLimits("a:t", allowance), Window(length_ms=MINUTE_MS, offset_ms=0)
    now_ms, running = 1_795_000_000_000, 0
    admitted: dict[tuple[str, int], int] = {}
    for number, step in enumerate(steps):
        now_ms += step
        refused = limits.enter(now_ms, app, 10_000)
        if refused is None:
            running += 1
            for name, window in (("minute", limits.minute), ("day", limits.day)):
                admitted[name, window.ends_ms] = admitted.get((name, window.ends_ms), 0) + 1
        elif refused.problem in (Problem.MINUTE, Problem.DAY):
            assert refused.retry_after is not None
            window = limits.minute if refused.problem is Problem.MINUTE else limits.day
            assert window.ends_ms <= now_ms + refused.retry_after * 1000 < window.ends_ms + 1000
        if running and number % leave_every == 0:
            limits.leave()
            running -= 1
        assert limits.running == running <= allowance.concurrent
    assert all(count <= getattr(allowance, name) for (name, _), count in admitted.items())


@settings(max_examples=examples(40))
@given(
    times=st.none() | st.integers(1, 5),
    after=st.integers(0, 5),
    rate=st.none() | st.floats(0, 1),
    matches=st.integers(0, 20),
    seed=st.integers(),
)
def test_a_rule_never_strikes_more_often_than_ordered(
    times: int | None, after: int, rate: float | None, matches: int, seed: int
) -> None:
    """Nor before it may; and it counts what it did."""
    one = Rule.model_validate(
        {"operation": "get", "times": times, "after": after, "rate": rate, "fault": {"kind": "status", "status": 500}}
    )
    plan, dice = FaultPlan([one]), random.Random(seed)

    struck = [bool(plan.decide(Operation.GET, "t", "Invoices", dice.random)) for _ in range(matches)]

    assert not any(struck[:after])
    assert times is None or sum(struck) <= times
    if rate in (None, 1):
        assert sum(struck) == min(max(matches - after, 0), times if times is not None else matches)
    (row,) = plan.report()["rules"]
    assert (row["matched"], row["fired"]) == (matches, sum(struck))


APP = Client(id="APP", secret="s")


class Refreshing(RuleBasedStateMachine):
    """A grant's tokens against a model: token → when it was first used, or None."""

    def __init__(self) -> None:
        super().__init__()
        grant = Grant(
            id="g",
            kind=GrantKind.REFRESH_TOKEN,
            client_id="APP",
            user_id="u",
            auth_event_id="e",
            scopes=(),
            live={"t0": 0},
        )
        self.grants = Grants([APP], [grant])
        self.used: dict[str, int | None] = {"t0": None}
        self.now_ms = 0

    @rule(minutes=st.integers(0, 40))
    def time_passes(self, minutes: int) -> None:
        """The clock moves."""
        self.now_ms += minutes * 60_000

    @precondition(lambda self: self.used)
    @rule(data=st.data())
    def refresh(self, data: st.DataObject) -> None:
        """Any token ever issued is presented."""
        token = data.draw(st.sampled_from(sorted(self.used)))
        first_use = self.used[token]
        new = f"t{len(self.used)}"
        good = first_use is None or self.now_ms - first_use <= GRACE_MS
        try:
            self.grants.refresh(APP, token, new, self.now_ms)
        except TokenError:
            assert not good
            return
        assert good
        self.used[token] = self.now_ms if first_use is None else first_use
        self.used[new] = None


TestRefreshing = Refreshing.TestCase
TestRefreshing.settings = settings(max_examples=examples(20), stateful_step_count=30)
