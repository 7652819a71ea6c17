"""New records as a user would enter them. Pure but for the random source, which is an argument."""

import random
from dataclasses import dataclass, replace

from simulator.books.amounts import DAY_MS, ONE, RATE_ONE, Day
from simulator.books.contact import Address, Contact, Person, Phone, Terms
from simulator.books.credit_note import CreditNote, CreditNoteType
from simulator.books.document import Attachment, LineItem, Tracking, add_up, line_amounts
from simulator.books.invoice import Invoice, InvoiceType
from simulator.books.organisation import Organisation
from simulator.books.profile import Profile
from simulator.books.words import ContactStatus, DocumentStatus, LineAmountTypes
from simulator.chance import draw_uuid
from simulator.sample.words import BOUGHT_FOR, COSTS, FIRST_NAMES, GOODS, INCOME, LAST_NAMES, PLACES, STREETS, TRADES

_USUAL_TERMS = Terms(day=20)
_LINE_AMOUNT_TYPES = (LineAmountTypes.EXCLUSIVE,) * 8 + (LineAmountTypes.INCLUSIVE,) * 2 + (LineAmountTypes.NO_TAX,)


@dataclass(frozen=True, slots=True)
class Cost:
    """What a bill is for: the account, and how many times as much of everything as usual."""

    account: str
    times: int


def draw_contact(source: random.Random, profile: Profile, *, place: int, now_ms: int) -> Contact:
    """A contact.

    Args:
        source: where choices come from.
        profile: the organisation it belongs to.
        place: how many contacts there were before; keeps names unique.
        now_ms: its ``UpdatedDateUTC``.
    """
    name = contact_name(place)
    first, last = source.choice(FIRST_NAMES), source.choice(LAST_NAMES)
    host = "".join(letter for letter in name.lower() if letter.isalnum())
    contact = Contact(
        id=draw_uuid(source),
        name=name,
        status=ContactStatus.ACTIVE,
        updated_ms=now_ms,
        number=f"C{place + 1:05d}" if source.random() < 0.3 else None,
        account_number=str(source.randrange(10_000, 99_999)) if source.random() < 0.5 else None,
        first_name=first,
        last_name=last,
        email=f"{first.lower()}@{host}.example",
        tax_number=f"{source.randrange(10**8, 10**9)}" if source.random() < 0.4 else "",
        bank_account=f"01-0{source.randrange(100, 999)}-{source.randrange(10**6, 10**7)}-00"
        if source.random() < 0.3
        else "",
        website=f"https://{host}.example" if source.random() < 0.2 else None,
        currency=profile.currency if source.random() < 0.5 else None,
        addresses=(draw_address(source, "STREET", profile), draw_address(source, "POBOX", profile)),
        phones=(draw_phone(source),),
        persons=tuple(
            Person(
                first_name=(person := source.choice(FIRST_NAMES)),
                last_name=source.choice(LAST_NAMES),
                email=f"{person.lower()}.accounts@{host}.example",
                include_in_emails=source.random() < 0.5,
            )
            for _ in range(source.choice((0, 0, 0, 1, 2)))
        ),
    )
    days = source.choice((None, 7, 14, 20, 30))
    terms = None if days is None else Terms(day=days)
    return replace(contact, sales_terms=terms, bills_terms=terms)


def contact_name(place: int) -> str:
    """A name no other place has: "Ridgeway University", later "Ridgeway University 2"."""
    round_, rest = divmod(place, len(PLACES) * len(TRADES))
    name = f"{PLACES[rest % len(PLACES)]} {TRADES[(rest // len(PLACES) + rest) % len(TRADES)]}"
    return name if not round_ else f"{name} {round_ + 1}"


def draw_address(source: random.Random, kind: str, profile: Profile) -> Address:
    """A postal or street address."""
    return Address(
        type=kind,
        line1=f"{source.randrange(1, 300)} {source.choice(STREETS)}",
        city=source.choice(PLACES),
        postal_code=str(source.randrange(1000, 9999)),
        country=profile.country,
    )


def draw_phone(source: random.Random) -> Phone:
    """A default telephone number."""
    return Phone(type="DEFAULT", number=f"{source.randrange(200, 999)} {source.randrange(1000, 9999)}", area_code="09")


def draw_line(
    source: random.Random, profile: Profile, types: LineAmountTypes, *, sales: bool, cost: Cost | None = None
) -> LineItem:
    """A priced line: what is sold goes to income, what is bought for less to costs.

    Args:
        source: where choices come from.
        profile: whose it is.
        types: whether the amount includes tax.
        sales: whether it is sold.
        cost: what is bought for, and how much; None draws that.
    """
    code, description, price = source.choice(GOODS)
    tax_type = profile.sales_tax if sales else profile.purchase_tax
    account = source.choice(INCOME if sales else COSTS)
    if not sales:
        price = price * BOUGHT_FOR // 100
    if cost is not None:
        account = cost.account
    tracking: list[Tracking] = []
    for category_id, name, options in profile.tracking:
        if source.random() < 0.3:
            option_id, option = source.choice(options)
            tracking.append(Tracking(category_id=category_id, option_id=option_id, name=name, option=option))
    quantity = source.choice((ONE, ONE, 2 * ONE, 3 * ONE, 10 * ONE, 12_500, 75_000)) * (cost.times if cost else 1)
    discount = source.choice((500, 1000, 1250)) if sales and source.random() < 0.1 else 0
    tax_rate = profile.tax[tax_type]
    amount, tax = line_amounts(quantity, price, discount, tax_rate, types)
    return LineItem(
        line_item_id=draw_uuid(source),
        description=description,
        quantity=quantity,
        unit_amount=price,
        account_code=account,
        account_id=profile.accounts[account],
        tax_type=tax_type,
        tax_rate=tax_rate,
        line_amount=amount,
        tax_amount=tax,
        discount_rate=discount,
        item_code=code if source.random() < 0.7 else None,
        tracking=tuple(tracking) if tracking else (),
    )


