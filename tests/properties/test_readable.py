"""Properties of the readable line."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cli.readable import readable

anything = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.decimals(),
    st.text(max_size=20),
    st.dictionaries(st.sampled_from(["id", "name"]), st.text(max_size=5), max_size=2),
    st.just([]),
)
records = st.none() | st.dictionaries(
    st.sampled_from(["status", "name", "total", "amount_due", "contact", "number", "type", "currency"]),
    anything,
    max_size=6,
)


@given(
    op=st.sampled_from(["c", "u", "d", "r", "x"]),
    entity=st.sampled_from(["invoices", "contacts", "credit-notes", "payments", None]),
    before=records,
    after=records,
    fields=st.lists(st.sampled_from(["status", "total", "amount_due", "a[0].b", "…", "\x1b[2J"]), max_size=6),
)
def test_any_change_makes_one_printable_line(op: str, entity: Any, before: Any, after: Any, fields: list[str]) -> None:
    """Whatever the record holds: one line, printable, never an error."""
    source = {"entity": entity, "record_id": "0f4c7e2a-0000"}

    line = readable({"op": op, "before": before, "after": after, "changed_fields": fields, "source": source})

    assert line
    assert line.isprintable()
