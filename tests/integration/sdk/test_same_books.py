"""Our client and Xero's official SDK read the same books: the same records, field by field."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any

import pytest

from simulator.books.words import Endpoint
from tests.integration.sdk.compare import Compare
from tests.integration.sdk.rig import Sdk, model_id
from tests.integration.sdk.test_reads import everything
from xero_api.client import XeroClient
from xero_api.entity import Entity, Full
from xero_api.oauth.source import AccessToken, GrantId
from xero_api.reading import Reader, reader
from xero_api.registry import ENTITIES
from xero_stream.contracts.names import DEFAULT_APP, AppName, EntityName, TenantId
from xero_stream.contracts.records import raw_record

_DOCUMENT = {
    "reference": "reference",
    "contact.id": "contact.contact_id",
    "contact.name": "contact.name",
    "currency": "currency_code",
    "sub_total": "sub_total",
    "total_tax": "total_tax",
    "total": "total",
    "status": "status",
}
_DATED = _DOCUMENT | {"date": "date"}
_ISSUED = _DOCUMENT | {"issue_date": "date"}

SAME: Mapping[EntityName, Mapping[str, str]] = {
    EntityName.INVOICES: _ISSUED | {"id": "invoice_id", "number": "invoice_number", "due_date": "due_date", "amount_due": "amount_due", "amount_paid": "amount_paid"},
    EntityName.CREDIT_NOTES: _ISSUED | {"id": "credit_note_id", "number": "credit_note_number", "remaining_credit": "remaining_credit"},
    EntityName.PURCHASE_ORDERS: _ISSUED | {"id": "purchase_order_id", "number": "purchase_order_number", "delivery_date": "delivery_date"},
    EntityName.QUOTES: _ISSUED | {"id": "quote_id", "number": "quote_number", "expiry_date": "expiry_date"},
    EntityName.BANK_TRANSACTIONS: _DATED | {"id": "bank_transaction_id", "bank_account.id": "bank_account.account_id"},
    EntityName.PREPAYMENTS: _DATED | {"id": "prepayment_id", "remaining_credit": "remaining_credit"},
    EntityName.OVERPAYMENTS: _DATED | {"id": "overpayment_id", "remaining_credit": "remaining_credit"},
    EntityName.REPEATING_INVOICES: _DOCUMENT | {"id": "repeating_invoice_id", "schedule.period": "schedule.period"},
    EntityName.CONTACTS: {"id": "contact_id", "name": "name", "first_name": "first_name", "email": "email_address", "status": "contact_status"},
    EntityName.PAYMENTS: {"id": "payment_id", "date": "date", "amount": "amount", "reference": "reference", "status": "status"},
    EntityName.BATCH_PAYMENTS: {"id": "batch_payment_id", "date": "date", "total": "total_amount", "status": "status"},
    EntityName.BANK_TRANSFERS: {"id": "bank_transfer_id", "date": "date", "amount": "amount", "source.account_id": "from_bank_account.account_id", "created_at": "created_date_utc"},
    EntityName.ACCOUNTS: {"id": "account_id", "code": "code", "name": "name", "status": "status"},
    EntityName.ITEMS: {"id": "item_id", "code": "code", "name": "name", "sales.unit_price": "sales_details.unit_price", "quantity_on_hand": "quantity_on_hand"},
    EntityName.JOURNALS: {"id": "journal_id", "number": "journal_number", "date": "journal_date", "source_id": "source_id"},
    EntityName.MANUAL_JOURNALS: {"id": "manual_journal_id", "date": "date", "narration": "narration", "status": "status"},
    EntityName.ORGANISATIONS: {"id": "organisation_id", "name": "name", "short_code": "short_code", "base_currency": "base_currency"},
    EntityName.TAX_RATES: {"code": "tax_type", "name": "name", "effective_rate": "effective_rate", "status": "status"},
    EntityName.TRACKING_CATEGORIES: {"id": "tracking_category_id", "name": "name", "status": "status"},
}  # fmt: skip
"""Our field by the SDK's, for every record that is more than Xero's own in an envelope."""

LINE = {
    "id": "line_item_id",
    "description": "description",
    "quantity": "quantity",
    "total": "line_amount",
    "tax_amount": "tax_amount",
}


class _OneToken:
    """The SDK's own token."""

    def __init__(self, sdk: Sdk) -> None:
        sdk.identity.get_connections()  # now it has one
        assert sdk.token is not None
        self._token = AccessToken(value=sdk.token["access_token"], grant_id=GrantId("sdk"))

    async def token(self, app: AppName, tenant_id: TenantId) -> AccessToken:
        """The token."""
        del app, tenant_id
        return self._token

    async def replacement(self, refused: AccessToken) -> AccessToken:
        """There is no other."""
        return refused


