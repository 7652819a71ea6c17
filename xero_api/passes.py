"""A pass over a list, whatever way Xero cuts it: pages (``xero_api/paging.py``), an offset, or all in one. Pure.

:func:`begin` says where a pass starts, ``place.request(...)`` what to ask there, :func:`go_on` where it goes on. A
parameter that Xero ignores is noticed: without that, a pass would repeat the same records without end, or lose some.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from xero_api.answers import Answer
from xero_api.dates import iso_ms, parse_moment
from xero_api.entity import Entity, Offset, Pages, Whole
from xero_api.errors import PagingError
from xero_api.paging import Done, Keyset, after, bound, first
from xero_api.requests import OFFSET_SIZE, PAGE_SIZE, Request, get_after, get_all

SMALLEST_PAGE = 25
"""Pages aren't made smaller than this, however slowly Xero answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Onwards:
    """A place in a list that is read by offset: numbers grow, and nothing moves.

    Attributes:
        since: only what was written since then; None: everything.
        number: the highest number read.
        reached: the latest time of writing seen.
        until: what was written later is left to the next pass; None before an answer told Xero's time.
    """

    since: datetime | None
    number: int = 0
    reached: datetime | None = None
    until: datetime | None = None

    def request(
        self, entity: Entity[Any], page_size: int = PAGE_SIZE, filters: Mapping[str, str] | None = None
    ) -> Request:
        """The call to make here.

        Args:
            page_size: not Xero's to choose here.
            filters: which records; the same for the whole pass.
        """
        del page_size
        return get_after(entity, self.number, self.since, filters or {})

    def to_json(self) -> dict[str, Any]:
        """The place as JSON-able data, for a pass that outlives the process."""
        return {
            "since": _text(self.since),
            "number": self.number,
            "reached": _text(self.reached),
            "until": _text(self.until),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Everything:
    """The only place of a list that comes whole.

    Attributes:
        since: only what changed since then; None: everything.
    """

    since: datetime | None

    def request(
        self, entity: Entity[Any], page_size: int = PAGE_SIZE, filters: Mapping[str, str] | None = None
    ) -> Request:
        """The call to make here.

        Args:
            page_size: not Xero's to choose here.
        """
        del page_size
        return get_all(entity, self.since, filters or {})

    def to_json(self) -> dict[str, Any]:
        """The place as JSON-able data, for a pass that outlives the process."""
        return {"since": _text(self.since)}


Place = Keyset | Onwards | Everything
"""Where a pass is."""


def begin(entity: Entity[Any], since: datetime | None = None) -> Place:
    """The first place of a pass.

    Args:
        since: only what changed at or after this moment; None: everything.

    Raises:
        ValueError: ``since`` where Xero can't tell what changed.
    """
    if since is not None and not entity.modified_since:
        raise ValueError(
            f"{entity.name} can't be read since a moment, only all of them: they take no If-Modified-Since"
        )
    place = first(since)
    match entity.paging:
        case Pages():
            return place
        case Offset():
            return Onwards(since=place.since)
        case Whole():
            return Everything(since=place.since)


def place_from_json(data: dict[str, Any]) -> Place:
    """A place from what its ``to_json`` gave.

    Args:
        data: that.

    Raises:
        KeyError: it is something else.
    """
    if "page" in data:
        return Keyset.from_json(data)
    since = _moment(data["since"])
    if "number" in data:
        return Onwards(
            since=since, number=data["number"], reached=_moment(data["reached"]), until=_moment(data["until"])
        )
    return Everything(since=since)


def go_on(place: Place, answer: Answer) -> Place | Done:
    """Where to go on.

    Args:
        answer: Xero's answer to ``place.request(...)``.

    Raises:
        PagingError: Xero ignored a parameter, or there is no going on.
    """
    match place:
        case Keyset():
            return after(place, answer)
        case Onwards():
            return _onwards(place, answer)
        case Everything():
            if answer.pagination is not None and answer.pagination.page_count > 1:
                raise PagingError("a list that came whole so far comes in pages now")
            return Done(reached=_latest(place.since, answer))


def smaller(entity: Entity[Any], place: Place, page_size: int) -> tuple[Place, int] | None:
    """Where to go on with half the page, after an answer that took too long; None if that is no help.

    Numbers of pages mean nothing with another size, so a tie begins again at its first page.

    Args:
        place: where no answer came in time.
        page_size: records asked for.
    """
    half = page_size // 2
    sized = isinstance(entity.paging, Pages) and entity.paging.sized
    if not sized or not isinstance(place, Keyset) or half < SMALLEST_PAGE:
        return None
    return replace(place, page=1, downwards=False, then=None, more=False, mark=None), half


def _onwards(place: Onwards, answer: Answer) -> Onwards | Done:
    paging = answer.request.entity.paging
    field = paging.number_field if isinstance(paging, Offset) else ""
    numbers = [number for raw in answer.records if isinstance(number := raw.get(field), int)]
    count = len(answer.records) + len(answer.unreadable)
    if any(number <= place.number for number in numbers):
        raise PagingError(f"offset was ignored: a {field} is not above it")
    if count and not numbers:
        raise PagingError(f"no {field} in the answer to go on from")
    reached = _latest(place.reached or place.since, answer)
    if count < OFFSET_SIZE:
        return Done(reached=reached)
    until = place.until or bound(answer)
    if until is not None and reached is not None and reached > until:
        return Done(reached=reached, more=True)
    return Onwards(since=place.since, number=max(numbers), reached=reached, until=until)


def _latest(reached: datetime | None, answer: Answer) -> datetime | None:
    versions = map(answer.request.entity.version, answer.records)
    return max((moment for moment in (reached, *versions) if moment is not None), default=None)


def _text(moment: datetime | None) -> str | None:
    return iso_ms(moment) if moment else None


def _moment(value: str | None) -> datetime | None:
    return parse_moment(value) if value else None
