"""Forms and answers of the token endpoint."""

import json
from base64 import b64decode
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.fake_grants import START, tokens
from xero_api.decode import encode
from xero_api.errors import (
    ClientConfigError,
    GarbledAnswerError,
    HoldError,
    Intent,
    InterceptedError,
    RateLimitedError,
    ReauthoriseError,
    ServerError,
    TransientError,
    XeroError,
    intent,
)
from xero_api.oauth.token import (
    ClientCredentials,
    GrantKind,
    TokenSet,
    client_credentials_form,
    decipher_revocation,
    decipher_token,
    refresh_form,
)

GOOD = {"access_token": "a1", "refresh_token": "r1", "expires_in": 1200, "scope": "offline_access accounting.invoices"}


def _read(status: int, body: bytes, kind: GrantKind = GrantKind.AUTHORIZATION_CODE) -> TokenSet:
    return decipher_token(status, {}, body, before=tokens(scopes=("x",)), kind=kind, now=START, used="r0")


def test_forms() -> None:
    """The fields of RFC 6749."""
    assert refresh_form("r0") == {"grant_type": "refresh_token", "refresh_token": "r0"}
    assert client_credentials_form() == {"grant_type": "client_credentials"}
    assert client_credentials_form(("a", "b"))["scope"] == "a b"


def test_the_app_shows_itself_in_the_header() -> None:
    """Id and secret are form-encoded before they are joined by a colon."""
    app = ClientCredentials(client_id="id", client_secret="s:e c+")

    assert b64decode(app.headers()["Authorization"].removeprefix("Basic ")) == b"id:s%3Ae+c%2B"
    assert app.fields() == {}


def test_an_app_without_a_secret_shows_its_id_in_the_form() -> None:
    """The PKCE type."""
    app = ClientCredentials(client_id="id")

    assert (app.headers(), app.fields()) == ({}, {"client_id": "id"})


def test_a_new_set() -> None:
    """The rotated token, and the one before for the grace; life counts from the sending."""
    new = _read(200, encode(GOOD))

    assert new.access_token == "a1"
    assert new.refresh_token == "r1"
    assert new.previous_refresh_token == "r0"
    assert new.refreshed_at == START
    assert new.expires_at == START + timedelta(minutes=20)
    assert new.scopes == ("offline_access", "accounting.invoices")


def test_what_the_endpoint_leaves_out() -> None:
    """Thirty minutes and the scopes as they were."""
    new = _read(200, encode({"access_token": "a1", "refresh_token": "r1"}))

    assert new.expires_at == START + timedelta(minutes=30)
    assert new.scopes == ("x",)


def test_custom_connections_have_no_refresh_token() -> None:
    """One that came anyway is not kept."""
    new = _read(200, encode(GOOD), GrantKind.CLIENT_CREDENTIALS)

    assert new.refresh_token is None


@pytest.mark.parametrize(
    ("status", "body", "error", "what_to_do"),
    [
        (400, b'{"error":"invalid_grant"}', ReauthoriseError, Intent.REAUTHORISE),
        (400, b'{"error":"unauthorized_client"}', ClientConfigError, Intent.STOP),
        (400, b'{"error":"invalid_scope"}', ClientConfigError, Intent.STOP),
        (401, b'{"error":"invalid_client"}', ClientConfigError, Intent.STOP),
        (400, b'{"error":"unsupported_grant_type"}', ClientConfigError, Intent.STOP),
        (400, b"", InterceptedError, Intent.RETRY),
        (400, b'{"error":"blocked_by_policy"}', InterceptedError, Intent.RETRY),
        (400, b'{"error":{"code":"invalid_grant"}}', InterceptedError, Intent.RETRY),
        (401, b"Proxy says no", InterceptedError, Intent.RETRY),
        (403, b"<html>Access Denied</html>", InterceptedError, Intent.RETRY),
        (404, b"<html>", InterceptedError, Intent.RETRY),
        (407, b"", InterceptedError, Intent.RETRY),
        (204, b"", InterceptedError, Intent.RETRY),
        (429, b"", RateLimitedError, Intent.PARK),
        (500, b'{"error":"invalid_grant"}', ServerError, Intent.RETRY),
        (503, b"", ServerError, Intent.RETRY),
        (408, b"", ServerError, Intent.RETRY),
        (200, b"", GarbledAnswerError, Intent.RETRY),
        (200, b'{"access_token":"a', GarbledAnswerError, Intent.RETRY),
        (200, b'{"access_token":"a1","refresh_token":7}', GarbledAnswerError, Intent.RETRY),
        (200, b'{"refresh_token":"r1"}', GarbledAnswerError, Intent.RETRY),
        (200, b"[]", GarbledAnswerError, Intent.RETRY),
    ],
)
def test_bad_answers(status: int, body: bytes, error: type[XeroError], what_to_do: Intent) -> None:
    """Only invalid_grant condemns the grant; a half-read 200 may have rotated, so the same token is tried again."""
    with pytest.raises(error) as caught:
        _read(status, body)

    assert intent(caught.value) is what_to_do


