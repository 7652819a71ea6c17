"""States tell the truth within seconds, and what an operator does ends what waits for it within seconds.

One stack for all of it: each part leaves the organisations connected and at rest.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.stack import WEBHOOK_KEY, Stack
from tests.support.stacks import StartStack
from tests.support.webhooks import sign

TRUTH_SECONDS = 10.0
"""Until every place tells: the event has to arrive, and gauges are read every five seconds."""
GOES_ON_SECONDS = 8.0
"""Until the work goes on after the human's act, on a busy machine; the waits that it ends are of half a minute and more."""
SUSPENDED = "xero_stream_suspended_tenants"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a command said."""

    code: int
    out: str


async def command(stack: Stack, *arguments: str) -> Said:
    """Run ``xero-stream`` in a process of its own."""
    code, out = await stack.command(*arguments)
    return Said(code=code, out=out)


async def suspended(stack: Stack, count: int) -> None:
    """Wait until the gauge says how many wait for an operator."""

    async def told() -> bool:
        return (await stack.series("processors-0")).get(SUSPENDED) == count

    await stack.until(told, TRUTH_SECONDS, f"{SUSPENDED} to be {count}")


async def states(stack: Stack) -> dict[str, str]:
    """The state of each organisation."""
    return {row["tenant_id"]: row["state"] for row in await stack.fetch("SELECT tenant_id, state FROM tenants")}


async def failed_calls(stack: Stack, times: int) -> None:
    """Wait until calls failed so often since the log was last looked at."""
    log = stack.processes["processors-0"].log
    before = log.read_text(encoding="utf-8").count("call_failed")

    async def enough() -> bool:
        return log.read_text(encoding="utf-8").count("call_failed") >= before + times

    await stack.until(enough, 40, f"{times} failed calls")


async def test_states_are_true_and_a_human_ends_every_wait(new_stack: StartStack, tmp_path: Path) -> None:
    """A withdrawn grant, a refused entity, a refused app, and a custom connection that may not list its connections."""
    apps = tmp_path / "apps.toml"
    await write(apps, "")
    async with new_stack(
        "--tenants=3",
        "--invoices=5",
        "--contacts=3",
        "--credit-notes=0",
        environment={"XERO_STREAM_APPS_FILE": str(apps)},
    ) as stack:
        *ours, custom = await stack.tenants()
        await stack.connect(ours)
        await stack.drained()

        await a_withdrawn_grant(stack, ours)
        await a_refused_entity(stack, ours)
        await a_refused_app(stack, ours, apps)
        await a_custom_connection(stack, custom, apps)

        await stack.judged([*ours, custom], least=30)
        await stack.assert_quotas_kept()


async def a_withdrawn_grant(stack: Stack, ours: list[str]) -> None:
    """Its token is seconds old. One organisation's call finds out, all are told; a new grant lets them go on."""
    (grant,) = (await stack.control("GET", "/grants"))["grants"]
    await stack.control("DELETE", f"/grants/{grant['id']}")
    await stack.edit(tenantId=ours[0], endpoint="Invoices", kind="change")

    async def all_wait() -> bool:
        return set((await states(stack)).values()) == {"needs_reauth"}

    await stack.until(all_wait, TRUTH_SECONDS, "every organisation of the grant to need a new one")
    listed = await command(stack, "grants", "list")
    assert listed.code == 1
    assert listed.out.count("connect it again") == len(ours)
    doctor = await command(stack, "doctor")
    assert doctor.out.count("needs reauth") == len(ours)
    await suspended(stack, len(ours))

    await stack.connect(ours)

    await stack.drained(GOES_ON_SECONDS)
    assert (await command(stack, "grants", "list")).code == 0
    await suspended(stack, 0)


async def a_refused_entity(stack: Stack, ours: list[str]) -> None:
    """Xero refused invoices several times, the next look is half a minute away: a new grant is tried at once."""
    body = json.dumps({"Title": "Unauthorized", "Status": 401, "Detail": "AuthorizationUnsuccessful"})
    fault = {"kind": "status", "status": 401, "body": body, "contentType": "application/json"}
    await stack.plan_faults({"name": "401", "operation": ["get", "list"], "endpoint": "Invoices", "fault": fault})
    refusals = asyncio.create_task(failed_calls(stack, 2))
    await stack.edit(tenantId=ours[0], endpoint="Invoices", kind="change")
    await refusals
    await stack.control("DELETE", "/faults")

    await stack.connect(ours)

    await stack.drained(GOES_ON_SECONDS)


