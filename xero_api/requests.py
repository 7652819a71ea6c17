"""What to ask Xero: reads as plain values, without sending anything. Pure.

Xero refuses query strings over 2,048 characters with a 404 that looks like "all deleted" (XeroAPI/Xero-OpenAPI#534), so
the number of ids per call is bounded and the length is checked here.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from xero_api.dates import since_header
from xero_api.entity import Entity, Form, Full, Key, Offset, Pages, Whole
from xero_stream.contracts.names import RecordId

API_PATH = "/api.xro/2.0"
LONGEST_QUERY = 2_000
PAGE_SIZE = 1_000
_IDS_PAGE_SIZE = 100
OFFSET_SIZE = 100
"""Records per answer where lists are read by offset (https://developer.xero.com/documentation/api/accounting/journals)."""

_KEYS = {
    Key.GUID: re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII),
    Key.WORD: re.compile(r"[0-9a-z_]{1,50}", re.ASCII),
}
_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One call to make.

    Attributes:
        entity: what is read.
        form: how it is asked for.
        method: HTTP method.
        path: path on the API host.
        params: query parameters in order, not yet encoded.
        headers: headers beside authorisation, tenant and Accept.
        asked: ids asked for, in lower case; None for a page, which may hold any.
        page_size: records asked for per page; 0 where a list comes whole.
    """

    entity: Entity[Any]
    form: Form
    path: str
    params: tuple[tuple[str, str], ...]
    headers: Mapping[str, str] = field(default_factory=dict)
    asked: frozenset[RecordId] | None
    page_size: int
    method: str = "GET"

    @property
    def endpoint(self) -> str:
        """A bounded label, e.g. ``Invoices/ids``."""
        return f"{self.entity.path}/{self.form}"

    @property
    def query(self) -> str:
        """The encoded query string. Commas stay: ``%2C`` was refused by Xero (XeroAPI/xero-node#502)."""
        return "&".join(f"{name}={quote(value, safe=',()')}" for name, value in self.params)

    @property
    def target(self) -> str:
        """Path and query."""
        return f"{self.path}?{self.query}" if self.params else self.path


def get_one(entity: Entity[Any], record_id: RecordId, filters: Mapping[str, str] = _NOTHING) -> Request:
    """One record by id: the only read whose "not there" proves anything.

    Args:
        filters: only where lists give summaries: what a caller may ask (the months of a budget).

    Raises:
        ValueError: the id is none, the entity has no such filter, or can't be read so.
    """
    if entity.full is Full.LISTS:
        raise ValueError(f"{entity.name} can't be read one by one, only listed")
    if "where" in filters or (filters and entity.full is not Full.SINGLY):
        raise ValueError(f"{entity.name} takes no filter where one record is read: {', '.join(filters)}")
    return Request(
        entity=entity,
        form=Form.ONE,
        path=record_path(entity, record_id),
        params=(*_allowed(entity, filters).items(), *entity.on_single.items()),
        asked=frozenset({record_id}),
        page_size=1,
    )


def get_ids(entity: Entity[Any], record_ids: Sequence[RecordId]) -> Request:
    """Many records by id in one call, with their lines (which Xero leaves out without ``page``).

    Args:
        entity: what to read; it must have ``by_ids``.
        record_ids: at most ``entity.by_ids.limit``.

    Raises:
        ValueError: none, too many, no GUIDs, or an entity that can't be read so.
    """
    by_ids = entity.by_ids
    if by_ids is None:
        raise ValueError(f"{entity.name} can't be read by ids, only one by one")
    if not 0 < len(record_ids) <= by_ids.limit:
        raise ValueError(f"{entity.name} takes 1 to {by_ids.limit} ids a call, not {len(record_ids)}")
    ids = [xeros_id(entity.key, record_id, entity.name) for record_id in record_ids]
    if by_ids.parameter == "where":
        chosen = " OR ".join(f'{entity.id_field}==Guid("{record_id}")' for record_id in ids)
    else:
        chosen = ",".join(ids)
    return _list(
        entity,
        Form.IDS,
        {by_ids.parameter: chosen, "page": "1", "pageSize": str(_IDS_PAGE_SIZE)},
        asked=frozenset(record_ids),
        page_size=_IDS_PAGE_SIZE,
    )


def get_page(
    entity: Entity[Any],
    since: datetime | None,
    page: int = 1,
    page_size: int = PAGE_SIZE,
    filters: Mapping[str, str] = _NOTHING,
) -> Request:
    """One page of everything, or of what changed, oldest change first.

    Args:
        entity: what to read; it must be paged.
        since: only what changed at or after this moment (Xero may read it as after: overlap by a second).
        page: page number, from 1.
        page_size: 1 to 1,000.
        filters: which records, in Xero's parameters: some of ``entity.filters``.

    Raises:
        ValueError: the entity has no pages or no such filter, or a number is out of range.
    """
    paging = entity.paging if isinstance(entity.paging, Pages) else None
    if paging is None:
        raise ValueError(f"{entity.name} has no pages")
    if page < 1 or not 1 <= page_size <= PAGE_SIZE:
        raise ValueError(f"page {page} of {page_size} records: page is 1 or more, page_size 1 to {PAGE_SIZE:,}")
    params = {"page": str(page)}
    if paging.sized:
        params["pageSize"] = str(page_size)
    if not paging.drop_order:
        params["order"] = "UpdatedDateUTC ASC"
    page_size = page_size if paging.sized else _IDS_PAGE_SIZE
    return _list(entity, Form.PAGE, params, since=since, filters=filters, page_size=page_size)


def get_after(
    entity: Entity[Any], number: int, since: datetime | None = None, filters: Mapping[str, str] = _NOTHING
) -> Request:
    """The next records of a list that is read by offset, lowest number first.

    Args:
        entity: what to read; its paging must be ``Offset``.
        number: only records with a higher number.
        since: only what was written at or after this moment.
        filters: which records, in Xero's parameters: some of ``entity.filters``.

    Raises:
        ValueError: the entity has no offset or no such filter, or the number is below 0.
    """
    if type(entity.paging) is not Offset:
        raise ValueError(f"{entity.name} has no offset")
    if number < 0:
        raise ValueError(f"no such offset: {number}")
    return _list(entity, Form.PAGE, {"offset": str(number)}, since=since, filters=filters, page_size=OFFSET_SIZE)


def get_all(entity: Entity[Any], since: datetime | None = None, filters: Mapping[str, str] = _NOTHING) -> Request:
    """A whole list in one answer.

    Args:
        entity: what to read; its paging must be ``Whole``.
        since: only what changed at or after this moment.
        filters: which records, in Xero's parameters: some of ``entity.filters``.

    Raises:
        ValueError: the entity's lists come in parts, or it has no such filter.
    """
    if type(entity.paging) is not Whole:
        raise ValueError(f"{entity.name} can't be read in one answer")
    return _list(entity, Form.PAGE, {}, since=since, filters=filters, page_size=0)


def record_path(entity: Entity[Any], record_id: RecordId) -> str:
    """Where one record is, on the API host.

    Raises:
        ValueError: the id is none.
    """
    return f"{API_PATH}/{entity.path}/{xeros_id(entity.key, record_id, entity.name)}"


def xeros_id(key: Key, record_id: str, of: str) -> str:
    """An id as Xero spells it, in paths and in bodies; what is not a valid id must get into neither.

    Args:
        record_id: as we spell it, in lower case.
        of: what it is an id of, for the error.

    Raises:
        TypeError: it is no str.
        ValueError: it is none.
    """
    if not isinstance(record_id, str):
        raise TypeError(f"an id of {of} is a str, not {type(record_id).__name__}: give str(…) of it")
    if not _KEYS[key].fullmatch(record_id):
        raise ValueError(f"an id of {of} is no lower-case {'GUID' if key is Key.GUID else 'code'}")
    return record_id.upper() if key is Key.WORD else record_id


def check_texts(of: str, parameters: Mapping[str, str]) -> None:
    """Parameters go out as they are given.

    Args:
        of: what they are for, for the error.
        parameters: by Xero's names.

    Raises:
        TypeError: one is no str.
    """
    for name, value in parameters.items():
        if not isinstance(value, str):
            raise TypeError(f"{of}: {name} is a str as Xero writes it, not {type(value).__name__} ({value!r})")


def _list(
    entity: Entity[Any],
    form: Form,
    params: Mapping[str, str],
    *,
    page_size: int,
    since: datetime | None = None,
    filters: Mapping[str, str] = _NOTHING,
    asked: frozenset[RecordId] | None = None,
) -> Request:
    if since is not None and since.tzinfo is None:
        raise ValueError("since has no time zone: give an aware datetime, in UTC for example")
    request = Request(
        entity=entity,
        form=form,
        path=f"{API_PATH}/{entity.path}",
        params=(*params.items(), *_allowed(entity, filters).items(), *entity.always.items()),
        headers={"If-Modified-Since": since_header(since)} if since and entity.modified_since else {},
        asked=asked,
        page_size=page_size,
    )
    if len(request.query) > LONGEST_QUERY:
        raise ValueError(f"a query of {len(request.query)} characters; Xero takes {LONGEST_QUERY}")
    return request


def _allowed(entity: Entity[Any], filters: Mapping[str, str]) -> Mapping[str, str]:
    unknown = sorted(filters.keys() - entity.filters)
    if unknown:
        known = f"it has {', '.join(sorted(entity.filters))}" if entity.filters else "it has none"
        raise ValueError(f"{entity.name} has no filter {', '.join(unknown)}; {known}")
    check_texts(str(entity.name), filters)
    return filters
