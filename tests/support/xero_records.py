"""Xero's JSON, drawn: records as Xero sends them, odd but legal, and fixed ones with every field filled."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from xero_api.entity import Entity, Full
from xero_stream.contracts.names import TenantId

TENANT = TenantId("7fd02b4c-8c84-46d4-ae4e-2a8d8b9f8d58")
"""Whose records they are."""

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
currencies = st.sampled_from(["NZD", "EUR"])


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
    "CurrencyCode": currencies,
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
        "RoundingAmount": numbers,
        "EnteredTotal": numbers,
        "CreditNotes": several(applied("CreditNote")),
        "Prepayments": several(applied("Prepayment")),
        "Overpayments": several(applied("Overpayment")),
        "Url": texts,
        "RepeatingInvoiceID": guids,
    },
    {"InvoiceID": guids, "Type": words("ACCREC", "ACCPAY")},
)
_applied_to_invoices = several(
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
)
credit_notes = record(
    {
        **_document,
        "CreditNoteNumber": texts,
        "RemainingCredit": numbers,
        "Allocations": _applied_to_invoices,
    },
    {"CreditNoteID": guids, "Type": words("ACCRECCREDIT", "ACCPAYCREDIT")},
)
_default_trackings = several(record({"TrackingCategoryName": texts, "TrackingOptionName": texts}, {}))
_terms = record({"Day": st.integers(0, 31), "Type": words("DAYSAFTERBILLDATE", "OFCURRENTMONTH")}, {})
_phones = several(
    record(
        {
            "PhoneType": words("DEFAULT", "DDI", "MOBILE", "FAX", "OFFICE"),
            "PhoneNumber": texts,
            "PhoneAreaCode": texts,
            "PhoneCountryCode": texts,
        },
        {},
    )
)
_addresses = several(
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
)
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
        "DefaultCurrency": currencies,
        "Website": texts,
        "Phones": _phones,
        "Addresses": _addresses,
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
_accounts = record({"AccountID": guids, "Code": texts, "Name": texts, "CurrencyCode": currencies}, {})
_paid_documents = {
    "Invoice": record(
        {
            "Type": words("ACCREC", "ACCPAY", "ACCRECCREDIT"),
            "InvoiceID": guids,
            "InvoiceNumber": texts,
            "Contact": contact_refs,
            "CurrencyCode": currencies,
            "LineItems": several(line_items),
        },
        {},
    ),
    "CreditNote": record({"CreditNoteID": guids, "CreditNoteNumber": texts, "CurrencyCode": currencies}, {}),
    "Prepayment": record({"PrepaymentID": guids, "Contact": contact_refs, "CurrencyCode": currencies}, {}),
    "Overpayment": record({"OverpaymentID": guids, "Contact": contact_refs, "CurrencyCode": currencies}, {}),
}
_batches = record({"Account": _accounts, "BatchPaymentID": guids, "TotalAmount": numbers, "IsReconciled": flags}, {})
whole_payments = record(
    {
        **_paid_documents,
        "BatchPayment": _batches,
        "BatchPaymentID": guids,
        "Account": _accounts,
        "Date": moments,
        "DateString": moments,
        "CurrencyRate": numbers,
        "Amount": numbers,
        "BankAmount": numbers,
        "Reference": texts,
        "IsReconciled": flags,
        "Status": words("AUTHORISED", "DELETED"),
        "PaymentType": words(
            *(f"{side}{kind}PAYMENT" for side in ("AR", "AP") for kind in ("CREDIT", "PREPAYMENT", "OVERPAYMENT")),
            "ACCRECPAYMENT",
            "ACCPAYPAYMENT",
        ),
        "UpdatedDateUTC": moments,
        "UpdatedDateUTCString": moments,
        "BankAccountNumber": texts,
        "Particulars": texts,
        "Details": texts,
        "HasAccount": flags,
    },
    {"PaymentID": guids},
)
_cash_document = {
    key: _document[key]
    for key in (
        *(
            "Contact",
            "Date",
            "DateString",
            "LineAmountTypes",
            "LineItems",
            "SubTotal",
            "TotalTax",
            "Total",
            "Reference",
        ),
        *("UpdatedDateUTC", "UpdatedDateUTCString", "CurrencyCode", "CurrencyRate", "HasAttachments"),
    )
}
bank_transactions = record(
    {
        **_cash_document,
        "BankAccount": _accounts,
        "BatchPayment": _batches,
        "IsReconciled": flags,
        "Status": words("AUTHORISED", "DELETED", "VOIDED"),
        "PrepaymentID": guids,
        "OverpaymentID": guids,
        "Url": texts,
    },
    {
        "BankTransactionID": guids,
        "Type": words(
            *("RECEIVE", "RECEIVE-OVERPAYMENT", "RECEIVE-PREPAYMENT", "RECEIVE-TRANSFER"),
            *("SPEND", "SPEND-OVERPAYMENT", "SPEND-PREPAYMENT", "SPEND-TRANSFER"),
        ),
    },
)
bank_transfers = record(
    {
        **{f"{end}BankAccount": _accounts for end in ("From", "To")},
        **{f"{end}BankTransactionID": guids for end in ("From", "To")},
        **{f"{end}IsReconciled": flags for end in ("From", "To")},
        **{f"{end}Tracking": several(trackings) for end in ("From", "To")},
        "Amount": numbers,
        "Date": moments,
        "DateString": moments,
        "CurrencyRate": numbers,
        "Reference": texts,
        "HasAttachments": flags,
        "CreatedDateUTC": moments,
        "CreatedDateUTCString": moments,
        "Status": words("AUTHORISED", "DELETED"),
    },
    {"BankTransferID": guids},
)
_bank_words = dict.fromkeys(("Reference", "Particulars", "Code", "Details"), texts)
batch_payments = record(
    {
        **_bank_words,
        "Narrative": texts,
        "Account": _accounts,
        "Date": moments,
        "DateString": moments,
        "Amount": numbers,
        "TotalAmount": numbers,
        "Payments": several(
            record(
                {
                    **_bank_words,
                    "PaymentID": guids,
                    "Invoice": _paid_documents["Invoice"],
                    "BankAccountNumber": texts,
                    "Amount": numbers,
                    "BankAmount": numbers,
                },
                {},
            )
        ),
        "Type": words("PAYBATCH", "RECBATCH"),
        "Status": words("AUTHORISED", "DELETED"),
        "UpdatedDateUTC": moments,
        "IsReconciled": flags,
    },
    {"BatchPaymentID": guids},
)
_paid_ahead = {
    **_cash_document,
    "Status": words("AUTHORISED", "PAID", "VOIDED"),
    "RemainingCredit": numbers,
    "AppliedAmount": numbers,
    "Allocations": _applied_to_invoices,
    "Payments": several(payments),
}
prepayments = record(
    {
        **_paid_ahead,
        "Type": words("RECEIVE-PREPAYMENT", "SPEND-PREPAYMENT", "ARPREPAYMENT", "APPREPAYMENT"),
        "InvoiceNumber": texts,
        "BrandingThemeID": guids,
    },
    {"PrepaymentID": guids},
)
overpayments = record(
    {**_paid_ahead, "Type": words("RECEIVE-OVERPAYMENT", "SPEND-OVERPAYMENT", "AROVERPAYMENT")},
    {"OverpaymentID": guids},
)
_statuses = words("ACTIVE", "ARCHIVED", "DELETED")
accounts = record(
    {
        "Code": texts,
        "Name": texts,
        "Status": _statuses,
        "Type": words("BANK", "CURRENT", "TERMLIAB", "PAYG"),
        "TaxType": texts,
        "Class": words("ASSET", "REVENUE"),
        "Description": texts,
        "SystemAccount": words("DEBTORS", "GST"),
        "EnablePaymentsToAccount": flags,
        "ShowInExpenseClaims": flags,
        "AddToWatchlist": flags,
        "CreatedDateUTC": moments,
        "BankAccountNumber": texts,
        "BankAccountType": words("BANK", "CREDITCARD", "PAYPAL", "NONE"),
        "CurrencyCode": st.sampled_from(["NZD", "EUR"]),
        "ReportingCode": texts,
        "ReportingCodeName": texts,
        "HasAttachments": flags,
        "UpdatedDateUTC": moments,
    },
    {"AccountID": guids},
)
_trades = record({"UnitPrice": numbers, "AccountCode": texts, "COGSAccountCode": texts, "TaxType": texts}, {})
items = record(
    {
        "Code": texts,
        "Name": texts,
        "Description": texts,
        "PurchaseDescription": texts,
        "IsSold": flags,
        "IsPurchased": flags,
        "IsTrackedAsInventory": flags,
        "InventoryAssetAccountCode": texts,
        "SalesDetails": _trades,
        "PurchaseDetails": _trades,
        "QuantityOnHand": numbers,
        "QuantityAvailable": numbers,
        "QuantityOnBackOrder": numbers,
        "TotalCostPool": numbers,
        "UpdatedDateUTC": moments,
    },
    {"ItemID": guids},
)
tax_rates = record(
    {
        "Name": texts,
        "Status": words("ACTIVE", "ARCHIVED", "PENDING", "DELETED"),
        "ReportTaxType": words("OUTPUT", "INPUT"),
        "EffectiveRate": numbers,
        "DisplayTaxRate": numbers,
        "TaxComponents": several(
            record({"Name": texts, "Rate": numbers, "IsCompound": flags, "IsNonRecoverable": flags}, {})
        ),
        **{f"CanApplyTo{kind}": flags for kind in ("Assets", "Equity", "Expenses", "Liabilities", "Revenue")},
    },
    {"TaxType": st.sampled_from(["OUTPUT2", "TAX001", "none"])},
)
tracking_categories = record(
    {
        "Name": texts,
        "Status": _statuses,
        "Options": several(record({"TrackingOptionID": guids, "Name": texts, "Status": _statuses}, {})),
    },
    {"TrackingCategoryID": guids},
)
organisations = record(
    {
        "Name": texts,
        "LegalName": texts,
        "ShortCode": texts,
        "OrganisationStatus": words("ACTIVE"),
        "OrganisationType": words("COMPANY", "SOLE_TRADER"),
        "Version": words("NZ", "GLOBAL"),
        "Edition": words("BUSINESS", "PARTNER"),
        "Class": words("DEMO", "PREMIUM"),
        "IsDemoCompany": flags,
        "BaseCurrency": st.sampled_from(["NZD", "EUR"]),
        "CreatedDateUTC": moments,
        "FinancialYearEndDay": st.integers(0, 31),
        "FinancialYearEndMonth": st.integers(1, 12),
        "PeriodLockDate": moments,
        "EndOfYearLockDate": moments,
        "PaysTax": flags,
        "TaxNumber": texts,
        "PaymentTerms": record({"Bills": _terms, "Sales": _terms}, {}),
        "Phones": _phones,
        "Addresses": _addresses,
        "ExternalLinks": several(
            record({"LinkType": words("Website", "LinkedIn"), "Url": texts, "Description": texts}, {})
        ),
    },
    {"OrganisationID": guids},
)
_order = {
    "Contact": contact_refs,
    "Date": moments,
    "DateString": moments,
    "LineAmountTypes": words("Exclusive", "Inclusive", "NoTax"),
    "LineItems": several(line_items),
    "SubTotal": numbers,
    "TotalTax": numbers,
    "Total": numbers,
    "CurrencyCode": st.sampled_from(["NZD", "EUR"]),
    "Reference": texts,
    "BrandingThemeID": guids,
}
purchase_orders = record(
    {
        **_order,
        "Status": words("DRAFT", "SUBMITTED", "AUTHORISED", "BILLED", "DELETED"),
        "PurchaseOrderNumber": texts,
        "DeliveryDate": moments,
        "ExpectedArrivalDate": moments,
        "CurrencyRate": numbers,
        "TotalDiscount": numbers,
        "DeliveryAddress": texts,
        "AttentionTo": texts,
        "Telephone": texts,
        "DeliveryInstructions": texts,
        "SentToContact": flags,
        "HasAttachments": flags,
        "UpdatedDateUTC": moments,
    },
    {"PurchaseOrderID": guids},
)
quotes = record(
    {
        **_order,
        "Status": words("DRAFT", "SENT", "DECLINED", "ACCEPTED", "INVOICED", "DELETED"),
        "LineAmountTypes": words("EXCLUSIVE", "INCLUSIVE", "NOTAX"),
        "QuoteNumber": texts,
        "ExpiryDate": moments,
        "ExpiryDateString": moments,
        "CurrencyRate": numbers,
        "TotalDiscount": numbers,
        "Title": texts,
        "Summary": texts,
        "Terms": texts,
        "UpdatedDateUTC": moments,
    },
    {"QuoteID": guids},
)
repeating_invoices = record(
    {
        **_order,
        "Status": words("DRAFT", "AUTHORISED", "DELETED"),
        "Schedule": record(
            {
                "Period": st.integers(1, 52),
                "Unit": words("WEEKLY", "MONTHLY"),
                "StartDate": moments,
                "NextScheduledDate": moments,
                "EndDate": moments,
                "DueDate": st.integers(0, 31),
                "DueDateType": words("DAYSAFTERBILLDATE", "OFCURRENTMONTH"),
            },
            {},
        ),
        "ApprovedForSending": flags,
        "SendCopy": flags,
        "MarkAsSent": flags,
        "IncludePDF": flags,
        "HasAttachments": flags,
    },
    {"RepeatingInvoiceID": guids, "Type": words("ACCREC", "ACCPAY")},
)
manual_journals = record(
    {
        "Status": words("DRAFT", "POSTED", "DELETED", "VOIDED", "ARCHIVED"),
        "Narration": texts,
        "Date": moments,
        "LineAmountTypes": words("Exclusive", "Inclusive", "NoTax"),
        "JournalLines": several(
            record(
                {
                    "Description": texts,
                    "AccountID": guids,
                    "AccountCode": texts,
                    "LineAmount": numbers,
                    "TaxAmount": numbers,
                    "TaxType": texts,
                    "Tracking": several(trackings),
                    "IsBlank": flags,
                },
                {},
            )
        ),
        "ShowOnCashBasisReports": flags,
        "HasAttachments": flags,
        "Url": texts,
        "UpdatedDateUTC": moments,
    },
    {"ManualJournalID": guids},
)
journals = record(
    {
        "JournalNumber": st.integers(0, 10**9),
        "JournalDate": moments,
        "CreatedDateUTC": moments,
        "Reference": texts,
        "SourceType": words("ACCREC", "MANJOURNAL", "PAYSLIP"),
        "SourceID": guids,
        "JournalLines": several(
            record(
                {
                    "JournalLineID": guids,
                    "AccountID": guids,
                    "AccountCode": texts,
                    "AccountName": texts,
                    "AccountType": words("CURRENT", "REVENUE"),
                    "Description": texts,
                    "NetAmount": numbers,
                    "TaxAmount": numbers,
                    "GrossAmount": numbers,
                    "TaxType": texts,
                    "TaxName": texts,
                    "TrackingCategories": several(trackings),
                },
                {},
            )
        ),
    },
    {"JournalID": guids},
)
_raw = {"UpdatedDateUTC": moments, "Amount": numbers, "Lines": several(record({"Text": texts, "Rate": numbers}, {}))}
STRATEGIES = {
    "invoices": invoices,
    "contacts": contacts,
    "credit-notes": credit_notes,
    "payments": whole_payments,
    "bank-transactions": bank_transactions,
    "bank-transfers": bank_transfers,
    "batch-payments": batch_payments,
    "prepayments": prepayments,
    "overpayments": overpayments,
    "accounts": accounts,
    "items": items,
    "tax-rates": tax_rates,
    "tracking-categories": tracking_categories,
    "organisations": organisations,
    "purchase-orders": purchase_orders,
    "quotes": quotes,
    "repeating-invoices": repeating_invoices,
    "manual-journals": manual_journals,
    "journals": journals,
    "branding-themes": record({**_raw, "Name": texts}, {"BrandingThemeID": guids}),
    "budgets": record({**_raw, "Description": texts}, {"BudgetID": guids}),
    "contact-groups": record({**_raw, "Name": texts, "Status": _statuses}, {"ContactGroupID": guids}),
    "currencies": record({"Description": texts}, {"Code": st.sampled_from(["NZD", "eur"])}),
    "linked-transactions": record({**_raw, "Status": words("APPROVED", "VOIDED")}, {"LinkedTransactionID": guids}),
    "payment-services": record({**_raw, "PaymentServiceName": texts}, {"PaymentServiceID": guids}),
    "users": record(
        {**_raw, "EmailAddress": texts, "OrganisationRole": words("STANDARD", "REMOVED")}, {"UserID": guids}
    ),
}


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
