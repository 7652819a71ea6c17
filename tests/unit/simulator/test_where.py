"""Xero's filter expressions."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from simulator.accounting_api.facts import FACTS
from simulator.accounting_api.fields import FIELDS
from simulator.accounting_api.kinds import Kind, kind_of
from simulator.accounting_api.names import NAMES
from simulator.accounting_api.where import WhereError, parse
from simulator.books.invoice import Invoice, InvoiceType
from simulator.books.words import DocumentStatus, Endpoint
from tests.unit.simulator.builders import CUSTOMER, DAY, contact, credit_note, guid, invoice

PUBLISHED = Path(__file__).parents[4] / "shared" / "openapi"

INVOICES = FIELDS[Endpoint.INVOICES]


def passes(text: str, record: Invoice | None = None) -> bool:
    """Whether an invoice passes."""
    return parse(text, INVOICES, "invoiceid").test(record or invoice(reference="PO 7"))


@pytest.mark.parametrize(
    "text",
    [
        'Status=="AUTHORISED"',
        'status == "authorised"',
        'Status="AUTHORISED"',
        'Status!="PAID"',
        f'InvoiceID==Guid("{guid(1)}")',
        f'InvoiceID==guid("{guid(1).upper()}")',
        f'Contact.ContactID==Guid("{CUSTOMER}")',
        'Type=="ACCREC" AND Status=="AUTHORISED"',
        'Type=="ACCREC"&&AmountDue>0',
        'Status=="PAID" OR Reference=="PO 7"',
        'Status=="PAID"||(Status=="AUTHORISED" and Type=="ACCREC")',
        "AmountDue>=115",
        "AmountDue<=115.0",
        "AmountDue<115.01",
        "AmountPaid==0",
        "Date<DateTime(2026,12,31)",
        "Date >= DateTime(2020, 01, 01)",
        "UpdatedDateUTC>=DateTime(2026,01,01,00,00,00)",
    ],
)
def test_what_holds_passes(text: str) -> None:
    """Comparisons of texts, ids, numbers and dates, joined."""
    assert passes(text)


@pytest.mark.parametrize(
    "text",
    [
        'Status=="PAID"',
        'Status!="AUTHORISED"',
        f'InvoiceID==Guid("{guid(2)}")',
        'Type=="ACCREC" AND Status=="PAID"',
        'Status=="PAID" OR (Type=="ACCPAY" AND AmountDue>0)',
        "AmountDue>115",
        "Date>DateTime(2026,12,31)",
        "Reference==null",
    ],
)
def test_what_does_not_hold_fails(text: str) -> None:
    """The other way round."""
    assert not passes(text)


@pytest.mark.parametrize(
    "text",
    [
        "Nope==1",
        "Status==",
        'Status "PAID"',
        'Status=="PAID" AND',
        '(Status=="PAID"',
        'Status=="PAID")',
        'Status>"PAID"',
        "Date>DateTime(2026,13,1)",
        "Date>DateTime(2026)",
        "Status==PAID",
        "Status==Status",
        '"PAID"==Status',
        "Status==§",
    ],
)
def test_what_cannot_be_parsed_is_refused(text: str) -> None:
    """As a query parse error, never as an empty answer."""
    with pytest.raises(WhereError):
        passes(text)


def test_null_is_not_an_empty_text() -> None:
    """A reference of no letters isn't null."""
    assert not passes("Reference==null", invoice(reference=""))
    assert passes("Reference!=null", invoice(reference=""))


def test_ids_joined_by_or_can_be_looked_up() -> None:
    """The batch fetch of entities without IDs=."""
    ids = [guid(number) for number in range(1, 21)]
    text = " OR ".join(f'CreditNoteID==Guid("{one}")' for one in ids)

    where = parse(text, FIELDS[Endpoint.CREDIT_NOTES], "creditnoteid")

    assert where.ids == tuple(ids)
    assert where.test(credit_note(7))
    assert not where.test(credit_note(30))


@pytest.mark.parametrize(
    "text",
    [
        f'InvoiceID==Guid("{guid(1)}") OR Status=="PAID"',
        f'InvoiceID==Guid("{guid(1)}") AND Status=="PAID"',
        f'InvoiceID!=Guid("{guid(1)}")',
    ],
)
def test_anything_else_is_no_lookup(text: str) -> None:
    """Then every record is tested."""
    assert parse(text, INVOICES, "invoiceid").ids is None


def test_flags_of_contacts_compare_with_true() -> None:
    """Words without quotes."""
    fields = FIELDS[Endpoint.CONTACTS]

    assert parse("IsCustomer==true", fields, "contactid").test(contact())
    assert not parse("IsSupplier==true", fields, "contactid").test(contact())
    assert parse("EmailAddress!=null", fields, "contactid").test(contact(email="a@b.example"))


