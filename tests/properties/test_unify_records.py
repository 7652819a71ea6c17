"""Mappings from Xero's JSON: total over what Xero may send, deterministic, equal to the contract, exact."""

import contextlib
import copy
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.examples import examples
from tests.support.xero_records import STRATEGIES, TENANT, wire
from xero_api.decode import decode, encode
from xero_api.entity import Entity
from xero_api.errors import InvalidRecordError
from xero_api.registry import (
    BANK_TRANSACTIONS,
    BANK_TRANSFERS,
    BATCH_PAYMENTS,
    ENTITIES,
    INVOICES,
    OVERPAYMENTS,
    PAYMENTS,
    PREPAYMENTS,
)

entities = pytest.mark.parametrize("entity", ENTITIES, ids=lambda entity: entity.name)
junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@entities
@settings(max_examples=examples(5))
@given(data=st.data())
def test_whatever_xero_may_send_becomes_a_valid_record(entity: Entity[Any], data: st.DataObject) -> None:
    """Odd but legal records map, and the result is just what the contract says: same keys, same order, all of them."""
    raw = decode(wire(data.draw(STRATEGIES[entity.name])))

    unified = entity.unified(TENANT, raw)

    record = entity.model.model_validate(unified)
    assert list(unified) == list(type(record).model_fields)
    assert entity.model.read(encode(unified)) == record


@entities
@settings(max_examples=examples(5))
@given(data=st.data())
def test_the_mapping_does_not_depend_on_the_order_of_keys_nor_change_its_input(
    entity: Entity[Any], data: st.DataObject
) -> None:
    """Equal records encode to equal bytes, however Xero orders keys; the input is left alone."""
    raw = decode(wire(data.draw(STRATEGIES[entity.name])))
    shuffled = dict(data.draw(st.permutations(list(raw.items()))))
    before = copy.deepcopy(raw)

    first, second = encode(entity.unify(raw)), encode(entity.unify(shuffled))

    assert first == second
    assert raw == before


@entities
@settings(max_examples=examples(5))
@given(data=st.data())
def test_any_junk_in_any_field_is_mapped_or_named(entity: Entity[Any], data: st.DataObject) -> None:
    """Whatever stands in a field, the mapping gives a valid record or a typed error; nothing else is raised."""
    raw = decode(wire(data.draw(STRATEGIES[entity.name])))
    field = data.draw(st.sampled_from([*raw, "LineItems", "Contact", "Total", "UpdatedDateUTC", "Phones"]))
    raw[field] = data.draw(junk)

    unified = None
    with contextlib.suppress(InvalidRecordError):
        unified = entity.unified(TENANT, raw)

    # Only identity, version and structures may cost the record.
    assert unified is not None or field in WHOLE
    if unified is not None:
        entity.model.model_validate(unified)


WHOLE = {
    *(entity.id_field for entity in ENTITIES),
    *("UpdatedDateUTC", "CreatedDateUTC"),
    *(
        "Account",
        "Addresses",
        "Allocations",
        "BankAccount",
        "BatchPayment",
        "BatchPayments",
        "BrandingTheme",
        "Contact",
    ),
    *(
        "ContactGroups",
        "ContactPersons",
        "CreditNote",
        "CreditNotes",
        "ExternalLinks",
        "FromBankAccount",
        "FromTracking",
    ),
    *(
        "Invoice",
        "JournalLines",
        "LineItems",
        "Options",
        "Overpayment",
        "Overpayments",
        "PaymentTerms",
        "Payments",
        "Phones",
    ),
    *("Prepayment", "Prepayments", "PurchaseDetails", "PurchasesTrackingCategories", "SalesDetails"),
    *("SalesTrackingCategories", "Schedule", "TaxComponents", "ToBankAccount", "ToTracking"),
}
"""Fields whose value is an id, a version, an object or a list: what is wrong there may cost the record."""


@pytest.mark.parametrize(
    ("entity", "xeros", "ours"),
    [
        (INVOICES, "Total", "total"),
        (PAYMENTS, "Amount", "amount"),
        (PAYMENTS, "CurrencyRate", "exchange_rate"),
        (BANK_TRANSFERS, "Amount", "amount"),
        (BATCH_PAYMENTS, "TotalAmount", "total"),
        (PREPAYMENTS, "RemainingCredit", "remaining_credit"),
    ],
    ids=lambda given: given if isinstance(given, str) else given.name,
)
@settings(max_examples=examples(25))
@given(literal=st.from_regex(r"-?(0|[1-9][0-9]{0,19})(\.[0-9]{1,12})?([eE][+-]?[0-9]{1,2})?", fullmatch=True))
def test_amounts_keep_their_value(entity: Entity[Any], xeros: str, ours: str, literal: str) -> None:
    """An amount on the wire and the amount we publish are equal as decimals, also where Xero wrote a string."""
    for written in (literal, f'"{literal}"'):
        body = f'{{"{entity.id_field}":"a","Type":"ACCREC","{xeros}":{written}}}'.encode()

        published = entity.model.read(encode(entity.unified(TENANT, decode(body))))

        assert published.model_dump()[ours] == Decimal(literal)


SINGLY: dict[str, dict[str, Any]] = {
    "Contact": {"ContactStatus": "ACTIVE", "EmailAddress": "a@b.example", "Phones": [{"PhoneNumber": "1"}]},
    "Invoice": {"Status": "PAID", "Reference": "r", "Total": 5, "LineItems": [{"LineItemID": "l"}], "Payments": [{}]},
    "Account": {"Name": "Everyday account", "Type": "BANK"},
    "BankAccount": {"Type": "BANK", "CurrencyCode": "NZD"},
    "FromBankAccount": {"Code": "090"},
    "ToBankAccount": {"Code": "091"},
}
"""What single reads show of a nested object where lists don't (published OpenAPI, examples)."""


@pytest.mark.parametrize(
    "entity",
    [PAYMENTS, BATCH_PAYMENTS, PREPAYMENTS, OVERPAYMENTS, BANK_TRANSACTIONS, BANK_TRANSFERS],
    ids=lambda entity: entity.name,
)
@settings(max_examples=examples(5))
@given(data=st.data())
def test_what_only_single_reads_show_changes_nothing(entity: Entity[Any], data: st.DataObject) -> None:
    """The record of a list and the same one, shown in full, are published alike."""
    listed = decode(wire(data.draw(STRATEGIES[entity.name])))
    single = {
        key: {**SINGLY[key], **value} if key in SINGLY and isinstance(value, dict) else value
        for key, value in listed.items()
    }
    single |= {"Attachments": [{"AttachmentID": "f"}], "BrandingThemeID": "b"}
    if entity is not PAYMENTS and not listed.get("CurrencyRate"):
        listed.pop("CurrencyRate", None)
        single["CurrencyRate"] = 1.0

    assert encode(entity.unify(single)) == encode(entity.unify(listed))
