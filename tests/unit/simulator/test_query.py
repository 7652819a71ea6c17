"""What a list request asks for."""

from typing import Any

import pytest

from simulator.accounting_api.query import MOST_IDS, Query, modified_since_ms, understand
from simulator.accounting_api.view import Form
from simulator.books.words import Endpoint
from simulator.reply import Reply
from tests.unit.simulator.builders import guid


def asked(endpoint: Endpoint = Endpoint.INVOICES, since: str | None = None, **parameters: str) -> Query:
    """A request that is understood."""
    query = understand(endpoint, parameters, "", since)
    assert isinstance(query, Query), query
    return query


def refused(endpoint: Endpoint = Endpoint.INVOICES, raw: str = "", **parameters: str) -> Reply:
    """A request that isn't."""
    reply = understand(endpoint, parameters, raw, None)
    assert isinstance(reply, Reply), reply
    return reply


def test_without_page_everything_comes_in_short() -> None:
    """The default is a summary of all."""
    query = asked()

    assert (query.page, query.form) == (None, Form.SUMMARY)


def test_a_page_is_a_hundred_records_in_full() -> None:
    """The page size defaults to 100."""
    query = asked(page="2")

    assert (query.page, query.page_size, query.form) == (2, 100, Form.PAGE)


@pytest.mark.parametrize(
    ("size", "clamped"), [("0", 1), ("-5", 1), ("1", 1), ("1000", 1000), ("1001", 1000), ("999999", 1000)]
)
def test_page_sizes_are_clamped_silently(size: str, clamped: int) -> None:
    """1 to 1000."""
    assert asked(page="1", pageSize=size).page_size == clamped


def test_pages_begin_at_one() -> None:
    """Zero and below are the first."""
    assert asked(page="0").page == 1
    assert asked(page="-3").page == 1


def test_summary_only_forces_paging_except_on_credit_notes() -> None:
    """They have no such parameter."""
    assert (asked(summaryOnly="true").page, asked(summaryOnly="true").form) == (1, Form.SUMMARY_ONLY)
    assert asked(Endpoint.CREDIT_NOTES, summaryOnly="true").form is Form.SUMMARY


def test_names_of_parameters_ignore_case_and_unknown_ones_are_ignored() -> None:
    """As Xero does."""
    query = asked(Endpoint.CONTACTS, PAGE="1", UnitDP="4", IncludeArchived="True", nonsense="1")

    assert (query.page, query.four_decimals, query.include_archived) == (1, True, True)


def test_ids_are_read_on_invoices_and_contacts_only() -> None:
    """On CreditNotes IDs= is ignored: everything comes back."""
    ids = f"{guid(1).upper()},{guid(2)}"

    assert asked(IDs=ids).ids == (guid(1), guid(2))
    assert asked(Endpoint.CONTACTS, IDs=ids).ids == (guid(1), guid(2))
    assert asked(Endpoint.CREDIT_NOTES, IDs=ids).ids is None
    assert asked(IDs="").ids == ()


def test_52_ids_pass_and_one_more_is_not_found() -> None:
    """Xero says 404, in HTML."""
    assert len(asked(IDs=",".join(guid(number) for number in range(MOST_IDS))).ids or ()) == 52

    reply = refused(IDs=",".join(guid(number) for number in range(MOST_IDS + 1)))

    assert (reply.status, reply.content_type) == (404, "text/html")


def test_a_query_string_over_2048_characters_is_not_found() -> None:
    """IIS's 404.15."""
    assert asked(where="").where is None
    assert refused(raw="x" * 2049).status == 404
    assert isinstance(understand(Endpoint.INVOICES, {}, "x" * 2048, None), Query)


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"IDs": "nonsense"}, b"Supplied parameter 'Ids' cannot be parsed - must be of type UUID."),
        ({"ContactIDs": "nonsense"}, b"Supplied parameter 'ContactIds' cannot be parsed."),
        ({"page": "one"}, b"Supplied parameter 'page' cannot be parsed."),
        ({"page": "1", "pageSize": "many"}, b"Supplied parameter 'pagesize' cannot be parsed."),
    ],
)
def test_parameters_that_cannot_be_parsed_are_refused_in_html(parameters: dict[str, Any], text: bytes) -> None:
    """Though JSON was asked for."""
    reply = refused(**parameters)

    assert (reply.status, reply.body, reply.content_type) == (400, text, "text/html; charset=utf-8")


@pytest.mark.parametrize("parameters", [{"where": "Nope==1"}, {"order": "Nope"}, {"order": "Date UPWARDS"}])
def test_bad_where_and_order_are_query_parse_errors(parameters: dict[str, Any]) -> None:
    """As JSON."""
    reply = refused(**parameters)

    assert reply.status == 400
    assert b"QueryParseException" in reply.body


def test_order_by_the_default_is_no_order() -> None:
    """UpdatedDateUTC ASC is how the books are kept."""
    assert asked(order="UpdatedDateUTC ASC").order_field is None
    assert asked(order="UpdatedDateUTC DESC").descending
    assert (asked(order="InvoiceNumber").order_field, asked(order="Date DESC").descending) == ("invoicenumber", True)


def test_filters_of_invoices() -> None:
    """Statuses, contacts, numbers; not on other endpoints."""
    query = asked(Statuses="paid,VOIDED", ContactIDs=guid(3), InvoiceNumbers="INV-1, INV-2")

    assert query.statuses == {"PAID", "VOIDED"}
    assert query.contact_ids == {guid(3)}
    assert query.numbers == {"INV-1", "INV-2"}
    assert asked(Endpoint.CONTACTS, Statuses="paid").statuses == frozenset()


@pytest.mark.parametrize(
    ("header", "ms"),
    [
        ("2026-01-02T03:04:05", 1_767_323_045_000),
        ("2026-01-02T03:04:05.987", 1_767_323_045_000),
        ("2026-01-02T03:04:05Z", 1_767_323_045_000),
        ("2026-01-02T04:04:05+01:00", 1_767_323_045_000),
        ("2026-01-02", 1_767_312_000_000),
        (None, 0),
        ("", 0),
        ("yesterday", 0),
        ("2026-13-45T00:00:00", 0),
        ("1767323045", 0),
    ],
)
def test_if_modified_since_is_utc_in_whole_seconds_and_ignored_if_malformed(header: str | None, ms: int) -> None:
    """Then everything comes back, which is the trap."""
    assert modified_since_ms(header) == ms
    assert asked(since=header).modified_since_ms == ms
