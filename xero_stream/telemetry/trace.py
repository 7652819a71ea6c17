"""W3C trace context: ``traceparent`` parsed, continued or started again. Pure; randomness is an argument.

https://www.w3.org/TR/trace-context/#traceparent-header
"""

import re
from dataclasses import dataclass

ENTROPY_BITS = 192
"""How many random bits :func:`root` uses; :func:`child` uses the lower 64 of them."""

# Version ff is forbidden; a later version may add fields behind a dash, version 00 has exactly four.
_TRACEPARENT = re.compile(r"(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII)
_SAMPLED = 0x01
_NO_TRACE = "0" * 32
_NO_SPAN = "0" * 16
_LONGEST = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceContext:
    """One span of a trace.

    Attributes:
        trace_id: 32 lower-case hex digits, the same for the whole trace.
        span_id: 16 lower-case hex digits, of this step.
        sampled: whether the caller recorded the trace.
    """

    trace_id: str
    span_id: str
    sampled: bool = True

    def header(self) -> str:
        """The value of a ``traceparent`` header."""
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}"


def parse(text: str | None) -> TraceContext | None:
    """Read a ``traceparent`` header.

    Returns:
        The caller's span, or None where the header is missing or malformed (the standard asks for a new trace then).
    """
    if text is None or len(text) > _LONGEST:
        return None
    match = _TRACEPARENT.fullmatch(text)
    if match is None:
        return None
    version, trace_id, span_id, flags, rest = match.groups()
    if (version == "00" and rest) or not trace_id.strip("0") or not span_id.strip("0"):
        return None
    return TraceContext(trace_id=trace_id, span_id=span_id, sampled=bool(int(flags, 16) & _SAMPLED))


def root(entropy: int) -> TraceContext:
    """A new trace.

    Args:
        entropy: :data:`ENTROPY_BITS` random bits.
    """
    return TraceContext(trace_id=_hex(entropy >> 64, 32), span_id=_hex(entropy, 16))


def child(parent: TraceContext, entropy: int) -> TraceContext:
    """The next step of a trace.

    Args:
        parent: the step that led to it.
        entropy: at least 64 random bits.
    """
    return TraceContext(trace_id=parent.trace_id, span_id=_hex(entropy, 16), sampled=parent.sampled)


def continue_or_start(text: str | None, entropy: int) -> TraceContext:
    """A child of the caller's span, or a new trace where there is none.

    Args:
        text: the ``traceparent`` header as received, or None.
        entropy: :data:`ENTROPY_BITS` random bits.
    """
    parent = parse(text) if text else None
    return root(entropy) if parent is None else child(parent, entropy)


def next_header(text: str | None, entropy: int) -> str:
    """The ``traceparent`` that goes on: as :func:`continue_or_start`, without the detour where there is no caller.

    Args:
        text: the header as received, or None.
        entropy: :data:`ENTROPY_BITS` random bits.
    """
    if text is None:
        digits = f"{entropy:048x}"
        trace_id, span_id = digits[:32], digits[32:]
        if trace_id != _NO_TRACE and span_id != _NO_SPAN:
            return f"00-{trace_id}-{span_id}-01"
    return continue_or_start(text, entropy).header()


def _hex(number: int, digits: int) -> str:
    # All zeros is the one forbidden id.
    return f"{(number & ((1 << (4 * digits)) - 1)) or 1:0{digits}x}"