def test_every_field_can_be_read() -> None:
    """No field of the table fails on a real record."""
    records = {
        Endpoint.INVOICES: invoice(type=InvoiceType.ACCPAY, status=DocumentStatus.VOIDED),
        Endpoint.CREDIT_NOTES: credit_note(),
        Endpoint.CONTACTS: contact(),
    }

    for endpoint, record in records.items():
        for name, read in FIELDS[endpoint].items():
            assert isinstance(read(record), str | int | float | bool | None), name
    assert FIELDS[Endpoint.INVOICES]["date"](invoice()) == (DAY - 30) * 86_400_000


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('AmountDue=="31.77"', "'==' incompatible with operand types 'Decimal?' and 'String'"),
        ("Type==1", "'==' incompatible with operand types 'String' and 'Int32'"),
        ('Date=="2026-01-01"', "'==' incompatible with operand types 'DateTime?' and 'String'"),
        ('DueDate>"2026-01-01"', "'>' incompatible with operand types 'DateTime?' and 'String'"),
        (f'InvoiceID=="{guid(1)}"', "'==' incompatible with operand types 'Guid' and 'String'"),
        (f'Contact.ContactID!="{CUSTOMER}"', "'!=' incompatible with operand types 'Guid' and 'String'"),
        (f'Status==Guid("{guid(1)}")', "'==' incompatible with operand types 'String' and 'Guid'"),
        ("AmountDue==DateTime(2026,1,1)", "'==' incompatible with operand types 'Decimal?' and 'DateTime'"),
        ('Date==DateTime(2026,1,1) AND Total=="x"', "'==' incompatible with operand types 'Decimal?' and 'String'"),
        ("Status==true", "'==' incompatible with operand types 'String' and 'Boolean'"),
        ('Date.Contains("2026")', "No applicable method 'Contains' exists in type 'DateTime?'"),
        ("Reference", "Expression of type 'Boolean' expected"),
    ],
)
def test_types_are_not_compared_with_each_other(text: str, words: str) -> None:
    """In the words that were reported; nothing is answered with an empty list."""
    with pytest.raises(WhereError, match=re.escape(words)):
        passes(text)


@pytest.mark.parametrize("text", ["Date==null", "AmountDue!=null", "InvoiceID!=null", "Contact.ContactID!=null"])
def test_null_compares_with_every_type(text: str) -> None:
    """It is of all of them."""
    passes(text)


def test_a_flag_is_no_text() -> None:
    """Pyxero's filters of flags that it does not know."""
    with pytest.raises(WhereError, match="'Boolean\\?' and 'String'"):
        parse('IsCustomer=="True"', FIELDS[Endpoint.CONTACTS], "contactid")


@pytest.mark.skipif(not PUBLISHED.is_dir(), reason=f"there is no copy of Xero's OpenAPI at {PUBLISHED}")
def test_every_field_is_of_the_published_type() -> None:
    """As the schema of its record has it."""
    wrong = {
        (endpoint.value, name): (kind_of(name), published)
        for endpoint, names in NAMES.items()
        for name in sorted(names | set(FIELDS.get(endpoint, {})))
        if (published := published_kind(FACTS[endpoint].list_key, name)) not in (None, kind_of(name))
    }

    assert wrong == {}


def published_kind(list_key: str, name: str) -> Kind | None:
    """The type of a field of a list's records; None: the record has no such field."""
    schema: Any = {"$ref": f"#/components/schemas/{list_key}"}
    schema = resolved(members(schema)[list_key.lower()])["items"]
    for step in name.split("."):
        if step not in members(schema):
            return None
        schema = members(schema)[step]
    date = schema.get("x-is-msdate") or schema.get("x-is-msdate-time")
    schema = resolved(schema)
    if date or schema.get("format") in ("date", "date-time"):
        return Kind.DATE
    if schema.get("format") == "uuid":
        return Kind.ID
    kinds = {"string": Kind.TEXT, "number": Kind.NUMBER, "integer": Kind.NUMBER, "boolean": Kind.FLAG}
    return kinds.get(schema.get("type"), Kind.OBJECT)


def resolved(schema: Any) -> Any:
    """What a reference leads to."""
    while "$ref" in schema:
        schema = accounting()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def members(schema: Any) -> dict[str, Any]:
    """Name in lower case → schema."""
    schema = resolved(schema)
    found = {name.lower(): one for name, one in schema.get("properties", {}).items()}
    for part in schema.get("allOf", ()):
        found |= members(part)
    return found


@cache
def accounting() -> Any:
    """The published document."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load((PUBLISHED / "xero_accounting.yaml").read_text(encoding="utf-8"), Loader=loader)
