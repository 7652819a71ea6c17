"""Refresh tokens: rotation, grace, expiry; client credentials; access tokens."""

import base64
from typing import Any

import orjson
import pytest

from simulator.identity.access import AccessTokens
from simulator.identity.grants import (
    GRACE_MS,
    REFRESH_LIFE_MS,
    Client,
    Connection,
    Grant,
    GrantKind,
    Grants,
    TokenError,
    TokenProblem,
)
from tests.unit.simulator.builders import NOW, TENANT, guid

APP = Client(id="APP", secret="secret")


def grant(**fields: Any) -> Grant:
    """A consent with one live token, "t0"."""
    connection = Connection(id=guid(1), tenant_id=TENANT, auth_event_id=guid(2), created_ms=NOW, updated_ms=NOW)
    given: dict[str, Any] = {
        "id": guid(3),
        "kind": GrantKind.REFRESH_TOKEN,
        "client_id": "APP",
        "user_id": guid(4),
        "auth_event_id": guid(2),
        "scopes": ("offline_access", "accounting.invoices.read"),
        "connections": {connection.id: connection},
        "live": {"t0": NOW},
    }
    return Grant(**(given | fields))


def grants(*more: Grant) -> Grants:
    """One app with one consent."""
    return Grants([APP], [grant(), *more])


def problem(book: Grants, client: Client, token: str, now_ms: int) -> TokenProblem:
    """Why a refresh is refused."""
    with pytest.raises(TokenError) as caught:
        book.refresh(client, token, "new", now_ms)
    return caught.value.problem


def test_each_refresh_rotates() -> None:
    """The new token works, and is counted."""
    book = grants()

    book.refresh(APP, "t0", "t1", NOW)
    after = book.refresh(APP, "t1", "t2", NOW + 1)

    assert set(after.live) == {"t2"}
    assert (after.refreshes, after.grace_refreshes) == (2, 0)


def test_the_old_token_works_for_thirty_minutes_more() -> None:
    """Measured from its first use, however often it is used; each use gives a pair that works."""
    book = grants()
    book.refresh(APP, "t0", "t1", NOW)

    book.refresh(APP, "t0", "t2", NOW + GRACE_MS - 1)
    book.refresh(APP, "t0", "t3", NOW + GRACE_MS)

    assert problem(book, APP, "t0", NOW + GRACE_MS + 1) is TokenProblem.INVALID_GRANT
    after = book.refresh(APP, "t2", "t4", NOW + GRACE_MS + 2)
    assert (after.refreshes, after.grace_refreshes, after.refused) == (2, 2, 1)


def test_a_refresh_token_dies_unused_after_sixty_days() -> None:
    """Then the user must reconnect."""
    assert problem(grants(), APP, "t0", NOW + REFRESH_LIFE_MS + 1) is TokenProblem.INVALID_GRANT
    assert grants().refresh(APP, "t0", "t1", NOW + REFRESH_LIFE_MS).refreshes == 1


def test_unknown_foreign_and_revoked_tokens_are_refused() -> None:
    """All as invalid_grant."""
    book = grants()

    assert problem(book, APP, "nonsense", NOW) is TokenProblem.INVALID_GRANT
    assert problem(book, Client(id="OTHER", secret="x"), "t0", NOW) is TokenProblem.INVALID_GRANT
    found = book.get(guid(3))
    assert found is not None
    book.revoke(found)
    assert problem(book, APP, "t0", NOW) is TokenProblem.INVALID_GRANT
    assert found.tenants() == set()


def test_retired_tokens_are_forgotten_in_the_end() -> None:
    """Memory stays bounded."""
    book = grants()
    for step in range(20):
        book.refresh(APP, f"t{step}", f"t{step + 1}", NOW + step * GRACE_MS)

    found = book.get(guid(3))
    assert found is not None
    assert len(found.retired) <= 3


@pytest.mark.parametrize(
    ("client_id", "secret", "expected"),
    [
        ("APP", "wrong", TokenProblem.INVALID_CLIENT),
        ("APP", None, TokenProblem.INVALID_CLIENT),
        ("NOPE", "secret", TokenProblem.UNAUTHORIZED_CLIENT),
        ("", "", TokenProblem.UNAUTHORIZED_CLIENT),
        (None, None, TokenProblem.UNAUTHORIZED_CLIENT),
    ],
)
def test_clients_are_checked(client_id: str | None, secret: str | None, expected: TokenProblem) -> None:
    """Wrong secret, unknown or empty id."""
    with pytest.raises(TokenError) as caught:
        grants().authenticate(client_id, secret)

    assert caught.value.problem is expected


def test_client_credentials_are_for_custom_connections_only() -> None:
    """Another kind of app."""
    custom = Client(id="CUSTOM", secret="s")
    book = grants(grant(id=guid(9), kind=GrantKind.CLIENT_CREDENTIALS, client_id="CUSTOM", live={}))

    assert book.client_credentials(custom).id == guid(9)
    with pytest.raises(TokenError) as caught:
        book.client_credentials(APP)
    assert caught.value.problem is TokenProblem.UNAUTHORIZED_CLIENT


def test_disconnecting_takes_a_connection_of_the_grant() -> None:
    """Once."""
    book = grants()
    found = book.get(guid(3))
    assert found is not None

    assert book.disconnect(found, guid(1))
    assert not book.disconnect(found, guid(1))


def test_access_tokens_carry_xeros_claims_and_outlive_a_restart() -> None:
    """Signed, so another process of the same secret reads them."""
    book, issuer = grants(), AccessTokens(secret=b"s")
    found = book.get(guid(3))
    assert found is not None

    token = issuer.issue(found, token_id=guid(5), now_ms=NOW)
    read = AccessTokens(secret=b"s").read(token, book)

    assert read is not None
    assert (read.grant_id, read.expires_ms) == (guid(3), NOW + 1_800_000)
    assert issuer.read(token, book) == read
    assert token.count(".") == 2


@pytest.mark.parametrize("spoiled", ["", "a.b.c", "nonsense", "é.é.é"])
def test_foreign_access_tokens_are_not_read(spoiled: str) -> None:
    """Whatever they look like."""
    assert AccessTokens(secret=b"s").read(spoiled, grants()) is None


def test_access_tokens_of_another_secret_or_an_unknown_grant_are_not_read() -> None:
    """Signature first, then the grant."""
    book, issuer = grants(), AccessTokens(secret=b"s")
    found = book.get(guid(3))
    assert found is not None
    token = issuer.issue(found, token_id=guid(5), now_ms=NOW)

    assert AccessTokens(secret=b"other").read(token, book) is None
    assert AccessTokens(secret=b"s").read(token, Grants()) is None


def test_claims_name_the_consent() -> None:
    """authentication_event_id is the connections' authEventId."""
    book = grants()
    found = book.get(guid(3))
    assert found is not None
    payload = AccessTokens(secret=b"s").issue(found, token_id=guid(5), now_ms=NOW).split(".")[1]

    claims = orjson.loads(base64.urlsafe_b64decode(payload + "=="))

    assert claims["authentication_event_id"] == guid(2)
    assert claims["xero_userid"] == guid(4)
    assert claims["exp"] - claims["nbf"] == 1800
