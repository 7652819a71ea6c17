"""Reading everything, or everything that changed, while it goes on changing: keyset paging. Pure.

Lists come oldest change first. Numbered pages would miss records: one that is touched between two pages moves to the
end, all behind it move up, and the first of the next page slips into the page already read. So page 1 is asked for
again and again, each time since the last change seen (If-Modified-Since: whole seconds, a second of overlap, as it is
not documented whether the bound is included).

Only where more records than a page holds share that second or two (a bulk import), numbered pages are needed. Records
only ever move towards lower page numbers, so after reading upwards to the end of the tie, its pages are read once more
downwards: whatever slipped up on the way is met there. After that nothing can have been missed.

A list without If-Modified-Since is one such tie: its pages are read upwards, then downwards.

A pass ends, however fast records are changed or made: what changed after its first answer is left to the next pass. The
bound is Xero's clock at that answer, so a pass has at most the records to read that were there when it began. Nothing is
lost by a wrong bound: a pass ends only where it could as well go on with the next If-Modified-Since, and the next pass
begins there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from xero_api.answers import Answer
from xero_api.dates import iso_ms, parse_moment
from xero_api.entity import Entity
from xero_api.errors import PagingError
from xero_api.requests import PAGE_SIZE, Request, get_page

OVERLAP = timedelta(seconds=1)
_TOLERANCE = timedelta(seconds=2)
_CLOCKS_APART = timedelta(seconds=2)
"""How far the clocks of Xero's own servers may be apart."""
_SMALLEST_PAGE = 100
_MOST_PAGES = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyset:
    """A place in a pass: what to ask for next.

    Attributes:
        since: only what changed since then; None: everything.
        page: page to ask for.
        downwards: the pages of a tie are being read once more, downwards.
        then: with ``downwards``: where the pass goes on after page 1; None: it ends there.
        reached: the latest change seen in the pass.
        mark: first and last record of the page before (a server that ignores ``page`` would repeat it).
        until: what changed later is left to the next pass; None before an answer told Xero's time.
        more: with ``downwards``: the list goes on above the pages of this tie.
    """

    since: datetime | None
    page: int = 1
    downwards: bool = False
    then: datetime | None = None
    reached: datetime | None = None
    mark: str | None = None
    until: datetime | None = None
    more: bool = False

    def request(
        self, entity: Entity[Any], page_size: int = PAGE_SIZE, filters: Mapping[str, str] | None = None
    ) -> Request:
        """The call to make here.

        Args:
            page_size: records per page; the same for the whole pass.
            filters: which records; the same for the whole pass.
        """
        return get_page(entity, self.since, self.page, page_size, filters or {})

    def to_json(self) -> dict[str, Any]:
        """The place as JSON-able data, for a pass that outlives the process."""
        return {
            "since": _text(self.since),
            "page": self.page,
            "downwards": self.downwards,
            "then": _text(self.then),
            "reached": _text(self.reached),
            "mark": self.mark,
            "until": _text(self.until),
            "more": self.more,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Keyset":
        """The place from what :meth:`to_json` gave.

        Raises:
            KeyError: it is something else.
        """
        return cls(
            since=_moment(data["since"]),
            page=data["page"],
            downwards=data["downwards"],
            then=_moment(data["then"]),
            reached=_moment(data["reached"]),
            mark=data["mark"],
            until=_moment(data["until"]),
            more=data["more"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The pass is complete.

    Attributes:
        reached: the latest change seen; where none was, the moment the pass began from. The next pass goes on from
            here, less an overlap for changes that become visible late. A record touched while the end was being read
            may be in the next pass only.
        more: the list goes on with records that changed after the pass began; the next pass reads them.
    """

    reached: datetime | None
    more: bool = False


def first(since: datetime | None) -> Keyset:
    """The first place of a pass.

    Args:
        since: only what changed at or after this moment; None: everything.
    """
    return Keyset(since=_whole_second(since - OVERLAP) if since else None)


def after(place: Keyset, answer: Answer) -> Keyset | Done:
    """Where to go on.

    Args:
        answer: Xero's answer to ``place.request(...)``.

    Raises:
        PagingError: the pages go in circles, or Xero ignored If-Modified-Since.
    """
    versions = [version for version in map(answer.request.entity.version, answer.records) if version is not None]
    latest = max(versions, default=None)
    if latest and place.since and latest < place.since - _TOLERANCE:
        raise PagingError("If-Modified-Since was ignored: everything in the answer is older")
    place = replace(
        place,
        reached=max(filter(None, (place.reached, latest)), default=None),
        until=place.until or bound(answer),
    )
    if place.downwards:
        return _down(place)
    last = _is_last(place, answer)
    jumps = latest and answer.request.entity.modified_since and _ascending(versions)
    goal = _whole_second(latest - OVERLAP) if latest and jumps else None
    onwards = goal if goal and (place.since is None or goal > place.since) else None
    if last or onwards:
        return _end_of_tie(place, None if last else onwards)
    if place.page > 1 and len(versions) == len(answer.records) and _later(place, min(versions, default=None)):
        return _end_of_tie(
            place, None, more=True
        )  # a list that can't be read since a moment: here what was made since begins
    mark = _mark(answer)
    if (place.page > 1 and mark == place.mark) or place.page >= _MOST_PAGES:
        raise PagingError("the pages go in circles")
    return replace(place, page=place.page + 1, mark=mark)


def bound(answer: Answer) -> datetime | None:
    """The moment up to which a pass reads whose first answer this is: not before Xero wrote it; None if it doesn't tell.

    Args:
        answer: the first one of the pass.
    """
    if answer.server_time is not None:
        return answer.server_time + _CLOCKS_APART
    date = answer.meta.server_date
    return date + timedelta(seconds=1) + _CLOCKS_APART if date is not None else None


def _end_of_tie(place: Keyset, onwards: datetime | None, *, more: bool = False) -> Keyset | Done:
    """The pages of a tie were read upwards: where there are several, once more downwards; then on."""
    if place.page > 1:
        return replace(place, page=place.page - 1, downwards=True, then=onwards, more=more, mark=None)
    return _on(place, onwards, more=more)


def _down(place: Keyset) -> Keyset | Done:
    return replace(place, page=place.page - 1) if place.page > 1 else _on(place, place.then, more=place.more)


def _on(place: Keyset, onwards: datetime | None, *, more: bool) -> Keyset | Done:
    """After page 1 of a tie: the next If-Modified-Since, or the end."""
    if onwards is None or _later(place, place.reached):
        return Done(reached=place.reached or place.since, more=more or onwards is not None)
    return Keyset(since=onwards, reached=place.reached, until=place.until)


def _later(place: Keyset, moment: datetime | None) -> bool:
    return place.until is not None and moment is not None and moment > place.until


def _is_last(place: Keyset, answer: Answer) -> bool:
    count = len(answer.records) + len(answer.unreadable)
    if count == 0:
        return True
    if answer.pagination:
        return place.page >= answer.pagination.page_count
    return count < min(answer.request.page_size, _SMALLEST_PAGE)  # Xero may have cut the page size down


def _ascending(versions: Sequence[datetime]) -> bool:
    seconds = [version.replace(microsecond=0) for version in versions]
    return seconds == sorted(seconds)


def _mark(answer: Answer) -> str:
    ends = (answer.records[0], answer.records[-1]) if answer.records else ()
    entity = answer.request.entity
    return " ".join(f"{entity.id_of(raw)}@{entity.version(raw)}" for raw in ends)


def _whole_second(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)


def _text(moment: datetime | None) -> str | None:
    return iso_ms(moment) if moment else None


def _moment(value: str | None) -> datetime | None:
    return parse_moment(value) if value else None
