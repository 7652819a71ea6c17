"""When to refresh, with which token, and when a grant is dead. Pure.

Xero rotates the refresh token on every use. If the answer is lost, the old one may be used again for 30 minutes; what
is stored is then still the old one, so the next attempt does just that. A refusal (``invalid_grant``) is believed only
after the stored set was read again and, inside those 30 minutes, the token before it was tried too. A 5xx or a
time-out never condemns a grant.
"""

from datetime import datetime, timedelta

from xero_api.oauth.token import GrantKind, TokenSet

GRACE = timedelta(minutes=30)
"""How long Xero takes a refresh token again after it was used."""

_EARLY = timedelta(seconds=60)
_SHARE_OF_LIFE = 0.8
_LAST_MOMENT = timedelta(seconds=10)
_BETWEEN_DOUBTS = timedelta(seconds=60)
_AHEAD = timedelta(seconds=60)
"""A set obtained this much later than now carries stamps of another clock, or the clock was set back: they say nothing."""


def due(tokens: TokenSet, now: datetime) -> bool:
    """Whether to refresh.

    After 80 % of the access token's life, a minute before its end at the latest, and where the set's stamps lie in the future.

    Args:
        now: the clock of ``refreshed_at`` and ``expires_at``.
    """
    life = tokens.expires_at - tokens.refreshed_at
    early = now >= min(tokens.refreshed_at + life * _SHARE_OF_LIFE, tokens.expires_at - _EARLY)
    return early or _of_the_future(tokens, now)


def usable(tokens: TokenSet, now: datetime) -> bool:
    """Whether the access token still serves, should refreshing fail for the moment.

    Args:
        now: the clock of ``refreshed_at`` and ``expires_at``.
    """
    return now < tokens.expires_at - _LAST_MOMENT and not _of_the_future(tokens, now)


def worth_replacing(tokens: TokenSet, now: datetime, doubted_at: datetime | None) -> bool:
    """Whether another token may help after a 401: the token may be old, or the grant may have been withdrawn.

    Only the token endpoint knows whether a grant still lives, so a fresh token is doubted too, but not more often than once
    a minute: a scope that is missing would otherwise cost a refresh for each call.

    Args:
        now: wall clock.
        doubted_at: when the grant's token was last replaced after a 401; None: never, as far as known.
    """
    fresh = now < tokens.refreshed_at + _BETWEEN_DOUBTS
    return not fresh or doubted_at is None or now >= doubted_at + _BETWEEN_DOUBTS


def second_token(used: str | None, stored: TokenSet, now: datetime) -> str | None:
    """Which refresh token to try after one was refused; None: the grant is dead.

    Args:
        used: the one refused.
        stored: the set as it is stored now.
        now: the clock of ``refreshed_at`` and ``expires_at``.
    """
    if stored.kind is GrantKind.CLIENT_CREDENTIALS:
        return None
    if stored.refresh_token and stored.refresh_token != used:
        return stored.refresh_token
    within_grace = now < stored.refreshed_at + GRACE
    return stored.previous_refresh_token if within_grace and stored.previous_refresh_token != used else None


def _of_the_future(tokens: TokenSet, now: datetime) -> bool:
    return tokens.refreshed_at > now + _AHEAD
