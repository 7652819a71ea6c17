"""The link to Xero's consent page, and the way back."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.examples import examples
from xero_api.errors import ClientConfigError, ConsentDeniedError, ForgedCallbackError, ServerError, XeroError
from xero_api.oauth.consent import (
    Consent,
    authorise_url,
    check_redirect_uri,
    exchange_form,
    new_consent,
    read_callback,
)

BACK = "https://app.example/xero/callback"
SCOPES = ("offline_access", "accounting.invoices.read")


def consent(**fields: Any) -> Consent:
    """One that was asked for."""
    given: dict[str, Any] = {"state": "s1", "verifier": "v" * 43, "redirect_uri": BACK, "scopes": SCOPES}
    return Consent(**(given | fields))


def query_of(url: str) -> dict[str, str]:
    """The fields of a link."""
    return {name: value for name, (value,) in parse_qs(urlsplit(url).query, strict_parsing=True).items()}


def test_the_challenge_is_that_of_the_rfc() -> None:
    """The example of RFC 7636, appendix B."""
    example = consent(verifier="dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")

    assert example.challenge == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    assert consent(verifier=None).challenge is None


def test_the_link() -> None:
    """Every field, spaces as %20; the verifier stays here."""
    asked = consent()

    url = authorise_url(asked, login_url="https://login.xero.com/", client_id="C1")

    assert url.startswith("https://login.xero.com/identity/connect/authorize?response_type=code&")
    assert "scope=offline_access%20accounting.invoices.read" in url
    assert query_of(url) == {
        "response_type": "code",
        "client_id": "C1",
        "redirect_uri": BACK,
        "scope": " ".join(SCOPES),
        "state": "s1",
        "code_challenge": asked.challenge,
        "code_challenge_method": "S256",
    }


def test_one_organisation_and_no_pkce_are_options() -> None:
    """``acr_values`` where it is wanted, no challenge where there is no verifier."""
    url = authorise_url(consent(verifier=None), login_url="https://x.example", client_id="C1", one_organisation=True)

    assert query_of(url)["acr_values"] == "bulk_connect:false"
    assert "code_challenge" not in url


def test_no_link_without_a_client_id() -> None:
    """An empty variable, told before a user sees Xero's error page."""
    with pytest.raises(ClientConfigError) as caught:
        authorise_url(consent(), login_url="https://x.example", client_id="")

    assert "XERO_CLIENT_ID" in caught.value.hint


def test_secrets_are_drawn_anew() -> None:
    """State and verifier differ each time, and are long enough; the verifier is within the RFC's bounds."""
    one, other = (new_consent(redirect_uri=BACK, scopes=SCOPES) for _ in range(2))

    assert len({one.state, other.state, one.verifier, other.verifier}) == 4
    assert len(one.state) == 43
    assert one.verifier is not None
    assert len(one.verifier) == 64
    assert new_consent(redirect_uri=BACK, scopes=SCOPES, pkce=False).verifier is None


def test_no_consent_without_refresh_tokens() -> None:
    """It would end after half an hour."""
    with pytest.raises(ClientConfigError) as caught:
        new_consent(redirect_uri=BACK, scopes=("accounting.invoices.read",))

    assert "offline_access" in caught.value.hint


@pytest.mark.parametrize(
    "address",
    [BACK, "https://a.example:8443/x?y=z", "http://localhost/x", "http://localhost:8081/x", "https://[::1]/x"],
)
def test_addresses_xero_takes(address: str) -> None:
    """TLS anywhere, without it on localhost only."""
    check_redirect_uri(address)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "/callback",
        "http://app.example/x",
        "http://127.0.0.1/x",
        "http://[::1]/x",
        "http://localhost.evil.example/x",
        "https://app.example/x#y",
        "https://app.example/x#",
        "https://user@app.example/x",
        "https://",
        "https://app.example:port/",
        "https://[::1/x",
        "ftp://localhost/x",
        "com.example.app://callback",
        "https://app.example/a b",
        "https://äpp.example/",
        "https://app.example/\n",
    ],
)
def test_addresses_xero_refuses(address: str) -> None:
    """Told before the user sees Xero's error page, with what to do."""
    with pytest.raises(ClientConfigError) as caught:
        new_consent(redirect_uri=address, scopes=SCOPES)

    assert "http://localhost" in caught.value.hint


def test_a_good_way_back_has_the_code() -> None:
    """Whatever else is in the query."""
    assert read_callback(consent(), {"state": "s1", "code": "c1", "scope": "x", "session_state": "y"}) == "c1"


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ({"code": "c1"}, ForgedCallbackError),
        ({"code": "c1", "state": ""}, ForgedCallbackError),
        ({"code": "c1", "state": "s2"}, ForgedCallbackError),
        ({"code": "c1", "state": "s1é\ud800"}, ForgedCallbackError),
        ({"error": "access_denied", "state": "s2"}, ForgedCallbackError),
        ({"state": "s1"}, ForgedCallbackError),
        ({"state": "s1", "code": ""}, ForgedCallbackError),
        ({"state": "s1", "error": "access_denied"}, ConsentDeniedError),
        ({"state": "s1", "error": "access_denied", "code": "c1"}, ConsentDeniedError),
        ({"state": "s1", "error": "invalid_scope"}, ClientConfigError),
        ({"state": "s1", "error": "unauthorized_client"}, ClientConfigError),
        ({"state": "s1", "error": "server_error"}, ServerError),
    ],
)
def test_bad_ways_back(query: Mapping[str, str], error: type[XeroError]) -> None:
    """The state is looked at first: nothing else in a forged link is believed."""
    with pytest.raises(error) as caught:
        read_callback(consent(), query)

    assert type(caught.value) is error


_texts = st.text(max_size=20)


@settings(max_examples=examples(40))
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "state": st.just("s1") | _texts,
            "code": st.just("") | _texts.map("CODE-{}".format),
            "error": _texts,
            "error_description": _texts,
        },
    )
)
def test_any_query_gives_a_code_or_a_typed_error(query: dict[str, str]) -> None:
    """What comes from a browser never surprises, and is never repeated in a message."""
    try:
        outcome = read_callback(consent(), query)
    except XeroError as error:
        outcome = f"{error}"

    if query.get("state") == "s1" and query.get("code") and not query.get("error"):
        assert outcome == query["code"]
    else:
        assert "CODE-" not in outcome


def test_the_exchange_sends_the_same_address_and_the_verifier() -> None:
    """Xero compares both."""
    asked = consent()

    assert exchange_form(asked, "c1") == {
        "grant_type": "authorization_code",
        "code": "c1",
        "redirect_uri": BACK,
        "code_verifier": "v" * 43,
    }
    assert "code_verifier" not in exchange_form(consent(verifier=None), "c1")


def test_a_consent_shows_no_secret() -> None:
    """Neither the state nor the verifier is in its repr."""
    shown = repr(consent(state="SECRET-1", verifier="SECRET-2"))

    assert "SECRET" not in shown
    assert BACK in shown
