"""Payment terms: when documents are due."""

from datetime import date

import pytest

from simulator.books.contact import Contact, Terms, TermsType
from simulator.books.words import Endpoint
from tests.unit.simulator.builders import guid
from tests.unit.simulator.office import Office, one

EPOCH = date(1970, 1, 1).toordinal()


@pytest.mark.parametrize(
    ("kind", "day", "issued", "due"),
    [
        (TermsType.AFTER_DATE, 14, "2026-02-20", "2026-03-06"),
        (TermsType.AFTER_MONTH, 10, "2026-02-03", "2026-03-10"),
        (TermsType.AFTER_MONTH, 0, "2026-12-03", "2026-12-31"),
        (TermsType.OF_MONTH, 25, "2026-02-03", "2026-02-25"),
        (TermsType.OF_MONTH, 31, "2026-02-03", "2026-02-28"),
        (TermsType.OF_NEXT_MONTH, 20, "2026-12-03", "2027-01-20"),
        (TermsType.OF_NEXT_MONTH, 31, "2026-01-31", "2026-02-28"),
    ],
)
def test_due_dates(kind: TermsType, day: int, issued: str, due: str) -> None:
    """Days count from the date or the end of its month; a day of a month that is too short is its last."""
    found = Terms(day=day, type=kind).due(date.fromisoformat(issued).toordinal() - EPOCH)

    assert date.fromordinal(found + EPOCH).isoformat() == due


def test_each_side_has_its_own_terms() -> None:
    """Sales invoices are due by those for sales, bills by those for bills; what is not sent stays."""
    office = Office()
    terms = {"Sales": {"Day": 5, "Type": "DAYSAFTERBILLMONTH"}, "Bills": {"Day": 20, "Type": "OFFOLLOWINGMONTH"}}
    contact = one(office, {"Name": "Quayside Kites", "PaymentTerms": terms}, Endpoint.CONTACTS)
    element = {"ContactID": contact["ContactID"], "PaymentTerms": {"Sales": {"Day": 7}}}
    changed = one(office, element, Endpoint.CONTACTS, "POST")
    document = {
        "Contact": {"ContactID": contact["ContactID"]},
        "Date": "2026-02-03",
        "LineItems": [{"Description": "x"}],
    }

    assert contact["PaymentTerms"] == terms
    assert changed["PaymentTerms"] == terms | {"Sales": {"Day": 7, "Type": "DAYSAFTERBILLMONTH"}}
    assert one(office, document | {"Type": "ACCREC"})["DueDateString"] == "2026-03-07T00:00:00"
    assert one(office, document | {"Type": "ACCPAY"})["DueDateString"] == "2026-03-20T00:00:00"
    assert isinstance(office.books.contacts.get(contact["ContactID"]), Contact)
    assert contact["ContactID"] != guid(1)
