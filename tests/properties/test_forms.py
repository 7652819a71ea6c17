"""One truth read in any forms, in any order: one change, nothing hidden, the same end."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from processors.recorder.decide import Read, Stored, Write, decide
from processors.recorder.forms import fit
from processors.recorder.versions import Version
from tests.support.examples import examples
from xero_api.decode import decode, encode
from xero_api.entity import Form
from xero_api.registry import INVOICES
from xero_stream.contracts.change_event import Trigger

T = datetime(2026, 11, 30, 10, 0, tzinfo=UTC)
FORMS = [Form.ONE, Form.IDS, Form.PAGE]


@dataclass(frozen=True, kw_only=True)
class Truth:
    """An invoice as it is in Xero; amounts in cents."""

    total: int = 1_000
    rounding: int | None = None
    entered: int | None = None
    paid: int = 0
    reference: str | None = None
    option: tuple[str, str] | None = None  # name and id
    lines: int = 1
    stamp: int = 0

    def shown(self, form: Form) -> dict[str, Any]:
        """What Xero answers: lists without rounding, in no total either, and without ids of options."""
        full = form is Form.ONE
        total = self.total + (self.rounding or 0 if full else 0)
        option = {"TrackingCategoryID": "c1", "Option": self.option[0]} if self.option else None
        if option and self.option and full:
            option["TrackingOptionID"] = self.option[1]
        return {
            "InvoiceID": "a0",
            "Type": "ACCREC",
            "Status": "AUTHORISED",
            "Reference": self.reference,
            "Total": total / 100,
            "SubTotal": total / 100,
            "AmountPaid": self.paid / 100,
            "AmountDue": (total - self.paid) / 100,
            "LineItems": [{"LineItemID": f"l{n}", "Tracking": [option] if option else []} for n in range(self.lines)],
            "UpdatedDateUTC": f"/Date({int(T.timestamp() + self.stamp) * 1000}+0000)/",
            **({"RoundingAmount": self.rounding / 100} if full and self.rounding is not None else {}),
            **({"EnteredTotal": self.entered / 100} if full and self.entered is not None else {}),
        }

    def record(self) -> dict[str, Any]:
        """What should be published in the end."""
        return INVOICES.unified("t", self.shown(Form.ONE))


@dataclass
class Pipeline:
    """Reads, decides and stores as the recorder does; what has to be read alone is read at once."""

    stored: Stored | None = None
    published: list[dict[str, Any]] = field(default_factory=list)
    calls: int = 0

    def read(self, truth: Truth, form: Form) -> None:
        """One read of the truth as it is now."""
        self.calls += 1
        read_at = T + timedelta(days=1, seconds=self.calls)
        raw = truth.shown(form)
        unified = INVOICES.unified("t", raw)
        read = Read(
            record_id="a0",
            body=encode(unified),
            status=unified["status"],
            updated_at=INVOICES.version(raw),
            form=form,
            absent=INVOICES.absent(raw, form),
        )
        seen = fit(read, self.stored, INVOICES.leaves_out)
        decision = decide(
            seen.read, stored=self.stored, row=None, read_at=read_at, trigger=Trigger.POLL, untold=seen.untold
        )
        assert not decision.doubt
        if decision.alone:
            assert self.stored is not None
            self.stored = replace(self.stored, shown=seen.shown)
            assert form is not Form.ONE, "a single read always tells"
            self.read(truth, Form.ONE)
            return
        assert seen.read.body is not None
        version = Version(updated_at=decision.updated_at, read_at=read_at)
        if decision.write is Write.REPLACE:
            self.published.append(decode(seen.read.body))
            self.stored = Stored(
                version=version,
                gone=None,
                status=seen.read.status,
                body=seen.read.body,
                raw=None,
                form=form,
                shown=seen.shown,
            )
        else:
            assert self.stored is not None
            self.stored = replace(self.stored, version=version, shown=seen.shown)

    @property
    def now(self) -> dict[str, Any]:
        """What is stored."""
        assert self.stored is not None
        assert self.stored.body is not None
        document: dict[str, Any] = decode(self.stored.body)
        return document


truths = st.builds(
    Truth,
    total=st.integers(1, 500_000),
    rounding=st.none() | st.integers(-10, 10),
    entered=st.none() | st.integers(1, 500_000),
    paid=st.sampled_from([0, 1, 999, 1_000]),
    reference=st.none() | st.sampled_from(["a", "b"]),
    option=st.none() | st.sampled_from([("North", "o1"), ("South", "o2"), ("North", "o3")]),
    lines=st.integers(0, 3),
)
forms = st.lists(st.sampled_from(FORMS), min_size=1, max_size=4)


def _plain(record: dict[str, Any]) -> dict[str, Any]:
    """The record without what only single reads tell of options."""
    lines = [
        {**line, "tracking": [{**one, "option_id": None} for one in line["tracking"]]} for line in record["line_items"]
    ]
    return {**record, "line_items": lines}


@given(truths, forms, forms)
@settings(max_examples=examples(50))
def test_alternating_forms_of_one_truth_publish_it_once(truth: Truth, before: list[Form], after: list[Form]) -> None:
    """Once a single read has told it, no form adds a change; without it, one change at most fills in what lists leave out."""
    pipeline = Pipeline()
    for form in before:
        pipeline.read(truth, form)
    assert len(pipeline.published) <= 1 + (Form.ONE in before and before[0] is not Form.ONE)

    pipeline.read(truth, Form.ONE)
    known = len(pipeline.published)
    assert pipeline.now == truth.record()
    for form in after:
        pipeline.read(truth, form)

    assert len(pipeline.published) == known
    assert pipeline.now == truth.record()


@given(truths, st.lists(st.tuples(truths, forms), min_size=1, max_size=4))
@settings(max_examples=examples(60))
def test_every_edit_is_published_once_and_nothing_cleared_is_hidden(
    first: Truth, edits: list[tuple[Truth, list[Form]]]
) -> None:
    """After any read of a new truth the record is that truth, by one change; ids of options may follow.

    A list can't tell of a rounding that an invoice did not have before: of such an invoice it is believed.
    """
    pipeline = Pipeline()
    pipeline.read(first, Form.ONE)
    for number, (edited, reads) in enumerate(edits, start=1):
        truth = replace(edited, stamp=number)
        for form in reads:
            known = len(pipeline.published)
            past = pipeline.now
            pipeline.read(truth, form)
            told = form is Form.ONE or past["rounding_amount"] is not None or past["entered_total"] is not None
            expected = _plain(truth.record() if told else INVOICES.unified("t", truth.shown(form)))
            changed = _plain(past) != expected
            assert _plain(pipeline.now) == expected
            if changed:
                assert len(pipeline.published) == known + 1
            elif len(pipeline.published) > known:
                # A single read filled in ids of options, or a list showed that they are others.
                assert pipeline.now["line_items"] != past["line_items"]
    pipeline.read(truth, Form.ONE)
    assert pipeline.now == truth.record()


@given(truths, truths, st.lists(st.sampled_from(FORMS), max_size=2))
@settings(max_examples=examples(25))
def test_the_order_of_forms_does_not_matter(first: Truth, second: Truth, others: list[Form]) -> None:
    """Whatever the order in which the forms of a truth come, the end is the same."""
    truth = replace(second, stamp=1)
    ends = []
    for order in set(permutations([Form.ONE, *others])):
        pipeline = Pipeline()
        pipeline.read(first, Form.PAGE)
        for form in order:
            pipeline.read(truth, form)
        ends.append(pipeline.now)

    assert all(end == truth.record() for end in ends)
