"""Xero's JSON, drawn: records as Xero sends them, odd but legal, and fixed ones with every field filled."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from xero_api.entity import Entity, Full

DATA = Path(__file__).parent.parent / "data" / "xero"


def example(folder: str, form: str) -> bytes:
    """A captured answer.

    Args:
        folder: entity name.
        form: one of :func:`forms`.
    """
    return (DATA / folder / f"{form}.json").read_bytes()


def forms(entity: Entity[Any]) -> list[str]:
    """The ways in which whole records are read: ``one``, ``ids``, and ``page`` for a page or a list that is not paged.

    Args:
        entity: what is read.
    """
    one = ["one"] if entity.full is not Full.LISTS else []
    return [*one, *(["ids"] if entity.by_ids else []), *(["page"] if entity.full is not Full.SINGLY else [])]


guids = st.uuids().map(str) | st.uuids().map(lambda value: str(value).upper())
texts = st.text(max_size=20) | st.sampled_from(["INV-0042", "a\x00b", "e\u0301", "😀", "0" * 20, "  ", '"\\/'])
moments = st.one_of(
    st.integers(-62_135_596_800_000, 253_402_300_799_999).map(lambda ms: f"/Date({ms}+0000)/"),
    st.integers(0, 2_000_000_000_000).map(lambda ms: f"/Date({ms})/"),
    st.datetimes().map(lambda value: value.isoformat()),
    st.sampled_from(
        ["/Date(0+0000)/", "/Date(9999999999999999+0000)/", "0001-01-01T00:00:00", "tomorrow", "2018-02-30"]
    ),
)
# as written on the wire: ints, short and long fractions, exponents, 17 digits, numbers in strings
numbers = st.one_of(
    st.integers(-(10**6), 10**6),
    st.decimals(-(10**9), 10**9, places=2, allow_nan=False).map(float),
    st.sampled_from([0, 0.0, -0.0, 1e-10, 1e21, 1150, 1150.0, 0.6612345678, "12.00", "-3"]),
    st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**16), max_value=10**16),
    st.just(Decimal("12345678901234567.89")),
)
flags = st.booleans() | st.sampled_from(["true", "False"])


def words(*known: str) -> st.SearchStrategy[Any]:
    """One of Xero's words, or one it may add.

    Args:
        known: those of its documentation.
    """
    return st.sampled_from([*known, known[0].lower(), "SOMETHING-NEW"])


def record(fields: dict[str, st.SearchStrategy[Any]], always: dict[str, st.SearchStrategy[Any]]) -> Any:
    """An object: any field may be missing, null or empty; there may be fields nobody knows.

    Args:
        fields: what it may have.
        always: what it must have.
    """
    nothing = st.sampled_from([None, ""])
    loose = {name: strategy | nothing for name, strategy in fields.items()}
    known = st.fixed_dictionaries(always, optional=loose)
    unknown = st.dictionaries(st.sampled_from(["Future", "HasErrors", "ValidationErrors"]), texts | numbers, max_size=2)
    return st.builds(lambda a, b: {**b, **a}, known, unknown)


def several(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A short list.

    Args:
        strategy: of its elements.
    """
    return st.lists(strategy, max_size=3)


contact_refs = record({"ContactID": guids, "Name": texts, "EmailAddress": texts, "Addresses": st.just([])}, {})
trackings = record({"Name": texts, "Option": texts, "TrackingCategoryID": guids, "TrackingOptionID": guids}, {})
line_items = record(
    {
        "LineItemID": guids,
        "Description": texts,
        "Quantity": numbers,
        "UnitAmount": numbers,
        "DiscountRate": numbers,
        "DiscountAmount": numbers,
        "TaxAmount": numbers,
        "LineAmount": numbers,
        "AccountID": guids,
        "AccountCode": texts,
        "ItemCode": texts,
        "Item": record({"ItemID": guids, "Code": texts, "Name": texts}, {}),
        "TaxType": texts,
        "Tracking": several(trackings),
    },
    {},
)
payments = record(
    {"PaymentID": guids, "Date": moments, "Amount": numbers, "Reference": texts, "CurrencyRate": numbers}, {}
)


def applied(kind: str) -> Any:
    """A credit applied to an invoice.

    Args:
        kind: ``CreditNote``, ``Prepayment`` or ``Overpayment``.
    """
    return record(
        {f"{kind}ID": guids, f"{kind}Number": texts, "Date": moments, "AppliedAmount": numbers, "Total": numbers}, {}
    )


