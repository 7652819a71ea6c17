"""Xero's Organisation → unified organisation. Pure."""

from typing import Any

from xero_api.unify.fields import Raw, day, filled, flag, moment, parts, record_id, text, whole, word
from xero_api.unify.parties import addresses, payment_terms, phones


def unify(raw: Raw) -> dict[str, Any]:
    """The unified organisation, as JSON-able data in a fixed order of keys.

    Args:
        raw: the element of ``Organisations`` as :func:`xero_api.decode.decode` gives it.

    Raises:
        InvalidRecordError: it can't be mapped.
    """
    return {
        "id": record_id(raw, "OrganisationID"),
        "updated_at": None,
        "status": word(raw, "OrganisationStatus", {}),
        "name": text(raw, "Name"),
        "legal_name": text(raw, "LegalName"),
        "short_code": text(raw, "ShortCode"),
        "type": word(raw, "OrganisationType", {}),
        "entity_type": word(raw, "OrganisationEntityType", {}),
        "line_of_business": text(raw, "LineOfBusiness"),
        "country": text(raw, "CountryCode"),
        "regional_edition": word(raw, "Version", {}),
        "edition": word(raw, "Edition", {}),
        "plan": word(raw, "Class", {}),
        "is_demo": flag(raw, "IsDemoCompany"),
        "base_currency": text(raw, "BaseCurrency"),
        "timezone": text(raw, "Timezone"),
        "created_at": moment(raw, "CreatedDateUTC"),
        "financial_year_end_day": whole(raw, "FinancialYearEndDay"),
        "financial_year_end_month": whole(raw, "FinancialYearEndMonth"),
        "lock_dates": filled({"period": day(raw, "PeriodLockDate"), "year_end": day(raw, "EndOfYearLockDate")}),
        "pays_tax": flag(raw, "PaysTax"),
        "tax_number": text(raw, "TaxNumber"),
        "registration_number": text(raw, "RegistrationNumber"),
        "employer_number": text(raw, "EmployerIdentificationNumber"),
        "sales_tax_basis": word(raw, "SalesTaxBasis", {}),
        "sales_tax_period": word(raw, "SalesTaxPeriod", {}),
        "default_sales_tax": text(raw, "DefaultSalesTax"),
        "default_purchases_tax": text(raw, "DefaultPurchasesTax"),
        "payment_terms": payment_terms(raw),
        "phones": phones(raw),
        "addresses": addresses(raw),
        "links": sorted(parts(raw, "ExternalLinks", _link), key=lambda link: (link["type"] or "", link["url"] or "")),
    }


def _link(raw: Raw) -> dict[str, Any]:
    return {"type": word(raw, "LinkType", {}), "url": text(raw, "Url"), "description": text(raw, "Description")}
