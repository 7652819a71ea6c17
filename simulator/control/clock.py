"""``/_sim/clock``: the simulator's own time."""

from aiohttp import web

from simulator.clock import LATEST_MS, ClockError
from simulator.control.bodies import ClockBody
from simulator.control.exchange import ControlError, Row, answer_json, read_body
from simulator.webhooks.events import event_date
from simulator.world import World


class ClockControl:
    """Shows and moves the clock."""

    def __init__(self, world: World) -> None:
        self._world = world

    def rows(self) -> list[Row]:
        """Method, path, handler."""
        return [
            Row("GET", "/_sim/clock", self.clock),
            Row("PUT", "/_sim/clock", self.set_clock, body=ClockBody),
        ]

    async def clock(self, request: web.Request) -> web.StreamResponse:
        """The simulator's time and pace."""
        del request
        now_ms = self._world.clock.now_ms()
        return answer_json({"nowMs": now_ms, "nowUtc": event_date(now_ms), "rate": self._world.clock.rate})

    async def set_clock(self, request: web.Request) -> web.StreamResponse:
        """Jump ahead, or run at another pace: token lives, quota days and retries pass in seconds."""
        body = await read_body(request, ClockBody)
        clock = self._world.clock
        now_ms = clock.now_ms() + int(body.ahead_seconds * 1000) if body.ahead_seconds is not None else body.now_ms
        if now_ms is not None and now_ms > LATEST_MS:
            raise ControlError(400, f"the clock jumps to {event_date(LATEST_MS)} at most, nowMs {LATEST_MS}")
        try:
            clock.set(now_ms=now_ms, rate=body.rate)
        except ClockError as error:
            raise ControlError(409, f"{error}") from error
        return await self.clock(request)
