"""``/_sim/calls``, ``limits``, ``faults``: what was counted, what is allowed, what goes wrong."""

import orjson
from aiohttp import web

from simulator.control.bodies import LimitsBody
from simulator.control.exchange import NAMES, ControlError, Row, answer_json, read_body, read_json, tenant_of
from simulator.faults.plan import Plan, PlanError, Rule, read_rules
from simulator.limits.windows import TenantLimits
from simulator.world import World


class QuotasControl:
    """Counts, limits and faults."""

    def __init__(self, world: World) -> None:
        self._world = world

    def rows(self) -> list[Row]:
        """Method, path, handler."""
        return [
            Row("GET", "/_sim/calls", self.calls),
            Row("DELETE", "/_sim/calls", self.reset_calls, status=204),
            Row("GET", "/_sim/limits", self.limits),
            Row("PUT", "/_sim/limits", self.set_limits, body=LimitsBody),
            Row("GET", "/_sim/faults", self.faults),
            Row("PUT", "/_sim/faults", self.set_faults, body=Plan),
            Row("POST", "/_sim/faults", self.add_faults, body=Plan),
            Row("DELETE", "/_sim/faults", self.clear_faults, query={"name": NAMES}, status=204),
        ]

    async def calls(self, request: web.Request) -> web.StreamResponse:
        """Calls per tenant and endpoint, bytes, 429s by kind (earned or forced), concurrency, busiest 60 seconds."""
        del request
        return answer_json(self._world.counts.report())

    async def reset_calls(self, request: web.Request) -> web.StreamResponse:
        """Count from nothing."""
        del request
        self._world.counts.reset()
        return web.Response(status=204)

    async def limits(self, request: web.Request) -> web.StreamResponse:
        """What is allowed and what is left, per client and tenant."""
        del request
        world = self._world
        rows = [
            {
                "clientId": client_id,
                "tenantId": tenant_id,
                "concurrent": limits.allowance.concurrent,
                "minute": limits.allowance.minute,
                "day": limits.allowance.day,
                "rapidSyncSeconds": limits.allowance.rapid_sync_seconds,
                "rapidSyncSecondsLeft": -(-limits.rapid_sync_ms(world.clock.now_ms()) // 1000),
                "running": limits.running,
                **_left(limits, world.clock.now_ms()),
            }
            for (client_id, tenant_id), limits in world.all_limits()
        ]
        return answer_json({"appMinute": world.limits.app_minute, "tenants": rows})

    async def set_limits(self, request: web.Request) -> web.StreamResponse:
        """Allow less or more, or use most of it up."""
        body = await read_body(request, LimitsBody)
        if body.tenant_id is not None:
            tenant_of(self._world, body.tenant_id)
        self._world.set_limits(
            tenant_id=body.tenant_id,
            concurrent=body.concurrent,
            minute=body.minute,
            day=body.day,
            app_minute=body.app_minute,
            rapid_sync_seconds=body.rapid_sync_seconds,
            minute_remaining=body.minute_remaining,
            day_remaining=body.day_remaining,
            day_reset_seconds=body.day_reset_seconds,
        )
        return await self.limits(request)

    async def faults(self, request: web.Request) -> web.StreamResponse:
        """The plan, and how often each rule matched and fired."""
        del request
        return answer_json(self._world.faults.report())

    async def set_faults(self, request: web.Request) -> web.StreamResponse:
        """Another plan; counts start at nothing."""
        self._world.faults.replace(await self._rules(request))
        return await self.faults(request)

    async def add_faults(self, request: web.Request) -> web.StreamResponse:
        """More rules beside those in force."""
        self._world.faults.extend(await self._rules(request))
        return await self.faults(request)

    async def _rules(self, request: web.Request) -> list[Rule]:
        try:
            rules = read_rules(orjson.loads(await read_json(request)))
        except orjson.JSONDecodeError as error:
            raise ControlError(400, f"not JSON: {error}") from error
        except PlanError as error:
            raise ControlError(400, f"{error}", error.known) from error
        return [
            rule
            if rule.tenant_id is None
            else rule.model_copy(update={"tenant_id": tenant_of(self._world, rule.tenant_id).id})
            for rule in rules
        ]

    async def clear_faults(self, request: web.Request) -> web.StreamResponse:
        """No more faults; with ``name=``, perhaps several times, no more of those rules."""
        plan = self._world.faults
        names = request.query.getall("name", [])
        if unknown := sorted(set(names) - plan.names()):
            raise ControlError(404, f"no rules {', '.join(unknown)}", sorted(plan.names()))
        if names:
            plan.remove(names)
        else:
            plan.replace([])
        return web.Response(status=204)


def _left(limits: TenantLimits, now_ms: int) -> dict[str, int]:
    for window in (limits.minute, limits.day):
        window.roll(now_ms)
    return {
        "minuteRemaining": limits.minute_remaining(),
        "minuteResetSeconds": limits.minute.seconds_left(now_ms),
        "dayRemaining": limits.day_remaining(),
        "dayResetSeconds": limits.day.seconds_left(now_ms),
    }
