"""What a row can tell of a raw record."""

from datetime import UTC, datetime
from typing import Any

import pytest

from xero_api.entity import Entity, Gone
from xero_api.registry import CONTACTS, CREDIT_NOTES, INVOICES, by_name
from xero_stream.contracts.names import EntityName


@pytest.mark.parametrize(
    ("entity", "raw", "gone"),
    [
        (INVOICES, {"Status": "DELETED"}, Gone.DELETED),
        (INVOICES, {"Status": "deleted"}, Gone.DELETED),
        (INVOICES, {"Status": "VOIDED"}, None),
        (INVOICES, {"Status": 5}, None),
        (INVOICES, {}, None),
        (CREDIT_NOTES, {"Status": "DELETED"}, Gone.DELETED),
        (CREDIT_NOTES, {"Status": "VOIDED"}, None),
        (CONTACTS, {"ContactStatus": "ARCHIVED"}, None),
        (CONTACTS, {"ContactStatus": "GDPRREQUEST"}, Gone.ERASED),
        (CONTACTS, {"ContactStatus": "ARCHIVED", "MergedToContactID": "x"}, Gone.MERGED),
        (CONTACTS, {"ContactStatus": "ACTIVE", "MergedToContactID": ""}, None),
    ],
)
def test_gone(entity: Entity[Any], raw: dict[str, Any], gone: Gone | None) -> None:
    """Deleted, merged and erased records are gone; voided and archived ones stay."""
    assert entity.gone_as(raw) is gone


def test_version() -> None:
    """UpdatedDateUTC to the millisecond, its string in need, else none."""
    exact = datetime(2018, 11, 2, 16, 31, 30, 160_000, tzinfo=UTC)

    assert INVOICES.version({"UpdatedDateUTC": "/Date(1541176290160+0000)/"}) == exact
    assert INVOICES.version({"UpdatedDateUTC": 5, "UpdatedDateUTCString": "2018-11-02T16:31:30Z"}) == (
        exact.replace(microsecond=0)
    )
    assert INVOICES.version({"UpdatedDateUTC": "never"}) is None


def test_id() -> None:
    """In lower case; what is none is None."""
    assert INVOICES.id_of({"InvoiceID": "AB"}) == "ab"
    assert INVOICES.id_of({"InvoiceID": ""}) is None
    assert INVOICES.id_of({"InvoiceID": 5}) is None
    assert CONTACTS.id_of({"InvoiceID": "AB"}) is None


def test_every_name_has_its_row() -> None:
    """The names of the contracts and the rows are the same set."""
    for name in EntityName:
        assert by_name(name).name is name
