"""JSON in and out."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from xero_api.decode import decode, encode, encode_at_any_depth


def test_ordinary_numbers_take_the_fast_path() -> None:
    """Floats stay floats and ints ints, which orjson does at speed."""
    assert repr(decode(b'{"a":1150.0,"b":1150,"c":1e-10}')) == "{'a': 1150.0, 'b': 1150, 'c': 1e-10}"


def test_seventeen_digits_are_kept() -> None:
    """A number a double can't carry comes as Decimal and is written as the same number."""
    document = decode(b'{"Total":12345678901234567.89,"Tax":0.1,"Id":123456789012345678901}')

    assert document == {
        "Total": Decimal("12345678901234567.89"),
        "Tax": 0.1,
        "Id": Decimal(123456789012345678901),
    }
    assert encode(document) == b'{"Total":12345678901234567.89,"Tax":0.1,"Id":123456789012345678901}'


def test_long_digits_in_strings_do_no_harm() -> None:
    """An IBAN or a card number raises a false alarm only: the result is what the fast path would give."""
    assert repr(decode(b'{"iban":"89370400440532013000","a":1.5,"b":2}')) == (
        "{'iban': '89370400440532013000', 'a': 1.5, 'b': 2}"
    )


def test_nul_characters_pass() -> None:
    """An escaped NUL comes in as a character and goes out escaped."""
    document = decode(rb'{"a":"x\u0000y"}')

    assert document == {"a": "x\0y"}
    assert encode(document) == rb'{"a":"x\u0000y"}'


def test_half_an_emoji_is_mended() -> None:
    """A lone surrogate, from text cut in the middle of a character, becomes U+FFFD and nothing else changes."""
    assert decode(rb'{"a":"cut \ud83d","b":"\ud83d\ude00","\udc00":1.5}') == {
        "a": "cut \ufffd",
        "b": "😀",
        "\ufffd": 1.5,
    }


def test_a_byte_order_mark_is_skipped() -> None:
    """Some servers put one before JSON."""
    assert decode(b'\xef\xbb\xbf{"a":1}') == {"a": 1}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"a":1',
        b"<html>",
        b'{"a":\xff}',
        b"[" * 100_000,
        b"[" * 2_000,
        b"[" * 2_000 + b"]" * 1_999,
        b"[" * 200_000 + b"]" * 200_000,
    ],
)
def test_what_is_no_json_is_a_value_error(body: bytes) -> None:
    """Truncated, foreign or absurdly nested bytes give one kind of error."""
    with pytest.raises(ValueError, match=r"."):
        decode(body)


@dataclass
class _Amount:
    value: int


@pytest.mark.parametrize(
    "value",
    [object(), Decimal("NaN"), Decimal("Infinity"), _Amount(1), datetime(2026, 7, 1), date(2026, 7, 1), b"x", {1}],  # noqa: DTZ001
    ids=lambda value: f"{type(value).__name__}-{value}" if isinstance(value, Decimal) else type(value).__name__,
)
def test_what_is_no_json_can_not_be_encoded(value: Any) -> None:
    """An object of another kind, or a number that is none, is a TypeError: none is written in some form of its own."""
    for write in (encode, encode_at_any_depth):
        with pytest.raises(TypeError):
            write({"a": value})


def test_a_number_beyond_all_bounds_costs_its_field_only() -> None:
    """A huge exponent, or what .NET writes for no number: the value comes as its text, all else as ever."""
    body = b'{"a":1e999999999,"b":-1e-999999999,"c":1e99999999999999999999,"d":NaN,"e":-Infinity,"f":0.1}'

    assert decode(body) == {
        "a": "1e999999999",
        "b": "-1e-999999999",
        "c": "1e99999999999999999999",
        "d": "NaN",
        "e": "-Infinity",
        "f": 0.1,
    }


@pytest.mark.parametrize("text", ["x", r"\ud83d", r"}]\"{["])
@pytest.mark.parametrize("levels", [255, 700, 1_023, 1_500, 50_000])
def test_what_is_nested_deeply_costs_its_field_only(levels: int, text: str) -> None:
    """Whatever the depth, what stands beside it is read; only what is deeper than a decoder goes becomes null."""
    deep = '{"x":[' * (levels // 2) + f'"{text}"' + "]}" * (levels // 2)
    body = f'{{"Invoices":[{{"a":1}},{{"deep":{deep},"Total":12.5}},{{"b":"{text}"}}]}}'.encode()

    first, second, third = decode(body)["Invoices"]

    assert (first, second["Total"], len(third["b"])) == (
        {"a": 1},
        12.5,
        len(text.replace(r"\ud83d", "?").replace("\\", "")),
    )
    with pytest.raises(TypeError):
        encode(second)
    assert decode(encode_at_any_depth(second))["Total"] == 12.5


def test_an_invoice_of_five_thousand_lines_is_decoded() -> None:
    """Ten megabytes are no special case."""
    line = b'{"Description":"' + b"x" * 2_000 + b'","LineAmount":1.5}'
    body = b'{"LineItems":[' + b",".join([line] * 5_000) + b"]}"

    assert len(decode(body)["LineItems"]) == 5_000