def test_an_answer_of_somebody_else_names_the_identity_address() -> None:
    """The hint is about the way to the token endpoint, not about client id and secret."""
    with pytest.raises(InterceptedError, match="403 no reason given") as caught:
        _read(403, b"<html>Access Denied</html>")

    assert "XERO_IDENTITY_URL" in caught.value.hint
    assert "XERO_CLIENT" not in caught.value.hint


@pytest.mark.parametrize("missing", [{}, {"refresh_token": None}, {"refresh_token": ""}])
def test_a_refresh_token_that_is_not_replaced_stays_in_use(missing: dict[str, Any]) -> None:
    """RFC 6749, 6: a new one is optional. The one that was sent is kept, whichever of the two it was."""
    new = _read(200, encode({"access_token": "a1", **missing}))

    assert (new.access_token, new.refresh_token, new.previous_refresh_token) == ("a1", "r0", None)


def test_a_first_answer_without_a_refresh_token_is_no_grant() -> None:
    """At a consent there is no earlier one to keep."""
    with pytest.raises(GarbledAnswerError, match="without a refresh token"):
        decipher_token(
            200, {}, encode({"access_token": "a"}), before=None, kind=GrantKind.AUTHORIZATION_CODE, now=START
        )


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (600, 600),
        ("601", 601),
        (" 600 ", 600),
        ("600.5", 600.5),
        (599.5, 599.5),
        (Decimal("602.0000000000000001"), 602),
        (10**30, 86_400),
        ("1e99", 86_400),
        (True, 1800),
        (0, 1800),
        (-5, 1800),
        ("", 1800),
        ("soon", 1800),
        ("nan", 1800),
        ("Infinity", 1800),
        (None, 1800),
        ([600], 1800),
    ],
)
def test_how_long_an_access_token_lives(value: Any, seconds: float) -> None:
    """Seconds as number or text; what is no number of seconds counts as Xero's usual thirty minutes."""
    body = json.dumps({**GOOD, "expires_in": value}, default=str).encode()

    new = _read(200, body)

    assert abs((new.expires_at - START).total_seconds() - seconds) < 0.001


@pytest.mark.parametrize(
    ("value", "scopes"),
    [
        ("a b", ("a", "b")),
        ("a,b  a", ("a", "b")),
        (["a", "b"], ("a", "b")),
        (["a b", 7, None], ("a", "b")),
        ([], ("x",)),
        ({"a": 1}, ("x",)),
        (None, ("x",)),
    ],
)
def test_scopes_of_an_answer(value: Any, scopes: tuple[str, ...]) -> None:
    """As text or as a list; where nothing can be read they are those of before."""
    assert _read(200, encode({**GOOD, "scope": value})).scopes == scopes


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(
    fields=st.fixed_dictionaries(
        {},
        optional={
            "access_token": json_values,
            "refresh_token": json_values,
            "expires_in": json_values | st.decimals().map(str),
            "scope": json_values,
            "token_type": json_values,
            "error": json_values,
        },
    ),
    kind=st.sampled_from(GrantKind),
)
def test_every_good_answer_is_a_set_or_is_asked_for_again(fields: dict[str, Any], kind: GrantKind) -> None:
    """Whatever the fields hold: a set that lives a second to a day, with the scopes and the token it needs, or a retry."""
    try:
        new = _read(200, json.dumps(fields).encode(), kind)
    except TransientError:
        return

    assert timedelta(seconds=1) <= new.expires_at - START <= timedelta(days=1)
    assert new.scopes
    assert (new.refresh_token is None) == (kind is GrantKind.CLIENT_CREDENTIALS)


_VERDICTS = ["invalid_grant", "invalid_client", "invalid_scope", "invalid_request", "unauthorized_client"]


@given(
    status=st.integers(201, 599),
    body=st.binary(max_size=60)
    | json_values.map(lambda value: json.dumps({"error": value}).encode())
    | st.sampled_from([encode({"error": word}) for word in _VERDICTS]),
    revocation=st.booleans(),
)
def test_only_an_oauth_word_is_a_verdict(status: int, body: bytes, *, revocation: bool) -> None:
    """Any other refusal, of any status, is transient or a wait: it condemns neither the grant nor the app."""
    with pytest.raises(XeroError) as caught:
        decipher_revocation(status, {}, body) if revocation else _read(status, body)

    condemns = not isinstance(caught.value, TransientError | HoldError)
    word = any(body == encode({"error": word}) for word in (*_VERDICTS, "unsupported_grant_type"))
    assert condemns == (word and 201 <= status < 500 and status not in {408, 429})


def test_nothing_secret_is_shown() -> None:
    """Neither sets nor credentials nor errors print what they hold."""
    secret = "SECRET"
    shown = [
        repr(tokens(access_token=secret, refresh_token=secret, previous_refresh_token=secret)),
        repr(ClientCredentials(client_id="id", client_secret=secret)),
    ]
    with pytest.raises(InterceptedError) as caught:
        _read(400, encode({"error": f"no {secret}!", "error_description": secret}))

    assert secret not in "".join(shown) + str(caught.value)
