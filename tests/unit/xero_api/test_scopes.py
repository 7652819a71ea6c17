"""Scopes: the least that is needed, and what a grant lacks."""

from base64 import urlsafe_b64encode
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.examples import examples
from xero_api.decode import encode
from xero_api.entity import Entity, Scope
from xero_api.registry import CONTACTS, ENTITIES, INVOICES, JOURNALS
from xero_api.scopes import OFFLINE_ACCESS, NotOnTierError, lacking, least, missing, open_to, require, scopes_of
from xero_stream.settings.xero import AppTier

REPORT = replace(INVOICES, scope=Scope.REPORTS_AGED)
READABLE = replace(CONTACTS, writes=None)

_rows = st.sets(st.sampled_from(ENTITIES)).map(tuple)


def test_reading_asks_to_read() -> None:
    """Each scope once, sorted, after the one that gives refresh tokens."""
    asked = least((INVOICES, CONTACTS, INVOICES))

    assert asked == ("offline_access", "accounting.contacts.read", "accounting.invoices.read")


def test_writing_asks_for_the_whole_scope_only_where_it_is_needed() -> None:
    """The written entity need not be named twice; the others stay read-only."""
    assert least((CONTACTS,), writing=(INVOICES,), offline=False) == ("accounting.contacts.read", "accounting.invoices")


def test_what_cannot_be_written_is_only_read() -> None:
    """Neither a scope that doesn't exist nor one that isn't used is ever asked for."""
    assert least((), writing=(REPORT, READABLE), offline=False) == (
        "accounting.contacts.read",
        "accounting.reports.aged.read",
    )


def test_options_add_their_scopes() -> None:
    """Attachments follow their records; signing in and reports are asked for by name."""
    read = least((CONTACTS,), attachments=True, sign_in=True, more=(Scope.REPORTS_TRIAL_BALANCE,))
    written = least((), writing=(CONTACTS,), attachments=True, offline=False)

    assert read == (
        OFFLINE_ACCESS,
        "openid",
        "profile",
        "email",
        "accounting.attachments.read",
        "accounting.contacts.read",
        "accounting.reports.trialbalance.read",
    )
    assert written == ("accounting.attachments", "accounting.contacts")


@pytest.mark.parametrize("tier", AppTier)
def test_the_general_ledger_is_asked_for_from_the_advanced_tier_on(tier: AppTier) -> None:
    """Below, the link is never made: Xero would refuse it as a whole. The message names scope, tier and setting."""
    if tier in {AppTier.ADVANCED, AppTier.ENTERPRISE}:
        assert least((INVOICES, JOURNALS), tier=tier)[1:] == ("accounting.invoices.read", "accounting.journals.read")
        assert open_to(tier, (INVOICES, JOURNALS)) == (INVOICES, JOURNALS)
    else:
        told = f"accounting.journals.read is for apps of the tier advanced or above, .* only {tier}: .*XERO_APP_TIER"
        for entities, more in (((INVOICES, JOURNALS), ()), ((INVOICES,), (Scope.JOURNALS,))):
            with pytest.raises(NotOnTierError, match=told):
                least(entities, tier=tier, more=more)
        assert open_to(tier, (INVOICES, JOURNALS)) == (INVOICES,)


def test_without_a_tier_the_lowest_is_taken() -> None:
    """As the setting does."""
    with pytest.raises(NotOnTierError, match="only starter"):
        least((JOURNALS,))


def test_one_app_of_several_is_enough() -> None:
    """A deployment may enable what only one of its apps can read."""
    require((Scope.JOURNALS, Scope.CONTACTS), (AppTier.STARTER, AppTier.ENTERPRISE))

    with pytest.raises(NotOnTierError, match="only starter, plus"):
        require((Scope.CONTACTS, Scope.JOURNALS), (AppTier.STARTER, AppTier.PLUS))


@pytest.mark.parametrize("scope", Scope)
def test_each_scope_has_the_forms_xero_knows(scope: Scope) -> None:
    """Payment services have one form, reports, budgets and journals are never written."""
    read_only = scope.startswith("accounting.reports.") or scope in {Scope.BUDGETS, Scope.JOURNALS}

    assert scope.reading == ("paymentservices" if scope is Scope.PAYMENT_SERVICES else f"{scope.value}.read")
    assert scope.writing == (scope.reading if read_only else scope.value)


@pytest.mark.parametrize(
    ("granted", "needed", "lacking"),
    [
        ("accounting.contacts", "accounting.contacts.read", ""),
        ("accounting.contacts.read", "accounting.contacts", "accounting.contacts"),
        ("accounting.transactions.read", "accounting.invoices.read", ""),
        ("accounting.transactions.read", "accounting.invoices", "accounting.invoices"),
        ("accounting.transactions", "accounting.payments accounting.manualjournals.read", ""),
        ("accounting.transactions", "accounting.contacts.read", "accounting.contacts.read"),
        ("accounting.reports.read", "accounting.reports.aged.read", ""),
        ("openid", "offline_access openid", "offline_access"),
        ("paymentservices", "paymentservices", ""),
    ],
)
def test_what_a_grant_lacks(granted: str, needed: str, lacking: str) -> None:
    """Writing covers reading, never the other way; the old broad scopes cover what they were split into."""
    assert missing(granted.split(), needed.split()) == tuple(lacking.split())


@settings(max_examples=examples(25))
@given(read=_rows, written=_rows, attachments=st.booleans(), tier=st.sampled_from(AppTier))
def test_what_is_asked_for_is_enough_and_no_more(
    read: tuple[Entity[Any], ...], written: tuple[Entity[Any], ...], attachments: bool, tier: AppTier
) -> None:
    """It covers every entity that the tier includes, and each scope of it is missed when it is left out."""
    read, written = open_to(tier, read), open_to(tier, written)
    asked = least(read, tier=tier, writing=written, attachments=attachments)
    needs = [entity.scope.reading for entity in (*read, *written)] + [
        entity.scope.writing for entity in written if entity.writes is not None
    ]

    assert missing(asked, needs) == ()
    for scope in asked:
        assert missing([other for other in asked if other != scope], asked) == (scope,)


def test_each_kind_of_record_that_lacks_its_scope_is_named_with_it() -> None:
    """Broad scopes and those to write cover it."""
    assert lacking(["accounting.invoices"], (INVOICES, CONTACTS)) == {CONTACTS.name: "accounting.contacts.read"}
    assert lacking(["accounting.transactions.read", "accounting.contacts"], (INVOICES, CONTACTS)) == {}


def test_a_token_says_itself_what_it_opens() -> None:
    """Its claims count before what the token endpoint said; a token that is no JWT leaves that."""
    claims = urlsafe_b64encode(encode({"scope": ["a", "b"]})).decode().rstrip("=")

    assert scopes_of(f"x.{claims}.y", ("c",)) == ("a", "b")
    assert scopes_of("opaque", ("c",)) == ("c",)
    assert scopes_of("opaque", ()) == ()
