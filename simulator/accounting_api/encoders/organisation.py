"""The organisation itself."""

from typing import Any

import orjson

from simulator.accounting_api.view import View
from simulator.accounting_api.wire import day_date
from simulator.books.company import Company
from simulator.books.currency import Currency
from simulator.books.organisation import Organisation

_ACTIONS = (
    *("CreateApprovedInvoice", "CreateDraftPurchaseOrder", "CreateApprovedBill", "AttachFilesIntoInvoice"),
    *("UseMulticurrency", "CreateDraftInvoice", "CreateRepeatingInvoice", "CreateRepeatingBill", "CreateSentQuote"),
    *("CreateInvoicePayment", "CreateApprovedPurchaseOrder", "CreateDraftQuote", "CreateDraftBill"),
)
"""Source: published OpenAPI, example of getOrganisationActions."""

_SEVERAL = 2

_ZONES = {"NZ": "NEWZEALANDSTANDARDTIME", "GB": "GMTSTANDARDTIME", "AU": "AUSEASTERNSTANDARDTIME"}


def organisation(record: Company, view: View) -> dict[str, Any]:
    """The organisation; lock dates only where there are some, and nothing that tells when it changed."""
    del view
    fields: dict[str, Any] = {
        "Name": record.name,
        "LegalName": record.name,
        "PaysTax": True,
        "Version": "UK" if record.country == "GB" else record.country,
        "OrganisationType": "COMPANY",
        "BaseCurrency": record.currency,
        "CountryCode": record.country,
        "IsDemoCompany": False,
        "OrganisationStatus": "ACTIVE",
        "FinancialYearEndDay": 31,
        "FinancialYearEndMonth": 3,
        "SalesTaxBasis": "ACCRUALS",
        "SalesTaxPeriod": "TWOMONTHS",
        "DefaultSalesTax": "Tax Exclusive",
        "DefaultPurchasesTax": "Tax Exclusive",
        "CreatedDateUTC": f"/Date({record.created_ms})/",
        "OrganisationEntityType": "COMPANY",
        "Timezone": _ZONES[record.country],
        "ShortCode": f"!{record.id[:5]}",
        "OrganisationID": record.id,
        "Edition": "BUSINESS",
        "Class": "PREMIUM",
        "Addresses": [],
        "Phones": [],
        "ExternalLinks": [],
        "PaymentTerms": {},
    }
    if record.period_lock is not None:
        fields["PeriodLockDate"] = day_date(record.period_lock)
    if record.end_of_year_lock is not None:
        fields["EndOfYearLockDate"] = day_date(record.end_of_year_lock)
    return fields


def actions(books: Organisation) -> list[bytes]:
    """What may be done in an organisation: all of it, several currencies if it has several."""
    allowed = dict.fromkeys(_ACTIONS, "ALLOWED")
    if len(books.of(Currency)) < _SEVERAL:
        allowed["UseMulticurrency"] = "NOT-ALLOWED"
    return [orjson.dumps({"Name": name, "Status": status}) for name, status in allowed.items()]
