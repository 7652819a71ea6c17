"""``traceparent``: what is continued, what starts a new trace."""

import pytest

from xero_stream.telemetry.trace import TraceContext, child, continue_or_start, next_header, parse, root

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"


def test_parse() -> None:
    """The standard's example is read and written as it was."""
    header = f"00-{TRACE}-{SPAN}-01"

    context = parse(header)

    assert context == TraceContext(trace_id=TRACE, span_id=SPAN, sampled=True)
    assert context is not None
    assert context.header() == header


def test_flags() -> None:
    """Only the sampled flag is kept; unknown flags are not passed on."""
    assert parse(f"00-{TRACE}-{SPAN}-00") == TraceContext(trace_id=TRACE, span_id=SPAN, sampled=False)
    context = parse(f"00-{TRACE}-{SPAN}-ff")
    assert context is not None
    assert context.header().endswith("-01")


def test_later_version() -> None:
    """A later version is read by its first four fields."""
    assert parse(f"cc-{TRACE}-{SPAN}-01-what-the-future-brings") is not None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE[:-1]}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-1",
        f" 00-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01\n",
        f"00-{chr(0x661) * 32}-{SPAN}-01",
        f"cc-{TRACE}-{SPAN}-01-" + "x" * 1_000,
    ],
)
def test_malformed(text: str) -> None:
    """What is malformed is no parent, and starts a new trace."""
    assert parse(text) is None
    assert continue_or_start(text, 5) == root(5)


def test_missing() -> None:
    """Without a header a new trace begins."""
    assert parse(None) is None
    assert continue_or_start(None, 5) == root(5)


def test_child_keeps_the_trace() -> None:
    """A step of a trace has its id and sampling, and a span of its own."""
    parent = TraceContext(trace_id=TRACE, span_id=SPAN, sampled=False)

    step = continue_or_start(parent.header(), 0xABC)

    assert step == child(parent, 0xABC) == TraceContext(trace_id=TRACE, span_id=f"{0xABC:016x}", sampled=False)


@pytest.mark.parametrize("entropy", [0, 1, 12345 << 70, (12345 << 70) | 17, 2**192 - 1])
@pytest.mark.parametrize("text", [None, "", "nonsense", f"00-{TRACE}-{SPAN}-00"])
def test_next_header(text: str | None, entropy: int) -> None:
    """The short way gives what the long one gives."""
    assert next_header(text, entropy) == continue_or_start(text, entropy).header()


def test_root_uses_all_the_entropy() -> None:
    """Trace and span come from different bits."""
    context = root((0x1234 << 64) | 0x5678)

    assert (context.trace_id, context.span_id) == (f"{0x1234:032x}", f"{0x5678:016x}")


def test_ids_are_never_zero() -> None:
    """The forbidden ids are not made even of no entropy at all."""
    assert parse(root(0).header()) == root(0)
