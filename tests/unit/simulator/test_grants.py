"""Refresh tokens: rotation, grace, expiry; client credentials; access tokens."""

import base64
import hashlib
from dataclasses import replace
from functools import partial
from typing import Any

import orjson
import pytest

from simulator.identity.access import AccessTokens
from simulator.identity.consent import users
from simulator.identity.grants import (
    GRACE_MS,
    REFRESH_LIFE_MS,
    AppKind,
    Client,
    Connection,
    Grant,
    GrantKind,
    Grants,
    TokenError,
    TokenProblem,
)
from simulator.identity.signing import drawn_key
from tests.support.unconfirmed import unconfirmed
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


@unconfirmed("a second use within the grace gives another pair, and both pairs work")
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
        ("NATIVE", "anything", TokenProblem.INVALID_CLIENT),
        ("APP", "wrong", TokenProblem.INVALID_CLIENT),
        ("APP", None, TokenProblem.INVALID_CLIENT),
        ("NOPE", "secret", TokenProblem.UNAUTHORIZED_CLIENT),
        ("", "", TokenProblem.UNAUTHORIZED_CLIENT),
        (None, None, TokenProblem.UNAUTHORIZED_CLIENT),
    ],
)
def test_clients_are_checked(client_id: str | None, secret: str | None, expected: TokenProblem) -> None:
    """Wrong secret, unknown or empty id."""
    native = Client(id="NATIVE", secret="", kind=AppKind.PKCE)
    book = Grants([APP, native])

    with pytest.raises(TokenError) as caught:
        book.authenticate(client_id, secret)
    assert book.authenticate("NATIVE", None) is native

    assert caught.value.problem is expected


def test_client_credentials_are_for_custom_connections_only() -> None:
    """Another kind of app."""
    custom = Client(id="CUSTOM", secret="s")
    book = grants(grant(id=guid(9), kind=GrantKind.CLIENT_CREDENTIALS, client_id="CUSTOM", live={}))

    assert book.client_credentials(custom, (), lambda: guid(8)).id == guid(9)
    with pytest.raises(TokenError) as caught:
        book.client_credentials(APP, (), lambda: guid(8))
    assert caught.value.problem is TokenProblem.UNAUTHORIZED_CLIENT


def test_an_app_may_look_after_its_connections_without_a_user() -> None:
    """The scope ``app.connections``: all of the app's, one grant permanently; not for apps without a secret."""
    book = grants()
    ids = iter(guid(number) for number in range(50, 60))

    mine = book.client_credentials(APP, ("app.connections",), lambda: next(ids))

    assert book.client_credentials(APP, ("app.connections",), lambda: next(ids)) is mine
    assert [(owner.id, row.id) for owner, row in book.reached(mine)] == [(guid(3), guid(1))]
    assert mine.tenants() == set()
    with pytest.raises(TokenError) as caught:
        book.client_credentials(Client(id="N", secret="", kind=AppKind.PKCE), ("app.connections",), lambda: "x")
    assert caught.value.problem is TokenProblem.UNAUTHORIZED_CLIENT


def test_a_custom_connection_gets_no_more_scopes_than_it_has() -> None:
    """invalid_scope."""
    custom = Client(id="CUSTOM", secret="s", kind=AppKind.CUSTOM)
    book = grants(grant(id=guid(9), kind=GrantKind.CLIENT_CREDENTIALS, client_id="CUSTOM", live={}))

    assert book.client_credentials(custom, ("accounting.invoices.read",), lambda: "x").id == guid(9)
    with pytest.raises(TokenError) as caught:
        book.client_credentials(custom, ("accounting.contacts",), lambda: "x")
    assert caught.value.problem is TokenProblem.INVALID_SCOPE


def test_what_a_token_reaches_belongs_to_the_grant_itself() -> None:
    """Not to the token's view of it, which has older scopes and must not be kept."""
    book = grants()
    found = book.get(guid(3))
    assert found is not None

    ((owner, _),) = book.reached(replace(found, scopes=()))

    assert owner is found


def consented(book: Grants, user: int, event: int, now_ms: int, **fields: Any) -> Grant:
    """A user says yes to the first organisation."""
    ids = iter(guid(1000 * event + number) for number in range(10))
    given: dict[str, Any] = {
        "auth_event_id": guid(event),
        "scopes": ("offline_access",),
        "tenants": (TENANT,),
        "refresh_token": f"t{event}",
        "new_id": lambda: next(ids),
        "now_ms": now_ms,
    }
    return book.consent(APP, guid(user), **(given | fields))


def test_consenting_again_adds_to_the_users_grant() -> None:
    """Scopes are additive; each token set keeps the consent it comes from; another user has a grant of their own."""
    book = Grants([APP])
    first = consented(book, 70, 71, NOW)
    other = guid(99)

    second = consented(book, 70, 72, NOW + 1, scopes=("openid",), tenants=(other,))
    stranger = consented(book, 80, 81, NOW + 2)

    assert second is first
    assert first.scopes == ("offline_access", "openid")
    assert {row.tenant_id: row.auth_event_id for row in first.connections.values()} == {
        TENANT: guid(71),
        other: guid(72),
    }
    book.refresh(APP, "t71", "t71b", NOW + 3)
    assert [first.event_of(token) for token in ("t71", "t71b", "t72")] == [guid(71), guid(71), guid(72)]
    assert stranger is not first
    assert stranger.tenants() == {TENANT}


