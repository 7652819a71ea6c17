"""Decoding: the fast and the exact path agree, and no digit is lost in and out."""

import json
from decimal import Decimal
from typing import Any

import orjson
from hypothesis import example, given
from hypothesis import strategies as st

from xero_api.decode import _decode_exactly, decode, encode

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

    encode(document)