async def a_refused_app(stack: Stack, ours: list[str], apps: Path) -> None:
    """A wrong secret: all places name the app; a changed apps file ends the wait of a minute."""
    refusal = {"kind": "token_error", "error": "invalid_client"}
    await stack.plan_faults(
        {"name": "secret", "operation": "token", "fault": refusal},
        {"name": "401", "operation": "get", "times": 1, "fault": {"kind": "status", "status": 401}},
    )
    await stack.edit(tenantId=ours[0], endpoint="Invoices", kind="change")

    async def refused() -> bool:
        return bool(await stack.fetch("SELECT 1 FROM apps WHERE trouble LIKE '%invalid_client%'"))

    await stack.until(refused, TRUTH_SECONDS, "the app to be refused")
    listed = await command(stack, "grants", "list")
    assert listed.code == 1
    assert "Xero refuses the app (token endpoint: 400: invalid_client)" in listed.out
    assert "XERO_CLIENT_SECRET" in (await command(stack, "doctor")).out
    await suspended(stack, len(ours))
    asked = await tokens_asked(stack)
    await asyncio.sleep(2.5)
    assert await tokens_asked(stack) == asked, "the app is asked for again all the time"

    await stack.control("DELETE", "/faults")
    await write(apps, "# corrected\n")

    await stack.drained(GOES_ON_SECONDS)
    assert (await command(stack, "grants", "list")).code == 0
    await suspended(stack, 0)


async def deliver(stack: Stack, app: str, event: Mapping[str, str]) -> None:
    """Send an event as Xero does for an app of its own: to the app's path, once the receiver has read the apps file."""
    body = json.dumps({"events": [event], "firstEventSequence": 1, "lastEventSequence": 1, "entropy": "E"}).encode()

    async def taken() -> bool:
        answer = await stack.http.post(
            f"{stack.webhook_url}/{app}", content=body, headers={"x-xero-signature": sign(body)}
        )
        return answer.status_code == 200

    await stack.until(taken, 10, f"the receiver to know the app {app}")


async def published(stack: Stack, record_id: str) -> None:
    """Wait until an update of a record is on its way to Kafka."""

    async def there() -> bool:
        return bool(await stack.fetch("SELECT 1 FROM changes WHERE record_id = $1 AND op = 'u'", record_id))

    await stack.until(there, 15, f"the change of {record_id}")
    await stack.drained()


async def write(file: Path, text: str) -> None:
    """Change a file, as an editor does."""
    await asyncio.to_thread(file.write_text, text, encoding="utf-8")


async def tokens_asked(stack: Stack) -> int:
    """Requests that the token endpoint has had."""
    asked: int = (await stack.control("GET", "/calls"))["tenantless"]["token"]
    return asked


async def a_custom_connection(stack: Stack, tenant: str, apps: Path) -> None:
    """Its token is refused by /connections: it is added all the same, and its changes are streamed."""
    body: dict[str, Any] = {"kind": "client_credentials", "tenants": [tenant], "listsConnections": False}
    made = await stack.control("POST", "/grants", body)
    lines = (
        "[apps.shop]",
        f"client_id = '{made['clientId']}'",
        f"client_secret = '{made['clientSecret']}'",
        f"webhook_keys = ['{WEBHOOK_KEY}']",
    )
    await write(apps, "\n".join(lines))

    added = await command(stack, "grants", "add", "--app", "shop", "--client-credentials")

    assert added.code == 0, added.out
    assert f"({tenant}): connected" in added.out
    await stack.drained()
    edited = await stack.edit(tenantId=tenant, endpoint="Invoices", kind="change", webhook=False)
    record_id = edited["edits"][0]["id"]
    await deliver(stack, "shop", await stack.event_of(tenant, "Invoices", record_id))
    await published(stack, record_id)
    assert set((await states(stack)).values()) == {"connected"}
