"""Records as Xero prints them: a page that a PDF reader opens, with the words that tell which record it is. Pure.

What Xero's pages look like is nobody's contract; that there is one, and what it is about, is.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from simulator.accounting_api.wire import day_string
from simulator.books.amounts import ONE
from simulator.books.kinds import AnyRecord
from simulator.books.organisation import Organisation
from simulator.books.words import Endpoint

PDF = "application/pdf"

PRINTED: dict[Endpoint, str] = {
    Endpoint.INVOICES: "Invoice",
    Endpoint.CREDIT_NOTES: "Credit Note",
    Endpoint.PURCHASE_ORDERS: "Purchase Order",
    Endpoint.QUOTES: "Quote",
}
"""What Xero prints, and its title. Source: published OpenAPI, ``get…AsPdf``."""

_MOST_LINES = 48
_A4 = b"[0 0 595 842]"


def printed(record: AnyRecord, endpoint: Endpoint, books: Organisation) -> bytes:
    """A record as a file.

    Args:
        record: one of ``PRINTED``.
    """
    return _document([*_texts(record, PRINTED[endpoint], books)][:_MOST_LINES])


def _texts(record: Any, title: str, books: Organisation) -> Iterator[str]:
    contact = books.contacts.get(record.contact_id)
    yield books.company().name
    yield f"{title} {record.number}"
    yield f"To {contact.name if contact is not None else record.contact_id}"
    yield f"Date {day_string(record.date)[:10]}"
    for line in record.lines:
        yield f"{line.quantity / ONE:g} x {line.description}: {line.line_amount / 100:.2f}"
    yield f"Total {record.currency} {record.total / 100:.2f}"


def _document(texts: Iterable[str]) -> bytes:
    """A single page of text."""
    shown = b"".join(b"(%b) Tj T*\n" % _escaped(text) for text in texts)
    content = b"BT /F1 11 Tf 50 800 Td 15 TL\n%bET" % shown
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox %b /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>" % _A4,
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    )
    body, places = bytearray(b"%PDF-1.4\n"), []
    for number, one in enumerate(objects, start=1):
        places.append(len(body))
        body += b"%d 0 obj\n%b\nendobj\n" % (number, one)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    count = len(objects) + 1
    body += b"xref\n0 %d\n0000000000 65535 f \n%btrailer\n<< /Size %d /Root 1 0 R >>\n" % (count, table, count)
    return bytes(body) + b"startxref\n%d\n%%%%EOF\n" % body.rindex(b"xref\n0 ")


def _escaped(text: str) -> bytes:
    for sign in "\\()":
        text = text.replace(sign, f"\\{sign}")
    return text.encode("cp1252", "replace")
