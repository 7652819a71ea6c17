"""Small books to test with."""

import random
from typing import Any

import orjson

from simulator.accounting_api.encoding import Encoder
from simulator.accounting_api.view import Form
from simulator.books.contact import Contact
from simulator.books.credit_note import CreditNote, CreditNoteType
from simulator.books.document import Allocation, LineItem, Payment, add_up, line_amounts
from simulator.books.invoice import Invoice, InvoiceType
from simulator.books.kinds import AnyRecord
from simulator.books.organisation import Organisation
from simulator.books.profile import Profile
from simulator.books.words import ContactStatus, DocumentStatus, LineAmountTypes
from simulator.sample.organisations import draw_organisation, draw_profile
from simulator.webhooks.events import Event

NOW = 1_795_000_000_000
DAY = NOW // 86_400_000
TENANT = "10000000-0000-4000-8000-000000000000"
CUSTOMER = "c0000000-0000-4000-8000-000000000001"
OTHER = "c0000000-0000-4000-8000-000000000002"


def guid(number: int) -> str:
    """A GUID that ends with the number."""
    return f"20000000-0000-4000-8000-{number:012d}"


def profile() -> Profile:
    """An organisation's fixed facts."""
    return Profile(
        id=TENANT,
        name="Harbour & Vale Trading",
        country="NZ",
        currency="NZD",
        foreign_currency="AUD",
        sales_tax="OUTPUT2",
        purchase_tax="INPUT2",
        tax={"OUTPUT2": 150_000, "INPUT2": 150_000, "NONE": 0},
        created_ms=NOW - 10**9,
        accounts={code: guid(900 + place) for place, code in enumerate(("200", "260", "400", "429", "310"))},
    )


def line(
    number: int = 1,
    *,
    quantity: int = 10_000,
    unit_amount: int = 1_000_000,
    discount_rate: int = 0,
    types: LineAmountTypes = LineAmountTypes.EXCLUSIVE,
) -> LineItem:
    """A line of 100.00 with 15 % tax, unless told otherwise."""
    amount, tax = line_amounts(quantity, unit_amount, discount_rate, 150_000, types)
    return LineItem(
        line_item_id=guid(500 + number),
        description="Consulting",
        quantity=quantity,
        unit_amount=unit_amount,
        account_code="200",
        account_id=guid(900),
        tax_type="OUTPUT2",
        tax_rate=150_000,
        discount_rate=discount_rate,
        line_amount=amount,
        tax_amount=tax,
    )


def contact(record_id: str = CUSTOMER, /, **fields: Any) -> Contact:
    """An active customer."""
    given: dict[str, Any] = {"name": "Ridgeway University", "status": ContactStatus.ACTIVE, "updated_ms": NOW - 5000}
    return Contact(id=record_id, **(given | {"is_customer": True} | fields))


def invoice(number: int = 1, /, **fields: Any) -> Invoice:
    """An approved sales invoice of 115.00."""
    lines = fields.pop("lines", (line(number),))
    types = fields.get("line_amount_types", LineAmountTypes.EXCLUSIVE)
    totals = add_up(lines, types)
    given: dict[str, Any] = {
        "id": guid(number),
        "type": InvoiceType.ACCREC,
        "number": f"INV-{number:04d}",
        "reference": "",
        "contact_id": CUSTOMER,
        "date": DAY - 30,
        "due_date": DAY - 10,
        "status": DocumentStatus.AUTHORISED,
        "line_amount_types": types,
        "lines": lines,
        "currency": "NZD",
        "updated_ms": NOW - 1000 + number,
        "sub_total": totals.sub_total,
        "total_tax": totals.total_tax,
        "total": totals.total,
        "total_discount": totals.total_discount,
    }
    return Invoice(**(given | fields))


def credit_note(number: int = 100, /, **fields: Any) -> CreditNote:
    """An approved credit note of 115.00 for the same customer."""
    lines = (line(number),)
    totals = add_up(lines, LineAmountTypes.EXCLUSIVE)
    given: dict[str, Any] = {
        "id": guid(number),
        "type": CreditNoteType.ACCRECCREDIT,
        "number": f"CN-{number:04d}",
        "reference": "",
        "contact_id": CUSTOMER,
        "date": DAY,
        "status": DocumentStatus.AUTHORISED,
        "line_amount_types": LineAmountTypes.EXCLUSIVE,
        "lines": lines,
        "currency": "NZD",
        "updated_ms": NOW - 1000 + number,
        "sub_total": totals.sub_total,
        "total_tax": totals.total_tax,
        "total": totals.total,
    }
    return CreditNote(**(given | fields))


def payment(cents: int, number: int = 700) -> Payment:
    """A payment of today."""
    return Payment(payment_id=guid(number), date=DAY, amount=cents, reference="Transfer")


def allocation(cents: int, *, invoice_number: int = 1, note_number: int = 100) -> Allocation:
    """Credit of one document applied to another, today."""
    return Allocation(
        allocation_id=guid(800),
        invoice_id=guid(invoice_number),
        credit_note_id=guid(note_number),
        amount=cents,
        date=DAY,
    )


def organisation(*records: AnyRecord, contacts: tuple[Contact, ...] | None = None) -> Organisation:
    """Books with those documents; one customer and one supplier unless contacts are given."""
    people = contacts or (contact(), contact(OTHER, name="Bayside Club", is_customer=False, is_supplier=True))
    return Organisation(
        profile(),
        contacts=people,
        invoices=[record for record in records if isinstance(record, Invoice)],
        credit_notes=[record for record in records if isinstance(record, CreditNote)],
    )


def sample(seed: int = 1, *, contacts: int = 12, invoices: int = 60, credit_notes: int = 12) -> Organisation:
    """A believable organisation."""
    source = random.Random(seed)
    return draw_organisation(
        source, draw_profile(source, 0), contacts=contacts, invoices=invoices, credit_notes=credit_notes
    )


def shown(books: Organisation, record: AnyRecord, form: Form = Form.SINGLE, *, four: bool = True) -> dict[str, Any]:
    """A record as a client sees it."""
    body = Encoder(books).encode(record, form, four_decimals=four, now_ms=NOW)
    document: dict[str, Any] = orjson.loads(body)
    return document


def event(sequence: int, *, tenant: str = TENANT, endpoint: str = "Invoices", parcel: int | None = None) -> Event:
    """A webhook event."""
    return Event(
        sequence=sequence,
        at_ms=NOW + sequence,
        tenant_id=tenant,
        endpoint=endpoint,
        body=orjson.dumps({"n": sequence}),
        parcel=parcel,
    )
