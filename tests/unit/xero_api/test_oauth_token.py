"""Forms and answers of the token endpoint."""

from base64 import b64decode
from datetime import timedelta

import pytest

from tests.support.fake_grants import START, tokens
from xero_api.decode import encode
from xero_api.errors import (
    ClientConfigError,
    GarbledAnswerError,
    Intent,
    RateLimitedError,
    ReauthoriseError,
    ServerError,
    XeroError,
    intent,
)
from xero_api.oauth.token import (
    ClientCredentials,
    GrantKind,
    TokenSet,
    client_credentials_form,
    decipher_token,
    refresh_form,
)

GOOD = {"access_token": "a1", "refresh_token": "r1", "expires_in": 1200, "scope": "offline_access accounting.invoices"}


def _read(status: int, body: bytes, kind: GrantKind = GrantKind.AUTHORIZATION_CODE) -> TokenSet:
    return decipher_token(status, {}, body, before=tokens(scopes=("x",)), kind=kind, now=START)


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
        (404, b"<html>", ClientConfigError, Intent.STOP),
        (429, b"", RateLimitedError, Intent.PARK),
        (500, b'{"error":"invalid_grant"}', ServerError, Intent.RETRY),
        (503, b"", ServerError, Intent.RETRY),
        (408, b"", ServerError, Intent.RETRY),
        (200, b"", GarbledAnswerError, Intent.RETRY),
        (200, b'{"access_token":"a', GarbledAnswerError, Intent.RETRY),
        (200, b'{"access_token":"a1"}', GarbledAnswerError, Intent.RETRY),
        (200, b'{"refresh_token":"r1"}', GarbledAnswerError, Intent.RETRY),
        (200, b"[]", GarbledAnswerError, Intent.RETRY),
    ],
)
def test_bad_answers(status: int, body: bytes, error: type[XeroError], what_to_do: Intent) -> None:
    """Only invalid_grant condemns the grant; a half-read 200 may have rotated, so the same token is tried again."""
    with pytest.raises(error) as caught:
        _read(status, body)

    assert intent(caught.value) is what_to_do


def test_nothing_secret_is_shown() -> None:
    """Neither sets nor credentials nor errors print what they hold."""
    secret = "SECRET"
    shown = [
        repr(tokens(access_token=secret, refresh_token=secret, previous_refresh_token=secret)),
        repr(ClientCredentials(client_id="id", client_secret=secret)),
    ]
    with pytest.raises(ClientConfigError) as caught:
        _read(400, encode({"error": f"no {secret}!", "error_description": secret}))

    assert secret not in "".join(shown) + str(caught.value)
