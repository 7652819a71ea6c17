"""Contacts as clients write them. Texts that are not known from field reports are marked (unconfirmed)."""

import re
from dataclasses import replace

from simulator.accounting_api.validation import Fields
from simulator.accounting_api.write_context import WriteContext
from simulator.books import contact as contacts
from simulator.books.contact import Address, Contact, Person, Phone, Terms, TermsType
from simulator.books.words import ContactStatus, RuleError

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_CARRIED = (
    "AccountsReceivableTaxType",
    "AccountsPayableTaxType",
    "SalesDefaultAccountCode",
    "PurchasesDefaultAccountCode",
    "SalesDefaultLineAmountType",
    "PurchasesDefaultLineAmountType",
    "TaxNumberType",
    "XeroNetworkKey",
    "TrackingCategoryName",
    "TrackingCategoryOption",
)
_TRACKED = ("SalesTrackingCategories", "PurchasesTrackingCategories")
_POINTERS = frozenset({"ContactID", "ContactNumber", "Name"})


def write_contact(context: WriteContext, fields: Fields, record_id: str | None) -> str | None:
    """Create or update a contact; PUT refuses one whose name or number is there, POST updates it.

    Args:
        record_id: the contact of the address, if it names one.

    Returns:
        Its id.
    """
    before = _found(context, fields, record_id)
    contact = _contact(context, fields, before, keep_persons=True)
    if contact is not None:
        context.write(contact, fields.problems)
        return contact.id
    return None


def contact_of(
    context: WriteContext, fields: Fields, before: str | None, *, makes: bool = True
) -> tuple[str, Contact | None]:
    """The contact a document is for: by id, number or name; a name nobody has makes a new contact.

    Fields beside those change the contact, and its persons that are not among them are dropped.

    Args:
        before: the contact it had.
        makes: whether a name nobody has makes one, and other fields change it; else the contact is only pointed at.

    Returns:
        Its id, and the contact as it has to be written before the document is.
    """
    inner = fields.inner("Contact")
    if inner is None or not inner.values:
        if before is None:
            fields.wrong("A Contact must be specified for this type of transaction")
        return before or "", None
    found = _pointed(context, inner)
    name = inner.text("Name", "")
    if found is None and not (makes and name):
        inner.wrong("The contact could not be found.")  # (unconfirmed)
        return before or "", None
    if found is not None and found.status is not ContactStatus.ACTIVE:
        inner.wrong("The contact is archived and cannot be used.")  # (unconfirmed)
        return before or "", None
    if found is not None and not (makes and set(inner.values) - _POINTERS):
        return found.id, None
    contact = _contact(context, inner, found, keep_persons=False)
    return contact.id if contact is not None else before or "", contact


def _pointed(context: WriteContext, fields: Fields) -> Contact | None:
    contact_id = fields.guid("ContactID")
    if contact_id is not None:
        return context.organisation.contacts.get(contact_id)
    return context.contact_numbered(fields.text("ContactNumber", "")) or context.contact_named(fields.text("Name", ""))


def _found(context: WriteContext, fields: Fields, record_id: str | None) -> Contact | None:
    if record_id is not None:
        return context.organisation.contacts.get(record_id)
    if not context.creates:
        found = _pointed(context, fields)
        if found is None and fields.guid("ContactID") is not None:
            fields.wrong("The contact could not be found.")  # (unconfirmed)
        return found
    if context.contact_numbered(fields.text("ContactNumber", "")) is not None:
        fields.wrong("Another contact has this contact number. Please enter a different contact number.")
    return None