_document = {
    "Contact": contact_refs,
    "Date": moments,
    "DateString": moments,
    "DueDate": moments,
    "FullyPaidOnDate": moments,
    "Status": words("DRAFT", "SUBMITTED", "AUTHORISED", "PAID", "VOIDED", "DELETED"),
    "LineAmountTypes": words("Exclusive", "Inclusive", "NoTax"),
    "LineItems": several(line_items),
    "SubTotal": numbers,
    "TotalTax": numbers,
    "Total": numbers,
    "CISDeduction": numbers,
    "CISRate": numbers,
    "UpdatedDateUTC": moments,
    "UpdatedDateUTCString": moments,
    "CurrencyCode": st.sampled_from(["NZD", "EUR"]),
    "CurrencyRate": numbers,
    "Reference": texts,
    "SentToContact": flags,
    "HasAttachments": flags,
    "Payments": several(payments),
    "BrandingThemeID": guids,
}
invoices = record(
    {
        **_document,
        "InvoiceNumber": texts,
        "ExpectedPaymentDate": moments,
        "PlannedPaymentDate": moments,
        "TotalDiscount": numbers,
        "AmountPaid": numbers,
        "AmountCredited": numbers,
        "AmountDue": numbers,
        "CreditNotes": several(applied("CreditNote")),
        "Prepayments": several(applied("Prepayment")),
        "Overpayments": several(applied("Overpayment")),
        "Url": texts,
        "RepeatingInvoiceID": guids,
    },
    {"InvoiceID": guids, "Type": words("ACCREC", "ACCPAY")},
)
credit_notes = record(
    {
        **_document,
        "CreditNoteNumber": texts,
        "RemainingCredit": numbers,
        "Allocations": several(
            record(
                {
                    "AllocationID": guids,
                    "Invoice": record({"InvoiceID": guids, "InvoiceNumber": texts}, {}),
                    "Amount": numbers,
                    "Date": moments,
                    "IsDeleted": flags,
                },
                {},
            )
        ),
    },
    {"CreditNoteID": guids, "Type": words("ACCRECCREDIT", "ACCPAYCREDIT")},
)
_default_trackings = several(record({"TrackingCategoryName": texts, "TrackingOptionName": texts}, {}))
_terms = record({"Day": st.integers(0, 31), "Type": words("DAYSAFTERBILLDATE", "OFCURRENTMONTH")}, {})
contacts = record(
    {
        "ContactStatus": words("ACTIVE", "ARCHIVED", "GDPRREQUEST"),
        "Name": texts,
        "FirstName": texts,
        "LastName": texts,
        "EmailAddress": texts,
        "ContactNumber": texts,
        "AccountNumber": texts,
        "CompanyNumber": texts,
        "TaxNumber": texts,
        "TaxNumberType": words("EIN", "SSN"),
        "IsCustomer": flags,
        "IsSupplier": flags,
        "MergedToContactID": guids,
        "DefaultCurrency": st.sampled_from(["NZD", "EUR"]),
        "Website": texts,
        "Phones": several(
            record(
                {
                    "PhoneType": words("DEFAULT", "DDI", "MOBILE", "FAX", "OFFICE"),
                    "PhoneNumber": texts,
                    "PhoneAreaCode": texts,
                    "PhoneCountryCode": texts,
                },
                {},
            )
        ),
        "Addresses": several(
            record(
                {
                    "AddressType": words("POBOX", "STREET"),
                    "AttentionTo": texts,
                    **{f"AddressLine{line}": texts for line in range(1, 5)},
                    "City": texts,
                    "Region": texts,
                    "PostalCode": texts,
                    "Country": texts,
                },
                {},
            )
        ),
        "ContactPersons": several(
            record({"FirstName": texts, "LastName": texts, "EmailAddress": texts, "IncludeInEmails": flags}, {})
        ),
        "BankAccountDetails": texts,
        "BatchPayments": record(
            {"BankAccountNumber": texts, "BankAccountName": texts, "Details": texts, "Code": texts, "Reference": texts},
            {},
        ),
        "PaymentTerms": record({"Bills": _terms, "Sales": _terms}, {}),
        "Discount": numbers,
        "SalesDefaultAccountCode": texts,
        "PurchasesDefaultAccountCode": texts,
        "AccountsReceivableTaxType": texts,
        "AccountsPayableTaxType": texts,
        "SalesDefaultLineAmountType": words("INCLUSIVE", "EXCLUSIVE", "NONE"),
        "PurchasesDefaultLineAmountType": words("INCLUSIVE", "EXCLUSIVE", "NONE"),
        "SalesTrackingCategories": _default_trackings,
        "PurchasesTrackingCategories": _default_trackings,
        "BrandingTheme": record({"BrandingThemeID": guids, "Name": texts}, {}),
        "ContactGroups": several(record({"ContactGroupID": guids, "Name": texts}, {})),
        "HasAttachments": flags,
        "UpdatedDateUTC": moments,
    },
    {"ContactID": guids},
)
STRATEGIES = {"invoices": invoices, "contacts": contacts, "credit-notes": credit_notes}


def wire(raw: Any) -> bytes:
    """A drawn record as JSON text, decimals as numbers.

    Args:
        raw: the record.
    """
    return _text(raw).encode()


def _text(value: Any) -> str:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_text, value)) + "]"
    return json.dumps(value)
