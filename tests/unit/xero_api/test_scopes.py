"""Scopes: the least that is needed, and what a grant lacks."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xero_api.entity import Entity, Scope
from xero_api.registry import CONTACTS, ENTITIES, INVOICES
from xero_api.scopes import OFFLINE_ACCESS, least, missing

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


@settings(max_examples=50)
@given(read=_rows, written=_rows, attachments=st.booleans())
def test_what_is_asked_for_is_enough_and_no_more(
    read: tuple[Entity[Any], ...], written: tuple[Entity[Any], ...], attachments: bool
) -> None:
    """It covers every entity, and each scope of it is missed when it is left out."""
    asked = least(read, writing=written, attachments=attachments)
    needs = [entity.scope.reading for entity in (*read, *written)] + [
        entity.scope.writing for entity in written if entity.writes is not None
    ]

    assert missing(asked, needs) == ()
    for scope in asked:
        assert missing([other for other in asked if other != scope], asked) == (scope,)
