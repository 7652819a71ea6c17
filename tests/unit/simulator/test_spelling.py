"""Ids and dates as clients spell them."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.books.amounts import DAY_MS
from simulator.spelling import day_of, folded, guid_of, moment_of
from tests.support.unconfirmed import unconfirmed

ID = "2b4a1c3d-5e6f-4a7b-8c9d-0e1f2a3b4c5d"


@given(st.uuids(), st.sampled_from(["{}", "()", "", " "]), st.booleans())
def test_a_guid_in_every_spelling_of_dotnet(one: uuid.UUID, around: str, upper: bool) -> None:
    """Hyphens or none, braces, brackets, blanks, either letter case: the same id."""
    text = f"{one}"
    spelled = [f"{around[:1]}{text}{around[1:]}", *([text.replace("-", "")] if around in ("", " ") else [])]

    for spelling in spelled:
        assert guid_of(spelling.upper() if upper else spelling) == text
        assert folded(spelling) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "INV-1",
        ID[:-1],
        f"{ID}0",
        f"{{{ID}",
        f"{ID})",
        f"({ID}}}",
        "{" + ID.replace("-", "") + "}",
        ID.replace("-", "", 1),
    ],
)
def test_other_texts_are_no_guids(text: str) -> None:
    """An id of another kind only loses its capitals."""
    assert guid_of(text) is None
    assert folded(text) == text.lower()


AT = 1_767_323_045_000
"""2026-01-02T03:04:05Z."""


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-02T03:04:05", AT),
        ("2026-1-2T3:4:5", AT),
        ("2026-01-02 03:04:05Z", AT),
        ("2026-01-02T03:04:05.9876543", AT),
        ("2026-01-02T04:04:05+01:00", AT),
        ("2026-01-01T22:04:05-0500", AT),
        ("Fri, 02 Jan 2026 03:04:05 GMT", AT),
        ("2 January 2026 03:04:05", AT),
        ("2026-01-02", AT - AT % DAY_MS),
        ("2026/1/2", AT - AT % DAY_MS),
    ],
)
def test_moments(text: str, moment: int) -> None:
    """Of ISO with or without its zeros, and of RFC 1123, which HTTP has in this header."""
    assert moment_of(text) == moment


@unconfirmed("Xero reads a date with slashes as the month before the day, as .NET's invariant culture does.")
def test_the_month_is_before_the_day() -> None:
    """01/02/2026 is in January."""
    assert moment_of("01/02/2026 03:04:05") == AT
    assert day_of("1/13/2026") == day_of("2026-01-13")
    assert day_of("13/1/2026") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        '"2026-01-02"',
        "2026-13-01",
        "2026-02-30",
        "2026",
        "1767323045",
        "2026-01-02Tx",
        "02 Foo 2026",
        "\N{ARABIC-INDIC DIGIT TWO}026-1-2",
    ],
)
def test_other_texts_are_no_dates(text: str) -> None:
    """Whoever reads them decides what that means."""
    assert moment_of(text) is None
    assert day_of(text) is None


def test_a_day_keeps_its_date() -> None:
    """Whatever time and zone it has."""
    assert {day_of(text) for text in ("2026-6-1", "2026-06-01T23:59:59-05:00", "1 Jun 2026")} == {day_of("2026-06-01")}
