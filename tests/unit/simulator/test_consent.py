"""What an app may ask, the codes it gets, and the page."""

import base64
import hashlib
from typing import Any

import pytest

from simulator.identity.consent import (
    CODE_LIFE_MS,
    AuthoriseError,
    Code,
    Codes,
    Problem,
    registrable,
    understand,
    users,
)
from simulator.identity.grants import AppKind, Client, Grants, TokenError, TokenProblem
from simulator.identity.page import consent_page, error_page
from simulator.identity.scopes import EVERYTHING, refused
from tests.support.consent_form import Page
from tests.support.unconfirmed import unconfirmed
from tests.unit.simulator.builders import NOW, guid
from xero_api.entity import Scope
from xero_api.registry import ENTITIES
from xero_api.scopes import least, missing
from xero_stream.settings.xero import AppTier

WEB = Client(id="WEB", secret="s", redirect_uris=("https://app.example/back",), name="Web & Co")
OLD = Client(id="OLD", secret="s", broad_scopes=True)
NATIVE = Client(id="NATIVE", secret="", kind=AppKind.PKCE)
CUSTOM = Client(id="CUSTOM", secret="s", kind=AppKind.CUSTOM)
APPS = Grants([WEB, OLD, NATIVE, CUSTOM])
ALEX = users(1)[0]
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


def link(**fields: str | None) -> dict[str, str]:
    """A good link, but for what is given."""
    good: dict[str, str | None] = {
        "client_id": "WEB",
        "redirect_uri": "https://app.example/back",
        "response_type": "code",
        "scope": "offline_access accounting.invoices.read",
        "state": "s1",
    }
    return {name: value for name, value in (good | fields).items() if value is not None}


def test_a_good_link() -> None:
    """Scopes each once; one organisation where the tier has no bulk connections."""
    asked = understand(link(scope="openid  openid email"), APPS, bulk=False, journals=False)

    assert (asked.client, asked.scopes, asked.state) == (WEB, ("openid", "email"), "s1")
    assert (asked.challenge, asked.several) == (None, False)


def test_bulk_connections_can_be_waived() -> None:
    """``acr_values=bulk_connect:false``."""
    assert understand(link(), APPS, bulk=True, journals=False).several
    assert not understand(link(acr_values="bulk_connect:false"), APPS, bulk=True, journals=False).several


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"client_id": None}, Problem.UNAUTHORIZED_CLIENT),
        ({"client_id": "NOPE"}, Problem.UNAUTHORIZED_CLIENT),
        ({"client_id": "CUSTOM"}, Problem.UNAUTHORIZED_CLIENT),
        ({"redirect_uri": None}, Problem.UNAUTHORIZED_CLIENT),
        ({"redirect_uri": "https://app.example/back/"}, Problem.UNAUTHORIZED_CLIENT),
        ({"client_id": "OLD", "redirect_uri": "http://127.0.0.1/back"}, Problem.UNAUTHORIZED_CLIENT),
        ({"response_type": "token"}, Problem.UNSUPPORTED_RESPONSE_TYPE),
        ({"scope": None}, Problem.INVALID_SCOPE),
        ({"scope": "accounting.nonsense"}, Problem.INVALID_SCOPE),
        ({"scope": "accounting.transactions"}, Problem.INVALID_SCOPE),
        ({"scope": "finance.statements.read"}, Problem.INVALID_SCOPE),
        ({"scope": "accounting.reports.read"}, Problem.INVALID_SCOPE),
        ({"scope": "accounting.journals.read"}, Problem.INVALID_SCOPE),
        ({"scope": "app.connections"}, Problem.INVALID_SCOPE),
        ({"code_challenge": CHALLENGE}, Problem.INVALID_REQUEST),
        ({"code_challenge": CHALLENGE, "code_challenge_method": "plain"}, Problem.INVALID_REQUEST),
        ({"code_challenge": "short", "code_challenge_method": "S256"}, Problem.INVALID_REQUEST),
        ({"client_id": "NATIVE"}, Problem.INVALID_REQUEST),
    ],
)
def test_wrong_links(fields: dict[str, str | None], problem: Problem) -> None:
    """Unknown apps and addresses, scopes the app may not have, PKCE that is none."""
    with pytest.raises(AuthoriseError) as caught:
        understand(link(**fields), APPS, bulk=False, journals=False)

    assert caught.value.problem is problem


def test_scopes_by_age_and_tier() -> None:
    """Apps from before March 2026 keep the broad ones; the general ledger is for large tiers."""
    asked = ("accounting.transactions", "accounting.reports.read", "accounting.journals.read", "offline_access")

    assert refused(asked, broad=False, journals=False) == list(asked[:3])
    assert refused(asked, broad=True, journals=True) == []
    assert refused(EVERYTHING, broad=False, journals=True) == []


@pytest.mark.parametrize(
    "scope",
    ["payroll.employees", "payroll.payslip.read", "payroll.superfundproducts.read", "accountdata.balances.read"],
)
def test_scopes_of_xeros_other_apis_are_granted(scope: str) -> None:
    """They open nothing here, but apps ask for them beside the Accounting API's."""
    assert refused([scope], broad=False, journals=False) == []


def test_whatever_the_library_may_ask_for_exists_here() -> None:
    """Two tables written apart agree: every scope of every entity and report, to read and to write."""
    forms = {form for scope in Scope for form in (scope.reading, scope.writing)}
    everything = least(ENTITIES, tier=AppTier.ENTERPRISE, writing=ENTITIES, more=Scope, attachments=True, sign_in=True)

    assert refused(forms | set(everything), broad=False, journals=True) == []
    assert missing(EVERYTHING, everything) == ("openid", "profile", "email")


