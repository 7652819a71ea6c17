"""Fields of contacts as Xero spells them."""

from typing import Any

from simulator.accounting_api.wire import money, ms_date
from simulator.books.contact import Address, Contact
from simulator.books.organisation import Balance

_ADDRESS_TYPES = ("STREET", "POBOX")
_PHONE_TYPES = ("DDI", "DEFAULT", "FAX", "MOBILE")


def contact_core(contact: Contact) -> dict[str, Any]:
    """Members that every form of a contact has."""
    addresses = {address.type: address for address in contact.addresses}
    phones = {phone.type: phone for phone in contact.phones}
    core: dict[str, Any] = {
        "ContactID": contact.id,
        "ContactStatus": contact.status,
        "Name": contact.name,
        "FirstName": contact.first_name,
        "LastName": contact.last_name,
        "EmailAddress": contact.email,
        "BankAccountDetails": contact.bank_account,
        "Addresses": [
            {
                "AddressType": kind,
                **_lines(address),
                "City": address.city,
                "Region": address.region,
                "PostalCode": address.postal_code,
                "Country": address.country,
                **({"AttentionTo": address.attention_to} if address.attention_to else {}),
            }
            if (address := addresses.get(kind))
            else {"AddressType": kind, "City": "", "Region": "", "PostalCode": "", "Country": ""}
            for kind in (*_ADDRESS_TYPES, *(one for one in addresses if one not in _ADDRESS_TYPES))
        ],
        "Phones": [
            {
                "PhoneType": kind,
                "PhoneNumber": phone.number if (phone := phones.get(kind)) else "",
                "PhoneAreaCode": phone.area_code if phone else "",
                "PhoneCountryCode": phone.country_code if phone else "",
            }
            for kind in _PHONE_TYPES
        ],
        "UpdatedDateUTC": ms_date(contact.updated_ms),
        "ContactGroups": [],
        "HasValidationErrors": False,
    }
    optional = {
        "ContactNumber": contact.number,
        "AccountNumber": contact.account_number,
        "TaxNumber": contact.tax_number,
        "CompanyNumber": contact.company_number,
        "DefaultCurrency": contact.currency,
    }
    return core | {name: value for name, value in optional.items() if value}


def _lines(address: Address) -> dict[str, str]:
    """The first line, and those of the others that are not empty."""
    lines = {f"AddressLine{at}": getattr(address, f"line{at}") for at in (1, 2, 3, 4)}
    return {name: line for name, line in lines.items() if line or name == "AddressLine1"}


def contact_roles(contact: Contact) -> dict[str, Any]:
    """Members that ``summaryOnly`` drops."""
    return {"IsSupplier": contact.is_supplier, "IsCustomer": contact.is_customer}


def contact_persons(contact: Contact) -> dict[str, Any]:
    """The people at the contact."""
    return {
        "ContactPersons": [
            {
                "FirstName": person.first_name,
                "LastName": person.last_name,
                "EmailAddress": person.email,
                "IncludeInEmails": person.include_in_emails,
            }
            for person in contact.persons
        ]
    }


def contact_details(contact: Contact, balances: tuple[Balance, Balance]) -> dict[str, Any]:
    """Fields that only a single GET and paged lists have."""
    receivable, payable = balances
    details: dict[str, Any] = contact_persons(contact) | {
        "SalesTrackingCategories": [],
        "PurchasesTrackingCategories": [],
        "Balances": {
            "AccountsReceivable": {"Outstanding": money(receivable.outstanding), "Overdue": money(receivable.overdue)},
            "AccountsPayable": {"Outstanding": money(payable.outstanding), "Overdue": money(payable.overdue)},
        },
        "HasAttachments": bool(contact.attachments),
    }
    if contact.website:
        details["Website"] = contact.website
    terms = {"Bills": contact.bills_terms, "Sales": contact.sales_terms}
    if contact.bills_terms or contact.sales_terms:
        details["PaymentTerms"] = {
            side: {"Day": one.day, "Type": one.type} for side, one in terms.items() if one is not None
        }
    if contact.merged_to:
        details["MergedToContactID"] = contact.merged_to
    return details