@pytest.fixture
async def ours(sdk: Sdk) -> AsyncIterator[Reader]:
    """Our reader of the SDK's organisation."""
    client = XeroClient(api_url=sdk.url, tokens=_OneToken(sdk), on_call=lambda _: None, timeout=60)
    yield reader(client, DEFAULT_APP, TenantId(sdk.tenant))
    await client.aclose()


def endpoint_of(entity: Entity[Any]) -> Endpoint:
    """The simulator's word."""
    return next(one for one in Endpoint if one.value.lower() == entity.path.lower())


def theirs(sdk: Sdk, entity: Entity[Any]) -> dict[str, Any]:
    """Every record as the SDK reads it: in lists, but one by one where lists give less, as our reader does."""
    endpoint = endpoint_of(entity)
    listed = {model_id(model, endpoint): model for model in everything(sdk, endpoint)}
    if entity.full is Full.SINGLY:
        listed = {record_id: sdk.one(endpoint, record_id) for record_id in listed}
    return {record_id.lower(): model for record_id, model in listed.items()}


@pytest.mark.parametrize("entity", ENTITIES, ids=lambda entity: entity.name)
async def test_both_read_the_same(sdk: Sdk, ours: Reader, entity: Entity[Any]) -> None:
    """All records, page by page: Xero's JSON as we got it, and the record we make of it, against the SDK's model."""
    found = [one async for page in ours.pages(entity, page_size=9) for one in page.found]

    models = await asyncio.to_thread(theirs, sdk, entity)

    assert found
    assert {str(entity.id_of(one.raw)) for one in found} == models.keys()
    raw = {place for one in found for place in Compare().differences(models[str(entity.id_of(one.raw))], one.raw)}
    mapped = {place for one in found for place in _apart(models[str(entity.id_of(one.raw))], one.record, entity.name)}
    assert (raw, mapped) == (set(), set())


def _apart(model: Any, record: Any, name: EntityName) -> set[str]:
    """Where our record says something else than the SDK's model."""
    pairs = SAME.get(name, {}).items()
    found = {
        f"{ours}: {_plain(record, ours)!r}, the SDK has {_plain(model, theirs)!r}"
        for ours, theirs in pairs
        if not _agree(_plain(record, ours), _plain(model, theirs))
    }
    return found | set(_lines(model, record))


def _lines(model: Any, record: Any) -> list[str]:
    if not hasattr(record, "line_items"):
        return []
    lines = getattr(model, "line_items", None) or []
    if len(lines) != len(record.line_items):
        return ["record.line_items: another number"]
    return [
        f"record.line_items.{ours}"
        for line, model_line in zip(record.line_items, lines, strict=True)
        for ours, theirs in LINE.items()
        if not _agree(_plain(line, ours), _plain(model_line, theirs))
    ]


def _plain(value: Any, path: str) -> Any:
    for step in path.split("."):
        value = getattr(value, step, None)
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, datetime):
        moment = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    return value or None if isinstance(value, str) else value


def _agree(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, str) and isinstance(theirs, str):
        if len(ours) == len("2026-11-20") < len(theirs) and theirs[10:] == "T00:00:00.000Z":
            theirs = theirs[:10]
        return theirs.lower() == ours.lower() or (ours == "partially_paid" and theirs == "AUTHORISED")
    return bool(ours == theirs)


def test_every_mapped_record_is_compared() -> None:
    """The table has a line for each model of our own."""
    own = {entity.name for entity in ENTITIES if not issubclass(entity.model, raw_record.RawRecord)}

    assert SAME.keys() == own
