"""Decoding: the fast and the exact path agree, and no digit is lost in and out."""

import json
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import xero_api.decode
from xero_api.decode import _decode_exactly, decode, decode_in_steps, encode, encode_at_any_depth

literals = st.from_regex(r"-?(0|[1-9][0-9]{0,24})(\.[0-9]{1,24})?([eE][+-]?[0-9]{1,3})?", fullmatch=True)
short_literals = st.from_regex(r"-?(0|[1-9][0-9]{0,6})(\.[0-9]{1,7})?([eE][+-]?[0-9]{1,2})?", fullmatch=True)
layouts = st.sampled_from(["[{}]", '{{"a":{}}}', '{{"a":{} ,"b":1}}', "{}", "[1,\n{}\n]", '{{"a":[ {}]}}'])
documents = st.recursive(
    st.none() | st.booleans() | st.text(max_size=5) | short_literals.map(Decimal),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


def _exact(body: bytes) -> Any:
    return json.loads(body, parse_float=Decimal, parse_int=Decimal)


@given(literal=literals, layout=layouts)
@example(literal="1e-320", layout="[{}]")
@example(literal="1.23456789012345e-310", layout="{}")
@example(literal="1E400", layout='{{"a":{} ,"b":1}}')
@example(literal="12345678901234567", layout="{}")
@example(literal="0.1234567890123456", layout="[{}]")
@example(literal="-0.0", layout="[{}]")
@example(literal="99999999999999999999", layout="[{}]")
def test_every_number_keeps_its_value(literal: str, layout: str) -> None:
    """Any number, wherever it stands, comes out of decode and encode with the value it went in with."""
    body = layout.format(literal).encode()

    assert _exact(encode(decode(body))) == _exact(body)


@given(document=documents)
def test_both_paths_agree(document: Any) -> None:
    """A document within 15 digits is the same, types included, on the fast and on the exact path."""
    body = json.dumps(document, default=float).encode()

    fast, exact = orjson.loads(body), _decode_exactly(body)

    assert repr(fast) == repr(exact)


def _in_steps(body: bytes, key: str) -> tuple[Any, int]:
    steps, pauses = decode_in_steps(body, key), 0
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value, pauses
        pauses += 1


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses after a few characters, so that small documents have many."""
    monkeypatch.setattr(xero_api.decode, "_SCANNED", 64)
    monkeypatch.setattr(xero_api.decode, "_STEP", 8)


@pytest.mark.usefixtures("small_steps")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # it sets two constants, the same each time
@given(
    records=st.lists(documents, max_size=6),
    literal=literals,
    blank=st.sampled_from(["", " ", "\n", "\r\n\t"]),
    cut=st.none() | st.integers(0, 400),
    tail=st.sampled_from(["", " ", "x", "}", ",", ',"b":1', "\\ud83d"]),
)
def test_reading_in_steps_gives_the_same(
    records: list[Any], literal: str, blank: str, cut: int | None, tail: str
) -> None:
    """Whole or cut off, spaced in any way, with any numbers: the same document or the same refusal, piece by piece."""
    listed = f"{blank},{blank}".join(json.dumps(record, default=float) for record in records)
    text = f'{{{blank}"id"{blank}:{literal}{blank},"rows":{blank}[{blank}{listed}{blank}]{blank},"s":"{tail}"}}{blank}'
    body = (text if cut is None else text[:cut] + tail).encode()

    try:
        expected = decode(body)
    except ValueError:
        with pytest.raises(ValueError, match=r"."):
            _in_steps(body, "rows")
        return

    document, pauses = _in_steps(body, "rows")
    assert repr(document) == repr(expected)
    assert pauses >= len(body) // 64


@pytest.mark.usefixtures("small_steps")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # the same
@given(
    inner=st.lists(documents, max_size=6),
    strange=documents,
    text=st.sampled_from(["", '{"T":', ',{"T":', '"},{"T":1', "\ud83d", "\x01"]),
    literal=st.sampled_from(["1", "-0.0", "1e400", "1e999999999", "12345678901234567", "NaN", ""]),
    indent=st.none() | st.integers(0, 2),
    step=st.integers(20, 120),
)
def test_slices_of_records_that_look_alike_give_the_same(
    inner: list[Any], strange: Any, text: str, literal: str, indent: int | None, step: int
) -> None:
    """Records that begin alike, with others like them in lists and in strings: never cut in the wrong place."""
    row = {"T": text, "rows": [{"T": one, "s": text} for one in inner], "n": "number"}
    listed = json.dumps([row, row, strange, {"T": 1}, row, row], default=float, indent=indent)
    body = f'{{"rows":{listed},"p":{{}}}}'.replace('"number"', literal).encode()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(xero_api.decode, "_STEP", step)
        try:
            expected = decode(body)
        except ValueError:
            with pytest.raises(ValueError, match=r"."):
                _in_steps(body, "rows")
            return
        document, _ = _in_steps(body, "rows")

    assert repr(document) == repr(expected)


@given(
    body=st.binary(max_size=40)
    | st.text(alphabet='{}[]",:0123456789eE+-. \\ud8nultrefals', max_size=40).map(str.encode)
)
def test_anything_else_is_a_value_error(body: bytes) -> None:
    """Bytes are decoded or refused with ValueError, and what was decoded can be encoded."""
    try:
        document = decode(body)
    except ValueError:
        return

    assert encode_at_any_depth(document) == encode(document)
