"""Trace context over arbitrary headers."""

from hypothesis import given
from hypothesis import strategies as st

from xero_stream.telemetry.trace import ENTROPY_BITS, continue_or_start, parse

entropy = st.integers(0, 2**ENTROPY_BITS - 1)
digits = "0123456789abcdef"
headers = st.text(max_size=100) | st.tuples(
    st.text(digits, min_size=2, max_size=2),
    st.text(digits, min_size=31, max_size=33),
    st.text(digits, min_size=15, max_size=17),
    st.text(digits, min_size=2, max_size=2),
).map("-".join)


@given(headers | st.none(), entropy)
def test_always_a_valid_header(header: str | None, bits: int) -> None:
    """Whatever was sent, what goes on is valid, and of the same trace if there was one."""
    context = continue_or_start(header, bits)

    assert parse(context.header()) == context
    parent = parse(header)
    if parent is not None:
        assert (context.trace_id, context.sampled) == (parent.trace_id, parent.sampled)
