"""A page of a pass is recorded: the pass moves on, ends, or goes on as another one."""

from datetime import datetime, timedelta
from typing import Any

import orjson

from xero_api.paging import Done
from xero_api.passes import Place
from xero_stream.store import passes
from xero_stream.store.passes import Moved, PassId

BETWEEN_PASSES = timedelta(seconds=5)
"""Until a pass that goes on from another one begins: other entities' passes get their turn."""


async def move(
    connection: Any,
    which: PassId,
    *,
    seen_before: int,
    place: Place | Done,
    seen: int,
    total: int | None,
    now: datetime,
) -> None:
    """Move a pass on, in the transaction that recorded its page; not if it was started again while the page was read.

    Args:
        connection: of that transaction.
        which: the pass, as it was when the page was asked for.
        seen_before: how many records had been read when the page was asked for.
        place: where the next page is, or that this was the last. Where the list goes on with what changed since the pass
            began, another one is opened: it reads from where this one ends.
        seen: records of this page.
        total: how many there are in all, as Xero said on the first page.
        now: the clock.
    """
    moved = Moved(
        seen_before=seen_before,
        place=None if isinstance(place, Done) else orjson.dumps(place.to_json()),
        seen=seen,
        total=total,
    )
    if await passes.move(connection, which, moved, now) and isinstance(place, Done) and place.more:
        await passes.follow(connection, which, place.reached, now + BETWEEN_PASSES)
