"""When to refresh, and with what."""

from datetime import timedelta

import pytest

from tests.support.fake_grants import START, tokens
from xero_api.oauth.refresh import due, second_token, usable, worth_replacing
from xero_api.oauth.token import GrantKind, TokenSet


@pytest.mark.parametrize(
    ("minutes", "is_due", "is_usable"),
    [(0, False, True), (23.9, False, True), (24, True, True), (29, True, True), (29.9, True, False), (31, True, False)],
)
def test_a_token_is_refreshed_at_eighty_percent_and_serves_nearly_to_its_end(
    minutes: float, is_due: bool, is_usable: bool
) -> None:
    """Between 24 and almost 30 minutes a failing token endpoint harms nobody."""
    now = START + timedelta(minutes=minutes)

    assert due(tokens(), now) is is_due
    assert usable(tokens(), now) is is_usable


def test_a_short_lived_token_is_refreshed_a_minute_early() -> None:
    """Eighty percent of two minutes would be too late."""
    short = tokens(expires_at=START + timedelta(minutes=2))

    assert not due(short, START + timedelta(seconds=59))
    assert due(short, START + timedelta(seconds=60))


def test_a_fresh_token_is_doubted_once_a_minute() -> None:
    """The grant may have been withdrawn; where it was not, a 401 within a minute has another reason: scope, role."""
    fresh, old = START + timedelta(seconds=59), START + timedelta(seconds=60)

    assert worth_replacing(tokens(), fresh, None)
    assert not worth_replacing(tokens(), fresh, START)
    assert worth_replacing(tokens(), fresh, START - timedelta(seconds=1))
    assert worth_replacing(tokens(), old, None)
    assert worth_replacing(tokens(), old, old)


@pytest.mark.parametrize(
    ("used", "stored", "minutes", "other"),
    [
        ("r0", tokens(refresh_token="r1"), 0, "r1"),  # somebody was faster
        ("r1", tokens(refresh_token="r1", previous_refresh_token="r0"), 29, "r0"),  # inside the grace
        ("r1", tokens(refresh_token="r1", previous_refresh_token="r0"), 30, None),
        ("r1", tokens(refresh_token="r1"), 0, None),
        ("r0", tokens(refresh_token="r0", previous_refresh_token="r0"), 0, None),
        ("", tokens(kind=GrantKind.CLIENT_CREDENTIALS, refresh_token=None), 0, None),
    ],
)
def test_what_to_try_after_a_refusal(used: str, stored: TokenSet, minutes: float, other: str | None) -> None:
    """The stored token if it changed, the one before within thirty minutes, else nothing."""
    assert second_token(used, stored, START + timedelta(minutes=minutes)) == other
