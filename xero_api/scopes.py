"""Which OAuth scopes are needed, and which of them a grant lacks. Pure.

Names and what they cover: https://developer.xero.com/documentation/guides/oauth2/scopes. Apps created since 2 March 2026
are refused the old broad scopes; those end for all on 13 September 2027. Xero checks scopes at the call, not
when it gives a token: a call without its scope is a 401 ``AuthorizationUnsuccessful``.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from xero_api.claims import read_claims
from xero_api.entity import Entity, Scope
from xero_api.errors import UnmappableAnswerError
from xero_stream.contracts.names import EntityName
from xero_stream.settings.xero import AppTier

OFFLINE_ACCESS = "offline_access"
"""Without it there is no refresh token, and access ends after half an hour."""

APP_CONNECTIONS = "app.connections"
"""With client credentials: all connections of an app, without a user (https://developer.xero.com, app connections)."""


class SignIn(StrEnum):
    """Scopes of OpenID Connect: they let the user sign in to you with Xero, and open no records."""

    OPENID = "openid"
    PROFILE = "profile"
    EMAIL = "email"


class NotOnTierError(Exception):
    """No app of the pricing tiers there are may ask for a scope; the message says which, and what to do."""


def require(scopes: Iterable[Scope], tiers: Iterable[AppTier]) -> None:
    """See that each scope may be asked for, before anything is: Xero would refuse the whole link.

    Args:
        scopes: what would be asked for.
        tiers: of the apps there are; one that may is enough.

    Raises:
        NotOnTierError: none may.
    """
    found = tuple(tiers)
    for scope in sorted(set(scopes)):
        if not any(tier.includes(scope.tier) for tier in found):
            raise NotOnTierError(
                f"{scope.reading} is for apps of the tier {scope.tier} or above, and there is only {', '.join(found)}: "
                "leave out what needs it, or set XERO_APP_TIER (`tier` in the apps file) to the tier Xero has given the app"
            )


def open_to(tier: AppTier, entities: Iterable[Entity[Any]]) -> tuple[Entity[Any], ...]:
    """Those of the entities that an app of a tier may read."""
    return tuple(entity for entity in entities if tier.includes(entity.scope.tier))


def least(
    reading: Iterable[Entity[Any]],
    *,
    tier: AppTier = AppTier.STARTER,
    writing: Iterable[Entity[Any]] = (),
    more: Iterable[Scope] = (),
    attachments: bool = False,
    sign_in: bool = False,
    offline: bool = True,
) -> tuple[str, ...]:
    """The least an app has to ask for.

    Args:
        reading: rows of the entities that are read; :func:`open_to` leaves out what the app's tier doesn't include.
        tier: the app's pricing tier.
        writing: rows of those written too; a row that can't be written is only read.
        more: what else is read (reports).
        attachments: whether attachments are read, and written where their records are.
        sign_in: whether users sign in with Xero (``openid profile email``).
        offline: whether there are to be refresh tokens; False for a custom connection, which has none.

    Returns:
        The scopes, each once, in a fixed order.

    Raises:
        NotOnTierError: the tier doesn't include one of them.
    """
    written = {entity.scope for entity in writing if entity.writes is not None}
    read = {entity.scope for entity in (*reading, *writing)} | set(more)
    if attachments:
        read.add(Scope.ATTACHMENTS)
        written |= {Scope.ATTACHMENTS} if written else set()
    require(read | written, (tier,))
    asked = sorted(scope.writing if scope in written else scope.reading for scope in read | written)
    return (*([OFFLINE_ACCESS] if offline else []), *(SignIn if sign_in else ()), *asked)


def missing(granted: Iterable[str], needed: Iterable[str]) -> tuple[str, ...]:
    """What a grant lacks. A scope to write covers reading; old broad scopes cover what they were split into.

    Args:
        granted: scopes of the grant.
        needed: scopes that are needed, as :func:`least` gives them.

    Returns:
        Those of ``needed`` that nothing granted covers, in their order.
    """
    held = frozenset(granted)
    return tuple(scope for scope in needed if held.isdisjoint(_covering(scope)))


def lacking(granted: Iterable[str], entities: Iterable[Entity[Any]]) -> dict[EntityName, str]:
    """The scope that each kind of record lacks to be read; those that lack none are left out.

    Args:
        granted: scopes of the grant.
    """
    held, rows = frozenset(granted), tuple(entities)
    absent = frozenset(missing(held, {row.scope.reading for row in rows}))
    return {row.name: row.scope.reading for row in rows if row.scope.reading in absent}


def scopes_of(access_token: str, told: Sequence[str]) -> tuple[str, ...]:
    """What a token opens; nothing where neither it nor the token endpoint says so.

    Args:
        access_token: a JWT says it itself.
        told: what the token endpoint said.
    """
    try:
        return read_claims(access_token).scopes or tuple(told)
    except UnmappableAnswerError:
        return tuple(told)


def _covering(scope: str) -> set[str]:
    bare = scope.removesuffix(".read")
    writing = {bare, _BROAD.get(bare, bare)}
    return writing if scope == bare else writing | {f"{form}.read" for form in writing}


_BROAD: Mapping[str, str] = MappingProxyType(
    dict.fromkeys(
        (Scope.INVOICES, Scope.PAYMENTS, Scope.BANK_TRANSACTIONS, Scope.MANUAL_JOURNALS), "accounting.transactions"
    )
    | {scope.value: "accounting.reports" for scope in Scope if scope.startswith("accounting.reports.")}
)
"""Which old broad scope covered it."""
