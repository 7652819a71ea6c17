"""Xero's dates."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from xero_api.dates import iso_ms, parse_day, parse_moment, since_header


@pytest.mark.parametrize(
    ("value", "day"),
    [
        ("/Date(1539993600000+0000)/", "2018-10-20"),
        ("/Date(1539993600000)/", "2018-10-20"),
        ("/Date(1539993600000+1300)/", "2018-10-20"),  # midnight UTC: the offset is decoration
        ("/Date(1426849200000+1300)/", "2015-03-21"),  # not midnight UTC: it is midnight there
        ("/Date(1451905200000+1300)/", "2016-01-05"),
        ("/Date(1451970000000-0500)/", "2016-01-05"),
        ("/Date(1451905200000+1345)/", "2016-01-05"),
        ("/Date(-2209032000000+1200)/", "1900-01-01"),
        ("/Date(1540079999999+0000)/", "2018-10-20"),  # never rounded into the next day
        ("/Date(0+0000)/", "1970-01-01"),
        ("/Date(-1+0000)/", "1969-12-31"),
        ("/Date(-2208988800000+0000)/", "1900-01-01"),
        ("2018-10-20T00:00:00", "2018-10-20"),
        ("2018-10-20", "2018-10-20"),
        ("2018-10-20T23:59:59+13:00", "2018-10-20"),
        ("/Date(-62135596800000+0000)/", None),  # 0001-01-01: .NET's "none"
        ("0001-01-01T00:00:00", None),
        ("/Date(99999999999999999+0000)/", None),
        ("/Date(-99999999999999999+0000)/", None),
        ("2018-02-30", None),
        ("20 October 2018", None),
        ("2018-1-2", None),
        ("/Date(x)/", None),
        ("", None),
    ],
)
def test_document_dates_are_calendar_dates(value: str, day: str | None) -> None:
    """The UTC date part of midnight UTC, else the date where the offset is; what is no date is None."""
    assert parse_day(value) == day


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("/Date(1541176290160+0000)/", datetime(2018, 11, 2, 16, 31, 30, 160_000, tzinfo=UTC)),
        ("/Date(1541176290160+1300)/", datetime(2018, 11, 2, 16, 31, 30, 160_000, tzinfo=UTC)),
        ("/Date(-1)/", datetime(1969, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)),
        ("2019-12-07T18:46:19.5165400", datetime(2019, 12, 7, 18, 46, 19, 516_000, tzinfo=UTC)),
        ("2018-11-02T16:31:30Z", datetime(2018, 11, 2, 16, 31, 30, tzinfo=UTC)),
        ("2018-11-03T05:31:30+13:00", datetime(2018, 11, 2, 16, 31, 30, tzinfo=UTC)),
        ("/Date(99999999999999999+0000)/", None),
        ("0001-01-01T00:00:00", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("soon", None),
    ],
)
def test_moments_are_utc_to_the_millisecond(value: str, moment: datetime | None) -> None:
    """Milliseconds are kept, finer digits cut, zones converted; what is no moment is None."""
    assert parse_moment(value) == moment


def test_iso_has_three_decimals_and_z() -> None:
    """Milliseconds are always written, in UTC."""
    moment = datetime(2018, 11, 3, 5, 31, 30, tzinfo=timezone(timedelta(hours=13)))

    assert iso_ms(moment) == "2018-11-02T16:31:30.000Z"


def test_if_modified_since_is_naive_utc_seconds_never_later() -> None:
    """No zone, no decimals, cut down: a malformed or late value would return everything, or lose a change."""
    moment = datetime(2018, 11, 3, 5, 31, 30, 999_999, tzinfo=timezone(timedelta(hours=13)))

    assert since_header(moment) == "2018-11-02T16:31:30"