def draw_lines(
    source: random.Random,
    profile: Profile,
    types: LineAmountTypes,
    *,
    sales: bool,
    most: int = 5,
    cost: Cost | None = None,
) -> tuple[LineItem, ...]:
    """One to ``most`` lines; other arguments as for :func:`draw_line`."""
    count = source.randint(1, most)
    return tuple(draw_line(source, profile, types, sales=sales, cost=cost) for _ in range(count))


def draw_attachments(source: random.Random) -> tuple[Attachment, ...]:
    """Mostly none, now and then a scan."""
    if source.random() >= 0.08:
        return ()
    name = f"scan-{source.randrange(1000, 9999)}.pdf"
    return (Attachment(attachment_id=draw_uuid(source), file_name=name, size=source.randrange(20_000, 4_000_000)),)


def draw_currency(source: random.Random, profile: Profile) -> tuple[str, int]:
    """Mostly the organisation's own currency; the other one with a rate of ten decimals."""
    if source.random() < 0.93:
        return profile.currency, RATE_ONE
    return profile.foreign_currency, source.randrange(RATE_ONE // 2, 2 * RATE_ONE)


def rate_on_the_day(rate: int, payment_id: str) -> int:
    """The rate of a payment: up to two percent off the document's. It follows from the id, so nothing more is drawn."""
    return rate if rate == RATE_ONE else rate * (9_800 + int(payment_id[:8], 16) % 401) // 10_000


def draw_invoice(
    source: random.Random,
    organisation: Organisation,
    contact: Contact,
    kind: InvoiceType,
    *,
    now_ms: int,
    number: int,
    cost: Cost | None = None,
) -> Invoice:
    """A draft invoice or bill.

    Args:
        source: where choices come from.
        organisation: whose it is.
        contact: the customer or supplier.
        kind: sales or purchase.
        now_ms: its ``UpdatedDateUTC``; its date is that day.
        number: running number among documents of its type.
        cost: what a bill is for; None draws that.
    """
    profile, sales = organisation.profile, kind is InvoiceType.ACCREC
    types = source.choice(_LINE_AMOUNT_TYPES)
    currency, rate = draw_currency(source, profile)
    today: Day = now_ms // DAY_MS
    lines = draw_lines(source, profile, types, sales=sales, cost=None if sales else cost)
    totals = add_up(lines, types)
    return Invoice(
        id=draw_uuid(source),
        type=kind,
        number=f"INV-{number:04d}" if sales else f"{source.choice(('RPT', 'SM', 'AP'))}-{number:05d}",
        reference=f"PO {source.randrange(1000, 9999)}" if sales and source.random() < 0.5 else "",
        contact_id=contact.id,
        date=today,
        due_date=(contact.sales_terms or _USUAL_TERMS).due(today),
        status=DocumentStatus.DRAFT,
        line_amount_types=types,
        lines=lines,
        currency=currency,
        currency_rate=rate,
        updated_ms=now_ms,
        sub_total=totals.sub_total,
        total_tax=totals.total_tax,
        total=totals.total,
        total_discount=totals.total_discount,
        attachments=draw_attachments(source),
    )


def draw_credit_note(
    source: random.Random,
    organisation: Organisation,
    contact: Contact,
    kind: CreditNoteType,
    *,
    now_ms: int,
    number: int,
) -> CreditNote:
    """A draft credit note; arguments as for :func:`draw_invoice`."""
    profile, sales = organisation.profile, kind is CreditNoteType.ACCRECCREDIT
    types = source.choice(_LINE_AMOUNT_TYPES)
    lines = draw_lines(source, profile, types, sales=sales, most=2)
    totals = add_up(lines, types)
    return CreditNote(
        id=draw_uuid(source),
        type=kind,
        number=f"CN-{number:04d}" if sales else f"SCN-{number:05d}",
        reference=f"Return {source.randrange(100, 999)}" if source.random() < 0.5 else "",
        contact_id=contact.id,
        date=now_ms // DAY_MS,
        status=DocumentStatus.DRAFT,
        line_amount_types=types,
        lines=lines,
        currency=profile.currency,
        updated_ms=now_ms,
        sub_total=totals.sub_total,
        total_tax=totals.total_tax,
        total=totals.total,
        attachments=draw_attachments(source),
    )


def approved(document: Invoice) -> Invoice:
    """The invoice as approved and sent."""
    return replace(document, status=DocumentStatus.AUTHORISED, sent_to_contact=document.type is InvoiceType.ACCREC)
