"""Checks keys against the store, and remembers each for five seconds: so soon a revoked key opens nothing any more."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from console.access.caller import Caller
from console.access.tries import Tries
from console.problem import too_many_tries, unauthorised
from console.store import Store
from xero_stream.contracts.api_key import KeyState, Presented, is_digest_of, parse
from xero_stream.store.api_keys import used
from xero_stream.store.queries.api_keys import Found, find

REMEMBERED_SECONDS = 5.0
_MOST = 10_000
_USED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Remembered:
    found: Found
    at: float


class KeyRing:
    """The keys that callers present."""

    def __init__(
        self, store: Store, *, tries: Tries | None = None, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Nothing is looked up yet.

        Args:
            store: where the keys are.
            tries: how many requests without a valid key an address may send.
            monotonic: the clock.
        """
        self._store = store
        self._tries = tries or Tries()
        self._monotonic = monotonic
        self._remembered: OrderedDict[str, _Remembered] = OrderedDict()

    async def caller(self, text: str | None, address: str) -> Caller:
        """Who presents this key.

        Args:
            text: what was sent as the key; None: nothing.
            address: where from.

        Raises:
            ProblemError: it is not valid (401), or too many that were not came from the address (429).
            STORE_ERRORS: the store does not answer.
        """
        presented = parse(text) if text is not None else None
        if presented is not None and (found := self._valid_still(presented)) is not None:
            return self._caller(presented, found)
        wait = self._tries.wait(address, self._monotonic())
        if wait:
            raise too_many_tries(wait)
        found = None if presented is None else await self._look_up(presented)
        if presented is None or found is None:
            self._tries.failed(address, self._monotonic())
            raise unauthorised()
        return self._caller(presented, found)

    def _valid_still(self, presented: Presented) -> Found | None:
        one = self._remembered.get(presented.key_id)
        if one is None or not is_digest_of(presented, one.found.digest):
            return None
        age = self._monotonic() - one.at
        if age >= REMEMBERED_SECONDS:
            return None
        state = one.found.key.state(one.found.now + timedelta(seconds=age))
        return one.found if state is KeyState.ACTIVE else None

    async def _look_up(self, presented: Presented) -> Found | None:
        at = self._monotonic()
        found = await find(self._store.pool, presented.key_id)
        fits = is_digest_of(presented, None if found is None else found.digest)
        if found is None or not fits or found.key.state(found.now) is not KeyState.ACTIVE:
            return None
        self._remembered[presented.key_id] = _Remembered(found=found, at=at)
        self._remembered.move_to_end(presented.key_id)
        if len(self._remembered) > _MOST:
            self._remembered.popitem(last=False)
        last = found.key.last_used_at
        if last is None or found.now - last >= _USED_EVERY:
            await used(self._store.pool, presented.key_id)
        return found

    def _caller(self, presented: Presented, found: Found) -> Caller:
        async def renew() -> Caller:
            again = self._valid_still(presented) or await self._look_up(presented)
            if again is None:
                raise unauthorised()
            return self._caller(presented, again)

        return Caller(key=found.key, tenant_ids=found.tenant_ids, renew=renew)
