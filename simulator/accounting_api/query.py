"""What a list request asks for, decided from its query string and headers. Pure.

Xero's habits kept: a malformed ``If-Modified-Since`` is ignored, page sizes are clamped, unknown parameters too (so
``IDs=`` on CreditNotes answers everything).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from simulator.accounting_api.facts import FACTS, Facts, Paging
from simulator.accounting_api.fields import fields_of
from simulator.accounting_api.filters import Test
from simulator.accounting_api.view import Form
from simulator.accounting_api.where import Where, WhereError, parse
from simulator.books.words import Endpoint
from simulator.errors import RefusedError, bad_query, query_too_long, unparsable
from simulator.reply import Reply
from simulator.spelling import guid_of, moment_of

LONGEST_QUERY = 2048
"""Characters of query string that IIS takes."""

MOST_IDS = 52
"""Ids of ``IDs=`` that worked in the field; one more is a 404."""

OF_INVOICES = ("statuses", "contactids", "invoicenumbers", "createdbymyapp")
"""Parameters that only Invoices have."""

DEFAULT_PAGE_SIZE, LARGEST_PAGE_SIZE = 100, 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A list request.

    Attributes:
        page: None for the whole list in short form.
        counted: a page tells how many there are.
        offset: Journals: only higher numbers.
        payments_only: Journals: only where money moved.
        tests: of parameters that only this endpoint has.
        include_archived: show what the list hides otherwise.
    """

    page: int | None = None
    page_size: int = DEFAULT_PAGE_SIZE
    counted: bool = True
    offset: int = 0
    payments_only: bool = False
    ids: tuple[str, ...] | None = None
    modified_since_ms: int = 0
    where: Where | None = None
    order_field: str | None = None
    descending: bool = False
    statuses: frozenset[str] = frozenset()
    contact_ids: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()
    tests: tuple[Test, ...] = ()
    include_archived: bool = False
    four_decimals: bool = False
    form: Form = Form.SUMMARY


def understand(
    endpoint: Endpoint,
    parameters: Mapping[str, str],
    raw_query: str,
    if_modified_since: str | None,
    *,
    client_id: str = "",
) -> Query | Reply:
    """Decide what is asked for.

    Args:
        parameters: decoded query parameters.
        raw_query: the query string as sent, whose length counts.
        client_id: the app that asks.
    """
    if len(raw_query) > LONGEST_QUERY:
        return query_too_long()
    given = {name.lower(): value for name, value in parameters.items()}
    try:
        return _understand(endpoint, given, if_modified_since, client_id)
    except WhereError as error:
        return bad_query(f"{error}")
    except RefusedError as refused:
        return refused.reply


def _understand(endpoint: Endpoint, given: Mapping[str, str], if_modified_since: str | None, client_id: str) -> Query:
    facts = FACTS[endpoint]
    summary_only = facts.summary_only and _flag(given.get("summaryonly"))
    order_field, descending = _order(endpoint, given.get("order")) if facts.order else (None, False)
    page = _page(facts, given, forced=summary_only, ordered=bool(given.get("order")))
    form = Form.SUMMARY_ONLY if summary_only else (Form.SUMMARY if page is None else Form.PAGE)
    where = given.get("where") if facts.where else None
    invoices = endpoint is Endpoint.INVOICES
    tests = [choose(given[name]) for name, choose in facts.filters.items() if given.get(name)]
    if invoices and _flag(given.get("createdbymyapp")):
        tests.append(lambda record: record.created_by == client_id)
    return Query(
        page=page,
        page_size=_page_size(facts, given),
        counted=facts.paging in (Paging.PAGES, Paging.ALWAYS),
        offset=_whole(given, "offset") if facts.paging is Paging.OFFSET and given.get("offset") else 0,
        payments_only=facts.paging is Paging.OFFSET and _flag(given.get("paymentsonly")),
        ids=_ids(given) if facts.by_ids else None,
        modified_since_ms=modified_since_ms(if_modified_since) if facts.modified_since else 0,
        where=parse(where, fields_of(endpoint), facts.id_field.lower()) if where else None,
        order_field=order_field,
        descending=descending,
        statuses=_set(given, "statuses", upper=True) if invoices else frozenset(),
        contact_ids=_uuid_set(given, "contactids", "ContactIds") if invoices else frozenset(),
        numbers=_set(given, "invoicenumbers") if invoices else frozenset(),
        tests=tuple(tests),
        include_archived=facts.unhide is not None and _flag(given.get(facts.unhide)),
        four_decimals=given.get("unitdp") == "4",
        form=form,
    )


def _page(facts: Facts, given: Mapping[str, str], *, forced: bool, ordered: bool) -> int | None:
    """Which page; None for the whole list."""
    match facts.paging:
        case Paging.WHOLE | Paging.OFFSET:
            return None
        case Paging.ALWAYS | Paging.HUNDREDS:
            forced = True
        case Paging.PAGES:
            if facts.order_unpages and ordered:
                return None
    if given.get("page"):
        return max(_whole(given, "page"), 1)
    return 1 if forced else None


def modified_since_ms(header: str | None) -> int:
    """The header in milliseconds, whole seconds, UTC; 0 if absent or malformed (Xero then answers everything)."""
    return (moment_of(header) if header else None) or 0


def _flag(value: str | None) -> bool:
    return value is not None and value.lower() == "true"


def _whole(given: Mapping[str, str], name: str) -> int:
    try:
        return int(given[name])
    except ValueError:
        raise RefusedError(unparsable(name)) from None


def _page_size(facts: Facts, given: Mapping[str, str]) -> int:
    if not given.get("pagesize") or facts.paging is Paging.HUNDREDS:
        return DEFAULT_PAGE_SIZE
    return min(max(_whole(given, "pagesize"), 1), LARGEST_PAGE_SIZE)


def _ids(given: Mapping[str, str]) -> tuple[str, ...] | None:
    if "ids" not in given:
        return None
    parts = [part for part in given["ids"].split(",") if part.strip()]
    if len(parts) > MOST_IDS:
        raise RefusedError(query_too_long())
    return _guids(parts, unparsable("Ids", uuid=True))


def _guids(parts: Iterable[str], refusal: Reply) -> tuple[str, ...]:
    ids: list[str] = []
    for part in parts:
        found = guid_of(part)
        if found is None:
            raise RefusedError(refusal)
        ids.append(found)
    return tuple(ids)


def _set(given: Mapping[str, str], name: str, *, upper: bool = False) -> frozenset[str]:
    text = given.get(name, "")
    return frozenset(part.strip().upper() if upper else part.strip() for part in text.split(",") if part.strip())


def _uuid_set(given: Mapping[str, str], name: str, spelled: str) -> frozenset[str]:
    return frozenset(_guids(_set(given, name), unparsable(spelled)))


def _order(endpoint: Endpoint, text: str | None) -> tuple[str | None, bool]:
    if not text:
        return None, False
    name, _, direction = text.split(",", maxsplit=1)[0].strip().partition(" ")
    if name.lower() not in fields_of(endpoint):
        raise WhereError(f"No property or field '{name}' exists")
    if direction.strip().upper() not in ("", "ASC", "DESC"):
        raise WhereError(f"Syntax error at '{direction.strip()}'")
    field = name.lower()
    descending = direction.strip().upper() == "DESC"
    return (None if field == "updateddateutc" and not descending else field), descending
