"""What a list request asks for, decided from its query string and headers. Pure.

Xero's habits kept: a malformed ``If-Modified-Since`` is ignored, page sizes are clamped, unknown parameters too (so
``IDs=`` on CreditNotes answers everything).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from simulator.accounting_api.errors import RefusedError, bad_query, query_too_long, unparsable
from simulator.accounting_api.fields import FIELDS, ID_FIELD
from simulator.accounting_api.view import Form
from simulator.accounting_api.where import Where, WhereError, parse
from simulator.books.words import Endpoint
from simulator.reply import Reply

LONGEST_QUERY = 2048
"""Characters of query string that IIS takes."""

MOST_IDS = 52
"""Ids of ``IDs=`` that worked in the field; one more is a 404."""

DEFAULT_PAGE_SIZE, LARGEST_PAGE_SIZE = 100, 1000

_UUID = re.compile(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A list request. ``page`` is None for the whole list in short form."""

    page: int | None = None
    page_size: int = DEFAULT_PAGE_SIZE
    ids: tuple[str, ...] | None = None
    modified_since_ms: int = 0
    where: Where | None = None
    order_field: str | None = None
    descending: bool = False
    statuses: frozenset[str] = frozenset()
    contact_ids: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()
    include_archived: bool = False
    four_decimals: bool = False
    form: Form = Form.SUMMARY


def understand(
    endpoint: Endpoint, parameters: Mapping[str, str], raw_query: str, if_modified_since: str | None
) -> Query | Reply:
    """Decide what is asked for.

    Args:
        endpoint: which list.
        parameters: decoded query parameters.
        raw_query: the query string as sent, whose length counts.
        if_modified_since: the header.
    """
    if len(raw_query) > LONGEST_QUERY:
        return query_too_long()
    given = {name.lower(): value for name, value in parameters.items()}
    try:
        return _understand(endpoint, given, if_modified_since)
    except WhereError as error:
        return bad_query(f"{error}")
    except RefusedError as refused:
        return refused.reply


def _understand(endpoint: Endpoint, given: Mapping[str, str], if_modified_since: str | None) -> Query:
    summary_only = endpoint is not Endpoint.CREDIT_NOTES and _flag(given.get("summaryonly"))
    page = _whole(given, "page") if given.get("page") else (1 if summary_only else None)
    form = Form.SUMMARY_ONLY if summary_only else (Form.SUMMARY if page is None else Form.PAGE)
    where = given.get("where")
    order_field, descending = _order(endpoint, given.get("order"))
    invoices = endpoint is Endpoint.INVOICES
    return Query(
        page=max(page, 1) if page is not None else None,
        page_size=_page_size(given),
        ids=_ids(given) if endpoint is not Endpoint.CREDIT_NOTES else None,
        modified_since_ms=modified_since_ms(if_modified_since),
        where=parse(where, FIELDS[endpoint], ID_FIELD[endpoint]) if where else None,
        order_field=order_field,
        descending=descending,
        statuses=_set(given, "statuses", upper=True) if invoices else frozenset(),
        contact_ids=_uuid_set(given, "contactids", "ContactIds") if invoices else frozenset(),
        numbers=_set(given, "invoicenumbers") if invoices else frozenset(),
        include_archived=_flag(given.get("includearchived")),
        four_decimals=given.get("unitdp") == "4",
        form=form,
    )


def modified_since_ms(header: str | None) -> int:
    """The header in milliseconds, whole seconds, UTC; 0 if absent or malformed (Xero then answers everything)."""
    if not header:
        return 0
    try:
        moment = datetime.fromisoformat(header.strip())
    except ValueError:
        return 0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp()) * 1000


def _flag(value: str | None) -> bool:
    return value is not None and value.lower() == "true"


def _whole(given: Mapping[str, str], name: str) -> int:
    try:
        return int(given[name])
    except ValueError:
        raise RefusedError(unparsable(name)) from None


def _page_size(given: Mapping[str, str]) -> int:
    if not given.get("pagesize"):
        return DEFAULT_PAGE_SIZE
    return min(max(_whole(given, "pagesize"), 1), LARGEST_PAGE_SIZE)


def _ids(given: Mapping[str, str]) -> tuple[str, ...] | None:
    if "ids" not in given:
        return None
    ids = tuple(part.strip().lower() for part in given["ids"].split(",") if part.strip())
    if len(ids) > MOST_IDS:
        raise RefusedError(query_too_long())
    if not all(_UUID.fullmatch(part) for part in ids):
        raise RefusedError(unparsable("Ids", uuid=True))
    return ids


def _set(given: Mapping[str, str], name: str, *, upper: bool = False) -> frozenset[str]:
    text = given.get(name, "")
    return frozenset(part.strip().upper() if upper else part.strip() for part in text.split(",") if part.strip())


def _uuid_set(given: Mapping[str, str], name: str, spelled: str) -> frozenset[str]:
    ids = frozenset(part.lower() for part in _set(given, name))
    if not all(_UUID.fullmatch(part) for part in ids):
        raise RefusedError(unparsable(spelled))
    return ids


def _order(endpoint: Endpoint, text: str | None) -> tuple[str | None, bool]:
    if not text:
        return None, False
    name, _, direction = text.split(",", maxsplit=1)[0].strip().partition(" ")
    if name.lower() not in FIELDS[endpoint]:
        raise WhereError(f"No property or field '{name}' exists")
    if direction.strip().upper() not in ("", "ASC", "DESC"):
        raise WhereError(f"Syntax error at '{direction.strip()}'")
    field = name.lower()
    descending = direction.strip().upper() == "DESC"
    return (None if field == "updateddateutc" and not descending else field), descending
