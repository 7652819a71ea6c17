"""Grants and quarantine entries as lines for people."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from cli.grants.command import connect_again, held_line, line, line_of_unconnected, needs_you, told
from cli.quarantine import line as quarantine_line
from xero_stream.contracts.names import EntityName, TenantId
from xero_stream.store.connections import Connected, Organisation
from xero_stream.store.entity_holds import EntityHold
from xero_stream.store.quarantine import Entry
from xero_stream.store.queries.grants import Standing
from xero_stream.store.states import HoldState
from xero_stream.store.unconnected import Unconnected

WHEN = datetime(2026, 11, 22, 10, 30, tzinfo=UTC)
ONE = Organisation(tenant_id=TenantId("t-1"), name="Ridge\x1bway")


def standing(**more: Any) -> Standing:
    """An organisation that is well."""
    fields: dict[str, Any] = {
        "grant_id": UUID(int=1),
        "app": "default",
        "kind": "authorization_code",
        "grant_state": "active",
        "refreshed_at": WHEN,
        "tenant_id": TenantId("t-1"),
        "name": "Ridgeway",
        "state": "connected",
        "partition": 2,
        "customer_ref": None,
        "parked_until": None,
        "parked_reason": None,
        "day_remaining": None,
        "loading": [],
        "loaded": 0,
        "load_total": None,
        "backlog": 0,
        **more,
    }
    return Standing(**fields)


@pytest.mark.parametrize(
    ("before", "passes", "what"),
    [
        (None, 1, "connected, 1 entity is being loaded"),
        (None, 3, "connected, 3 entities are being loaded"),
        ("needs_reauth", 3, "connected again (it was needs reauth), 3 entities are being loaded"),
        ("connected", 0, "was connected already; it has the new tokens"),
        ("connected", 1, "was connected already; it has the new tokens, 1 entity is being loaded"),
    ],
)
def test_what_became_of_an_organisation(before: str | None, passes: int, what: str) -> None:
    """New, again, already there."""
    assert told(ONE, Connected(tenant_id=ONE.tenant_id, before=before, passes=passes)) == f"Ridge way (t-1): {what}"


def test_a_standing_that_is_well() -> None:
    """State and backlog; nothing to do."""
    assert line(standing()) == "Ridgeway (t-1) · app default · connected · backlog 0"
    assert not needs_you(standing())


def test_a_standing_with_everything() -> None:
    """Reference, parking, load under way, calls left."""
    row = standing(
        customer_ref="c-1",
        parked_until=WHEN,
        parked_reason="day_limit",
        loading=["contacts", "invoices"],
        loaded=2000,
        load_total=10000,
        backlog=1234,
        day_remaining=4321,
    )

    assert line(row) == (
        "Ridgeway (t-1) · app default · c-1 · connected · parked until 2026-11-22 10:30 UTC (day limit) · "
        "loading contacts, invoices (2,000 of 10,000) · backlog 1,234 · 4,321 calls left today"
    )


@pytest.mark.parametrize(
    "changes", [{"state": "needs_reauth"}, {"state": "disconnected"}, {"grant_state": "needs_reauth"}]
)
def test_only_a_human_helps(changes: dict[str, Any]) -> None:
    """Dead grants and disconnected organisations say what to do."""
    assert needs_you(standing(**changes))
    assert "connect it again with `xero-stream connect`" in line(standing(**changes))


HOLD = EntityHold(
    tenant_id=TenantId("t-1"),
    entity=EntityName.CONTACTS,
    state=HoldState.FORBIDDEN,
    error="Contacts/page: 403\x1b",
    hint="Have the role granted.",
    since=WHEN,
    not_before=WHEN,
    attempts=3,
)


def test_what_is_held_is_told_with_its_reason() -> None:
    """State, since when, how often, when again, why; somebody should look, but nobody has to connect anything."""
    row = standing(held=[HOLD])

    assert held_line(HOLD) == (
        "contacts: forbidden since 2026-11-22 10:30 UTC, 3 times, tried again 10:30:00: Contacts/page: 403 "
    )
    assert needs_you(row)
    assert not connect_again(row)
    assert "connect it again" not in line(row)


def test_what_a_grant_lacks_is_told_when_it_is_added() -> None:
    """And not counted among what is loaded."""
    connected = Connected(
        tenant_id=ONE.tenant_id, before=None, passes=3, lacking={EntityName.CONTACTS: "accounting.contacts.read"}
    )

    assert told(ONE, connected) == (
        "Ridge way (t-1): connected, 2 entities are being loaded; "
        "not read, as the grant lacks the scope: contacts (accounting.contacts.read)"
    )


def test_a_grant_without_organisations() -> None:
    """It is listed, and needs nobody."""
    row = standing(tenant_id=None, state=None)

    assert line(row) == f"grant {UUID(int=1)} (default): active, reaches no organisation"
    assert not needs_you(row)


def test_a_quarantine_entry() -> None:
    """One printable line: when, what, why."""
    entry = Entry(
        id=UUID(int=2),
        state="open",
        stage="fetch",
        reason="validation",
        error="LineItems[0]:\nno number",
        attempts=1,
        tenant_id="t-1",
        entity="invoices",
        record_id="r-1",
        source="/Invoices",
        first_at=WHEN,
        last_at=WHEN,
        value=b"{}",
    )

    assert quarantine_line(entry) == (
        f"{UUID(int=2)} 2026-11-22 10:30 open fetch validation invoices/r-1 (1 attempt) LineItems[0]: no number"
    )


def test_an_organisation_that_is_not_connected() -> None:
    """Its id, by whose webhook, how much came and waits; what was only counted where some was."""
    at = datetime(2026, 11, 29, 10, 0, tzinfo=UTC)
    one = Unconnected(
        tenant_id=TenantId("t-9"), app="default", first_at=at, last_at=at, events=1, kept=1, dropped=0, expired=0
    )

    assert line_of_unconnected(one) == (
        "t-9 · app default · not connected · 1 events since 2026-11-29 10:00 UTC · 1 records wait"
    )
    more = replace(one, app=None, events=4321, dropped=1200, expired=7)
    assert line_of_unconnected(more).endswith(
        "app unknown · not connected · 4,321 events since 2026-11-29 10:00 UTC · 1 records wait · "
        "1,200 events only counted · 7 records expired"
    )


def test_an_app_that_xero_refuses_is_named() -> None:
    """A new grant would not help: the app's settings have to change."""
    row = standing(app_trouble="token endpoint: 401: invalid_client", app_hint="compare XERO_CLIENT_SECRET")

    assert needs_you(row)
    assert "Xero refuses the app (token endpoint: 401: invalid_client)" in line(row)
    assert "grants add" not in line(row)
