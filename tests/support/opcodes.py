"""Counts the steps that Python takes: work measured without a clock."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


def steps(call: Callable[[], Any]) -> int:
    """How many bytecode instructions a call executes, those of every function in Python that it calls included.

    Args:
        call: what to run; the second of two runs is counted, so that what is done once for all is not.
    """
    call()
    count = 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal count
        frame.f_trace_opcodes = True
        if event == "opcode":
            count += 1
        del argument
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
    return count