def _contact(context: WriteContext, fields: Fields, before: Contact | None, *, keep_persons: bool) -> Contact | None:
    blank = (
        Contact(id=context.new_id(), name="", status=ContactStatus.ACTIVE, updated_ms=0) if before is None else before
    )
    name = fields.text("Name", blank.name)
    if not name:
        fields.wrong("The contact name must be specified.")  # (unconfirmed)
    namesake = context.contact_named(name)
    if namesake is not None and namesake.id != blank.id:
        fields.wrong(
            f"The contact name {name} is already assigned to another contact. "
            "The contact name must be unique across all active contacts."
        )
    email = fields.text("EmailAddress", blank.email)
    if email and not _EMAIL.fullmatch(email):
        fields.wrong("Email address must be valid.")
    contact = replace(
        blank,
        name=name,
        email=email,
        number=fields.text("ContactNumber", blank.number) or None,
        account_number=fields.text("AccountNumber", blank.account_number) or None,
        first_name=fields.text("FirstName", blank.first_name),
        last_name=fields.text("LastName", blank.last_name),
        tax_number=fields.text("TaxNumber", blank.tax_number),
        company_number=fields.text("CompanyNumber", blank.company_number),
        bank_account=fields.text("BankAccountDetails", blank.bank_account),
        currency=fields.text("DefaultCurrency", blank.currency) or None,
        addresses=_addresses(fields, blank),
        phones=_phones(fields, blank),
        persons=_persons(fields) if fields.has("ContactPersons") else blank.persons if keep_persons else (),
        sales_terms=_terms(fields, "Sales", blank.sales_terms),
        bills_terms=_terms(fields, "Bills", blank.bills_terms),
        overrides=fields.carried(
            blank.overrides, *_CARRIED, numbers=("Discount",), whole=("BatchPayments", "BrandingTheme", *_TRACKED)
        ),
    )
    return _in_status(fields, contact)


def _in_status(fields: Fields, contact: Contact) -> Contact | None:
    wanted = fields.text("ContactStatus", contact.status.value)
    moves = {
        ContactStatus.ACTIVE: contacts.unarchive,
        ContactStatus.ARCHIVED: contacts.archive,
        ContactStatus.GDPRREQUEST: contacts.erase,
    }
    if wanted not in moves:
        fields.wrong(f"ContactStatus {wanted} is not valid.")  # (unconfirmed)
    if fields.problems:
        return None
    if wanted == contact.status:
        return contact
    try:
        return moves[ContactStatus(wanted)](contact)
    except RuleError as error:
        fields.wrong(f"{error}")
        return None


def _addresses(fields: Fields, before: Contact) -> tuple[Address, ...]:
    kept = {one.type: one for one in before.addresses}
    for one in fields.each("Addresses"):
        kind = one.text("AddressType", "")
        kept[kind] = Address(
            type=kind,
            line1=one.text("AddressLine1", ""),
            line2=one.text("AddressLine2", ""),
            line3=one.text("AddressLine3", ""),
            line4=one.text("AddressLine4", ""),
            attention_to=one.text("AttentionTo", ""),
            city=one.text("City", ""),
            region=one.text("Region", ""),
            postal_code=one.text("PostalCode", ""),
            country=one.text("Country", ""),
        )
    return tuple(kept.values())


def _phones(fields: Fields, before: Contact) -> tuple[Phone, ...]:
    kept = {one.type: one for one in before.phones}
    for one in fields.each("Phones"):
        kind = one.text("PhoneType", "")
        kept[kind] = Phone(
            type=kind,
            number=one.text("PhoneNumber", ""),
            area_code=one.text("PhoneAreaCode", ""),
            country_code=one.text("PhoneCountryCode", ""),
        )
    return tuple(kept.values())


def _persons(fields: Fields) -> tuple[Person, ...]:
    return tuple(
        Person(
            first_name=one.text("FirstName", ""),
            last_name=one.text("LastName", ""),
            email=one.text("EmailAddress", ""),
            include_in_emails=one.flag("IncludeInEmails", before=False),
        )
        for one in fields.each("ContactPersons")
    )


def _terms(fields: Fields, side: str, before: Terms | None) -> Terms | None:
    terms = fields.inner("PaymentTerms")
    given = terms.inner(side) if terms is not None else None
    if given is None:
        return before
    usual = before or Terms(day=0)
    return Terms(day=given.units("Day", 0, usual.day), type=given.one_of("Type", TermsType, usual.type))