@pytest.mark.parametrize(
    ("address", "good"),
    [
        ("https://a.example/x?y=z", True),
        ("http://localhost:3000/x", True),
        ("http://127.0.0.1/x", False),
        ("https://a.example/#x", False),
        ("https://[::1/x", False),
        ("/x", False),
    ],
)
def test_addresses_of_apps(address: str, good: bool) -> None:
    """As Xero has them."""
    assert registrable(address) is good


def code(**fields: Any) -> Code:
    """A yes of this moment."""
    given: dict[str, Any] = {
        "client_id": "WEB",
        "redirect_uri": "https://app.example/back",
        "challenge": CHALLENGE,
        "user": ALEX,
        "scopes": ("offline_access",),
        "tenants": (guid(1),),
        "auth_event_id": guid(2),
        "issued_ms": NOW,
    }
    return Code(**(given | fields))


def redeem(codes: Codes, **fields: Any) -> Code:
    """Trade "c1" in, rightly but for what is given."""
    given: dict[str, Any] = {
        "client": WEB,
        "redirect_uri": "https://app.example/back",
        "verifier": VERIFIER,
        "now_ms": NOW + CODE_LIFE_MS,
    }
    return codes.redeem(fields.pop("value", "c1"), **(given | fields))


def test_a_code_works_once_and_for_five_minutes() -> None:
    """The second use is refused."""
    codes = Codes()
    codes.add("c1", code())

    assert redeem(codes) == code()
    with pytest.raises(TokenError) as caught:
        redeem(codes)
    assert caught.value.problem is TokenProblem.INVALID_GRANT


@pytest.mark.parametrize(
    "wrong",
    [
        {"value": "c2"},
        {"client": OLD},
        {"redirect_uri": "https://app.example/"},
        {"redirect_uri": ""},
        {"verifier": None},
        {"verifier": "w" * 43},
        {"verifier": "short"},
        {"now_ms": NOW + CODE_LIFE_MS + 1},
    ],
    ids=lambda wrong: next(iter(wrong)) + str(wrong[next(iter(wrong))])[-6:],
)
def test_a_code_is_bound_to_what_it_was_asked_with(wrong: dict[str, Any]) -> None:
    """App, address, verifier and time."""
    codes = Codes()
    codes.add("c1", code())

    with pytest.raises(TokenError) as caught:
        redeem(codes, **wrong)

    assert caught.value.problem is TokenProblem.INVALID_GRANT


def test_a_verifier_needs_a_challenge() -> None:
    """Proof of something that was never asked for is refused."""
    codes = Codes()
    codes.add("c1", code(challenge=None))
    codes.add("c2", code(challenge=None))

    with pytest.raises(TokenError):
        redeem(codes)
    assert redeem(codes, value="c2", verifier=None).challenge is None


@unconfirmed("a refused attempt of the right app uses a code up; one of another app doesn't")
def test_a_refused_attempt_uses_the_code_up() -> None:
    """Nobody may try verifiers one after the other."""
    codes = Codes()
    for value in ("c1", "c2"):
        codes.add(value, code())
    with pytest.raises(TokenError):
        redeem(codes, verifier="w" * 43)
    with pytest.raises(TokenError):
        redeem(codes, value="c2", client=OLD)

    with pytest.raises(TokenError):
        redeem(codes)
    assert redeem(codes, value="c2") == code()


def test_codes_nobody_fetched_are_forgotten() -> None:
    """Memory stays bounded."""
    codes = Codes()
    for step in range(50):
        codes.add(f"c{step}", code(issued_ms=NOW + step * CODE_LIFE_MS))

    assert len(codes._codes) <= 2


def test_the_page_can_be_used_without_sight_and_without_scripts() -> None:
    """Every field has a label; the link's fields are sent again; nothing in it is taken for HTML."""
    fields = link(state='"><script>alert(1)</script>')
    asked = understand(fields, APPS, bulk=False, journals=False)
    organisations = [(guid(1), "Harbour & Vale <Ltd>"), (guid(2), "Other")]

    page = Page(consent_page(asked, fields, users(1), organisations, complaint="Choose!").decode())

    assert page.ids == page.labels
    assert page.scripts == 0
    assert dict(page.hidden) == fields
    assert page.choices["tenant"] == [guid(1), guid(2)]
    assert page.kinds["tenant"] == "radio"
    assert page.choices["decision"] == ["allow", "deny"]
    for text in ("Web & Co wants access", "Harbour & Vale <Ltd>", "accounting.invoices.read", "Choose!"):
        assert text in page.text


def test_several_organisations_are_boxes() -> None:
    """Where the tier has bulk connections."""
    asked = understand(link(), APPS, bulk=True, journals=False)

    page = Page(consent_page(asked, link(), users(1), [(guid(1), "One")]).decode())

    assert page.kinds["tenant"] == "checkbox"


def test_the_error_page_says_what_is_wrong() -> None:
    """Xero's word and ours; no form."""
    page = Page(error_page(AuthoriseError(Problem.INVALID_SCOPE, "This app may not have: <x>.")).decode())

    assert "invalid_scope" in page.text
    assert "may not have: <x>." in page.text
    assert page.action is None


def test_people_are_the_same_for_the_same_seed() -> None:
    """A test may name them."""
    assert users(1) == users(1)
    assert {one.id for one in users(1)}.isdisjoint(one.id for one in users(2))