def test_reconnecting_brings_the_connection_back() -> None:
    """The same row, created when it was, updated now; after a revocation too."""
    book = Grants([APP])
    first = consented(book, 70, 71, NOW)
    (row,) = first.connections.values()

    assert book.disconnect(first, row.id)
    again = consented(book, 70, 72, NOW + 5)
    book.revoke(again)
    last = consented(book, 70, 73, NOW + 9)

    assert again is first
    assert last is not first
    (new,) = last.connections.values()
    assert (new.id, new.created_ms, new.updated_ms, new.auth_event_id) == (row.id, NOW, NOW + 9, guid(73))


def test_no_refresh_token_without_offline_access() -> None:
    """The consent counts all the same."""
    found = consented(Grants([APP]), 70, 71, NOW, refresh_token=None)

    assert found.live == {}
    assert found.tenants() == {TENANT}


def test_a_token_is_given_back_by_its_app_only() -> None:
    """Another app's token is none of its business."""
    book = grants()

    assert book.of_refresh_token(Client(id="OTHER", secret="x"), "t0") is None
    assert book.of_refresh_token(APP, "nonsense") is None
    assert book.of_refresh_token(APP, "t0") is book.get(guid(3))


def test_disconnecting_takes_a_connection_of_the_grant() -> None:
    """Once."""
    book = grants()
    found = book.get(guid(3))
    assert found is not None

    assert book.disconnect(found, guid(1))
    assert not book.disconnect(found, guid(1))


def issuer_of(seed: int) -> AccessTokens:
    """An issuer of its own, with the key of a seed."""
    return AccessTokens(key=partial(drawn_key, seed))


def test_access_tokens_carry_xeros_claims_and_outlive_a_restart() -> None:
    """Signed, so another process of the same seed reads them."""
    book, issuer = grants(), issuer_of(1)
    found = book.get(guid(3))
    assert found is not None

    token = issuer.issue(found, token_id=guid(5), now_ms=NOW)
    read = issuer_of(1).read(token, book)

    assert read is not None
    assert (read.grant_id, read.expires_ms, read.scopes) == (guid(3), NOW + 1_800_000, found.scopes)
    assert issuer.read(token, book) == read
    assert token.count(".") == 2


@pytest.mark.parametrize("spoiled", ["", "a.b.c", "nonsense", "é.é.é"])
def test_foreign_access_tokens_are_not_read(spoiled: str) -> None:
    """Whatever they look like."""
    assert issuer_of(1).read(spoiled, grants()) is None


def test_access_tokens_of_another_seed_or_an_unknown_grant_are_not_read() -> None:
    """Signature first, then the grant."""
    book, issuer = grants(), issuer_of(1)
    found = book.get(guid(3))
    assert found is not None
    token = issuer.issue(found, token_id=guid(5), now_ms=NOW)

    assert issuer_of(2).read(token, book) is None
    assert issuer_of(1).read(token, Grants()) is None


def _claims(token: str) -> Any:
    return orjson.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))


def test_an_id_token_says_who_signed_in_and_opens_nothing() -> None:
    """Five minutes; e-mail and name where they were asked for; no access token."""
    user, issuer = users(1)[0], issuer_of(1)
    book = grants(grant(id=guid(9), scopes=("openid", "email")), grant(id=guid(8), scopes=("openid", "profile")))
    mail, name = book.get(guid(9)), book.get(guid(8))
    assert mail is not None
    assert name is not None

    token = issuer.issue_id(mail, user, now_ms=NOW, access_token="a.b.c", nonce="n")

    claims = _claims(token)
    assert (claims["aud"], claims["exp"] - claims["nbf"], claims["email"]) == ("APP", 300, user.email)
    assert claims["nonce"] == "n"
    assert claims["at_hash"] == base64.urlsafe_b64encode(hashlib.sha256(b"a.b.c").digest()[:16]).decode().rstrip("=")
    assert "name" not in claims
    assert _claims(issuer.issue_id(name, user, now_ms=NOW, access_token="a.b.c"))["given_name"] == "Alex"
    assert issuer.read(token, book) is None


def test_claims_name_the_consent() -> None:
    """authentication_event_id is the connections' authEventId."""
    book = grants()
    found = book.get(guid(3))
    assert found is not None
    issuer = issuer_of(1)

    claims = _claims(issuer.issue(found, token_id=guid(5), now_ms=NOW))
    older = _claims(issuer.issue(found, token_id=guid(5), now_ms=NOW, auth_event_id=guid(77)))

    assert older["authentication_event_id"] == guid(77)

    assert claims["authentication_event_id"] == guid(2)
    assert claims["xero_userid"] == guid(4)
    assert claims["exp"] - claims["nbf"] == 1800
