"""Headers of answers."""

from datetime import UTC, datetime

import pytest

from xero_api.meta import NO_META, Limits, read_meta


def test_nothing_said_is_nothing_known() -> None:
    """No header, no fact, no mark of Xero's."""
    assert read_meta({}) == NO_META
    assert not read_meta({"date": "Sun, 22 Nov 2026 10:00:00 GMT"}).xeros


@pytest.mark.parametrize("name", ["xero-correlation-id", "x-minlimit-remaining", "x-appminlimit-remaining"])
def test_marks_of_xero(name: str) -> None:
    """Any of its own headers tells that Xero answered, and no proxy."""
    assert read_meta({name: "5"}).xeros


@pytest.mark.parametrize("value", ["", "-1", "1.5", "many", "1" * 30, "\u0661"])
def test_odd_counts_are_none(value: str) -> None:
    """A limit that is no plain number is not known."""
    assert read_meta({"x-daylimit-remaining": value}).limits == Limits()


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("17", 17.0),
        (" 0 ", 0.0),
        ("Sun, 22 Nov 2026 10:01:00 GMT", 60.0),
        ("Sun, 22 Nov 2026 09:00:00 GMT", 0.0),
        ("later", None),
        ("", None),
    ],
)
def test_retry_after_in_seconds_or_as_a_date(value: str, seconds: float | None) -> None:
    """Both forms of RFC 9110; a date counts from the answer's own clock."""
    assert read_meta({"retry-after": value, "date": "Sun, 22 Nov 2026 10:00:00 GMT"}).retry_after == seconds


@pytest.mark.parametrize(
    "value", ["yesterday", "", "Sun, 99 Nov 2026 10:00:00 GMT", ",", "Fri, 31 Dec 9999 23:59:59 -2300"]
)
def test_a_bad_date_is_none(value: str) -> None:
    """Xero's clock is only believed if it can be read."""
    assert read_meta({"date": value}).server_date is None


def test_a_date_is_utc() -> None:
    """Whatever zone it is written in."""
    expected = datetime(2026, 11, 22, 10, tzinfo=UTC)

    assert read_meta({"date": "Sun, 22 Nov 2026 11:00:00 +0100"}).server_date == expected
    assert read_meta({"date": "Sun, 22 Nov 2026 10:00:00 -0000"}).server_date == expected
