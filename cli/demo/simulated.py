"""The simulated Xero's control API, as the demo uses it."""

from dataclasses import dataclass
from typing import Any

import httpx
import orjson

from verify.history import EventRef

DELIVERIES = 20_000
"""How many deliveries the simulator remembers."""


class SimulatedError(Exception):
    """The simulator refused, or does not answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What the simulator counted since it was started.

    Attributes:
        edits: edits made.
        delivered: webhook events answered 200.
        pending: events not delivered yet.
        calls: API calls by tenant.
        minute_left: calls left this minute, by tenant.
        day_left: calls left today, by tenant.
    """

    edits: int
    delivered: int
    pending: int
    calls: dict[str, int]
    minute_left: dict[str, int]
    day_left: dict[str, int]


_JSON = {"Content-Type": "application/json"}


class Simulated:
    """A client of the control API."""

    def __init__(self, url: str) -> None:
        self._http = httpx.AsyncClient(base_url=url, timeout=20, trust_env=False)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _ask(self, method: str, path: str, body: Any = None) -> Any:
        content = orjson.dumps(body) if body is not None else None
        try:
            answer = await self._http.request(method, f"/_sim{path}", content=content, headers=_JSON)
        except httpx.HTTPError as error:
            raise SimulatedError(f"the simulator does not answer ({type(error).__name__})") from error
        if answer.status_code >= 300:
            raise SimulatedError(f"the simulator refused {method} {path}: {answer.status_code} {answer.text[:200]}")
        return orjson.loads(answer.content) if answer.content else None

    async def seed(self) -> int | None:
        """The seed of its books; None while it does not answer."""
        try:
            return int((await self._ask("GET", ""))["seed"])
        except SimulatedError:
            return None

    async def tenants(self) -> dict[str, str]:
        """The organisations' names by id."""
        rows = (await self._ask("GET", "/tenants"))["tenants"]
        return {row["tenantId"]: row["name"] for row in rows}

    async def shake_hands(self) -> list[int | str]:
        """Intent to receive: the answers of the series, if it was passed.

        Raises:
            SimulatedError: it was not passed; the message is what Xero's portal would show.
        """
        result = await self._ask("POST", "/intent-to-receive")
        if not result["passed"]:
            said = "; ".join(row["complaint"] for row in result["requests"] if row["complaint"])
            raise SimulatedError(f"the intent-to-receive handshake was not passed: {said}")
        return [row["answer"] for row in result["requests"]]

    async def grant(self) -> str:
        """A consent for all organisations: its refresh token."""
        return str((await self._ask("POST", "/grants", {}))["refreshToken"])

    async def edit(self, count: int) -> None:
        """Make random valid edits at once."""
        await self._ask("POST", "/edits", {"count": count})

    async def keep_editing(self, per_second: float) -> None:
        """Random edits from now on; 0 stops them."""
        await self._ask("PUT", "/traffic", {"editsPerSecond": per_second})

    async def limit(self, tenant_id: str, seconds: int) -> None:
        """The organisation's next call is refused, as when its minute is used up."""
        fault = {"kind": "rate_limit", "problem": "minute", "retryAfter": seconds}
        rule = {"operation": ["list", "get"], "tenantId": tenant_id, "times": 1, "fault": fault}
        await self._ask("POST", "/faults", {"rules": [rule]})

    async def calm_down(self) -> None:
        """No faults any more, and no waiting for the next attempt to deliver."""
        await self._ask("DELETE", "/faults")
        await self._ask("PUT", "/webhooks", {"tryNow": True})

    async def traffic(self) -> Traffic:
        """What was counted."""
        webhooks = await self._ask("GET", "/webhooks?limit=0")
        calls = await self._ask("GET", "/calls")
        limits = await self._ask("GET", "/limits")
        edits = await self._ask("GET", "/traffic")
        left = {row["tenantId"]: row for row in limits["tenants"]}
        return Traffic(
            edits=edits["editsMade"],
            delivered=webhooks["deliveredEvents"],
            pending=webhooks["pendingEvents"],
            calls={tenant: row["calls"] for tenant, row in calls["tenants"].items()},
            minute_left={tenant: row["minuteRemaining"] for tenant, row in left.items()},
            day_left={tenant: row["dayRemaining"] for tenant, row in left.items()},
        )

    async def pending(self) -> int:
        """Events not delivered yet."""
        return int((await self._ask("GET", "/webhooks?limit=0"))["pendingEvents"])

    async def acknowledged(self) -> list[EventRef]:
        """Events of deliveries that were answered 200, since the simulator's start."""
        log = await self._ask("GET", f"/webhooks?limit={DELIVERIES}")
        return [
            EventRef(delivery["bodySha256"][:32], number)
            for delivery in log["deliveries"]
            if any(attempt["answer"] == 200 for attempt in delivery["attempts"])
            for number in range(delivery["events"])
        ]

    async def truth(self, tenant_id: str, path: str) -> bytes:
        """Every record of an endpoint as a single GET would return it."""
        try:
            answer = await self._http.get(f"/_sim/truth/{tenant_id}/{path}")
            answer.raise_for_status()
        except httpx.HTTPError as error:
            raise SimulatedError(
                f"the simulator does not return the records of {path} ({type(error).__name__})"
            ) from error
        return answer.content
