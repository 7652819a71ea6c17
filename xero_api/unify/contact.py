"""Xero's Contact → unified contact. Pure.

The subset of fields that lists give without ``page`` is no basis for this; requests always send it.
"""

from typing import Any

from xero_api.unify.documents import TAX_INCLUSIONS
from xero_api.unify.fields import (
    Raw,
    amount,
    filled,
    flag,
    identifier,
    part,
    parts,
    record_id,
    text,
    updated_at,
    word,
)
from xero_api.unify.parties import addresses, payment_terms, phones

_STATUSES = {"gdprrequest": "gdpr_erasure"}


def unify(raw: Raw) -> dict[str, Any]:
    """The unified contact, as JSON-able data in a fixed order of keys.

    Single read, ``IDs=`` and page give equal results: only what all three carry is used.

    Args:
        raw: an element of ``Contacts`` as :func:`xero_api.decode.decode` gives it.

    Raises:
        InvalidRecordError: it can't be mapped.
    """
    return {
        "id": record_id(raw, "ContactID"),
        "updated_at": updated_at(raw),
        "status": word(raw, "ContactStatus", _STATUSES),
        "name": text(raw, "Name"),
        "first_name": text(raw, "FirstName"),
        "last_name": text(raw, "LastName"),
        "email": text(raw, "EmailAddress"),
        "external_id": text(raw, "ContactNumber"),
        "account_number": text(raw, "AccountNumber"),
        "registration_number": text(raw, "CompanyNumber"),
        "tax_number": text(raw, "TaxNumber"),
        "tax_number_type": _tax_number_type(raw),
        "is_customer": flag(raw, "IsCustomer"),
        "is_supplier": flag(raw, "IsSupplier"),
        "merged_into": identifier(raw, "MergedToContactID"),
        "currency": text(raw, "DefaultCurrency"),
        "website": text(raw, "Website"),
        "phones": phones(raw),
        "addresses": addresses(raw),
        "persons": parts(raw, "ContactPersons", _person),
        "bank_account": text(raw, "BankAccountDetails"),
        "batch_payments": part(raw, "BatchPayments", _batch_payments),
        "payment_terms": payment_terms(raw),
        "discount_rate": amount(raw, "Discount"),
        "default_sales_account": text(raw, "SalesDefaultAccountCode"),
        "default_purchases_account": text(raw, "PurchasesDefaultAccountCode"),
        "sales_tax_rate": text(raw, "AccountsReceivableTaxType"),
        "purchases_tax_rate": text(raw, "AccountsPayableTaxType"),
        "sales_tax_inclusion": word(raw, "SalesDefaultLineAmountType", TAX_INCLUSIONS),
        "purchases_tax_inclusion": word(raw, "PurchasesDefaultLineAmountType", TAX_INCLUSIONS),
        "sales_tracking": parts(raw, "SalesTrackingCategories", _tracking),
        "purchases_tracking": parts(raw, "PurchasesTrackingCategories", _tracking),
        "branding_theme": part(raw, "BrandingTheme", _branding_theme),
        "groups": sorted(parts(raw, "ContactGroups", _group), key=lambda g: (g["name"] or "", g["id"] or "")),
        "has_attachments": flag(raw, "HasAttachments"),
    }


def _tax_number_type(raw: Raw) -> str | None:
    """The kind of the tax number; reads may spell it ``TAXNUMBERTYPE/EIN`` where writes take ``EIN`` (XeroAPI/xero-ruby#351)."""
    found = word(raw, "TaxNumberType", {})
    return found.removeprefix("taxnumbertype/") or None if found else None


def _person(raw: Raw) -> dict[str, Any]:
    return {
        "first_name": text(raw, "FirstName"),
        "last_name": text(raw, "LastName"),
        "email": text(raw, "EmailAddress"),
        "include_in_emails": flag(raw, "IncludeInEmails"),
    }


def _batch_payments(raw: Raw) -> dict[str, Any] | None:
    return filled(
        {
            "account_number": text(raw, "BankAccountNumber"),
            "account_name": text(raw, "BankAccountName"),
            "details": text(raw, "Details"),
            "code": text(raw, "Code"),
            "reference": text(raw, "Reference"),
        }
    )


def _tracking(raw: Raw) -> dict[str, Any]:
    return {
        "category_name": text(raw, "TrackingCategoryName"),
        "option_name": text(raw, "TrackingOptionName"),
    }


def _branding_theme(raw: Raw) -> dict[str, Any] | None:
    return filled({"id": identifier(raw, "BrandingThemeID"), "name": text(raw, "Name")})


def _group(raw: Raw) -> dict[str, Any]:
    return {"id": identifier(raw, "ContactGroupID"), "name": text(raw, "Name")}
