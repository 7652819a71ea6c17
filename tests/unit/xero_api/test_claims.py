"""What an access token says about itself."""

from base64 import urlsafe_b64encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.examples import examples
from xero_api.claims import Claims, read_claims
from xero_api.decode import encode
from xero_api.errors import UnmappableAnswerError


def jwt(claims: object) -> str:
    """A token with these claims; nobody looks at the rest."""
    return f"eyJhbGciOiJSUzI1NiJ9.{urlsafe_b64encode(encode(claims)).rstrip(b'=').decode()}.c2lnbmF0dXJl"


def test_the_consent_the_user_and_the_scopes() -> None:
    """Ids in lower case, as connections have them."""
    token = jwt(
        {
            "authentication_event_id": "D99ECDFE-391D-43d2-b834-17636ba90e8d",
            "xero_userid": "1945393B-6eb7-4143-b083-7ab26cd7690b",
            "client_id": "C1",
            "scope": ["offline_access", "accounting.invoices.read", 5],
            "exp": 1,
        }
    )

    assert read_claims(token) == Claims(
        auth_event_id="d99ecdfe-391d-43d2-b834-17636ba90e8d",
        user_id="1945393b-6eb7-4143-b083-7ab26cd7690b",
        client_id="C1",
        scopes=("offline_access", "accounting.invoices.read"),
    )


@pytest.mark.parametrize("scope", [None, "", [], {}, 5])
def test_what_is_not_there_is_none(scope: object) -> None:
    """Client credentials have no user; scopes may be a string or a list, or anything."""
    claims = read_claims(jwt({"authentication_event_id": 5, "xero_userid": "", "scope": scope}))

    assert claims == Claims(auth_event_id=None, user_id=None, client_id=None, scopes=())


def test_scopes_as_one_string() -> None:
    """As RFC 9068 writes them."""
    assert read_claims(jwt({"scope": "a b"})).scopes == ("a", "b")


@settings(max_examples=examples(40))
@given(st.one_of(st.text(max_size=40), st.binary(max_size=40).map(lambda raw: jwt({}).replace("e30", raw.hex()))))
def test_anything_else_is_a_typed_error_that_does_not_show_it(token: str) -> None:
    """Opaque tokens, garbage, JSON that is not an object."""
    problem = None
    try:
        read_claims(token)
    except UnmappableAnswerError as error:
        problem = (f"{error}", error.body)

    assert problem in (None, ("the access token is no JWT", b""))


@pytest.mark.parametrize("token", ["", "SECRET", "a.b", "a.b.c", jwt([1]), jwt("x"), f"{jwt({})}.d"])
def test_no_jwt(token: str) -> None:
    """Not three parts, not base64, not an object."""
    with pytest.raises(UnmappableAnswerError):
        read_claims(token)
