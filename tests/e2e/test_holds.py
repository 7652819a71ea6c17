"""What fails is held, and nothing wider: a record, a kind of record, an organisation. The rest is loaded and streamed."""

import asyncio
from typing import Any

from tests.support.defective_processors import SPOILT
from tests.support.stack import Stack
from tests.support.stacks import StartStack

API = ["list", "get"]
WITHOUT_CONTACTS = [
    "offline_access",
    "accounting.invoices.read",
    "accounting.payments.read",
    "accounting.settings.read",
]


async def loads(stack: Stack, tenant: str) -> dict[str, Any]:
    """Every first load of an organisation by its entity: whether it is done, and what went wrong."""
    rows = await stack.fetch(
        "SELECT entity, finished_at IS NOT NULL AS done, error, attempts, failing_since FROM passes "
        "WHERE tenant_id = $1 AND kind = 'backfill'",
        tenant,
    )
    return {row["entity"]: row for row in rows}


async def all_loaded_but(stack: Stack, tenant: str, *left: str) -> None:
    """Wait until everything else of an organisation is loaded."""

    async def loaded() -> bool:
        found = await loads(stack, tenant)
        return bool(found) and {entity for entity, row in found.items() if not row["done"]} <= set(left)

    await stack.until(loaded, 40, f"all of {tenant} but {left} to be loaded")


async def holds(stack: Stack, tenant: str) -> dict[str, Any]:
    """What is held of an organisation."""
    rows = await stack.fetch("SELECT * FROM entity_holds WHERE tenant_id = $1", tenant)
    return {row["entity"]: row for row in rows}


async def state(stack: Stack, tenant: str) -> str:
    """Of an organisation."""
    (row,) = await stack.fetch("SELECT state FROM tenants WHERE tenant_id = $1", tenant)
    found: str = row["state"]
    return found


async def edit_is_published(stack: Stack, tenant: str, *, but: str = "") -> None:
    """Change an invoice (but not that one), and wait until nothing of it is left to do."""
    record = but
    while record == but:
        record = (await stack.edit(tenantId=tenant, endpoint="Invoices", kind="change"))["edits"][0]["id"]

    async def there() -> bool:
        return bool(
            await stack.fetch("SELECT 1 FROM changes WHERE record_id = $1 AND op = 'u'", record)
        ) and not await stack.fetch("SELECT 1 FROM dirty WHERE record_id = $1", record)

    await stack.until(there, 30, f"an edit of {tenant} to be published")


async def test_each_trouble_is_held_against_what_failed(new_stack: StartStack) -> None:
    """A role, a list, a scope, a firewall, a proxy and a disconnected organisation at once, each of another organisation."""
    async with new_stack("--tenants=6", "--invoices=20", "--contacts=6", "--credit-notes=4") as stack:
        role, listed, scope, wall, proxy, gone = tenants = await stack.tenants()
        await stack.plan_faults(
            {"name": "role", "operation": API, "tenantId": role, "endpoint": "CreditNotes", "fault": {"kind": "role_missing"}},
            {"name": "400", "operation": "list", "tenantId": listed, "endpoint": "Contacts", "fault": {"kind": "status", "status": 400}},
            {"name": "500", "operation": "list", "tenantId": listed, "endpoint": "CreditNotes", "fault": {"kind": "status", "status": 500}},
        )  # fmt: skip
        await stack.connect([role, listed, wall, proxy, gone])
        await stack.connect([scope], scopes=WITHOUT_CONTACTS)

        await asyncio.gather(
            all_loaded_but(stack, role, "credit-notes"),
            all_loaded_but(stack, listed, "contacts", "credit-notes"),
            all_loaded_but(stack, scope, "contacts"),
            *(all_loaded_but(stack, tenant) for tenant in (wall, proxy, gone)),
        )

        held = (await holds(stack, role))["credit-notes"]
        assert (held["state"], "403" in held["error"], "role" in held["hint"]) == ("forbidden", True, True)
        held = (await holds(stack, scope))["contacts"]
        assert (held["state"], held["error"]) == ("no_scope", "the grant lacks the scope accounting.contacts.read")
        failing = await loads(stack, listed)
        assert "400" in failing["contacts"]["error"]
        assert "500" in failing["credit-notes"]["error"]
        assert failing["contacts"]["failing_since"] is not None
        await asyncio.gather(*(edit_is_published(stack, tenant) for tenant in tenants))

        await _strangers_are_passing(stack, wall, proxy)
        await _gone_is_suspended(stack, gone)
        assert [await state(stack, tenant) for tenant in tenants] == ["connected"] * 5 + ["disconnected"]
        assert await stack.fetch("SELECT 1 FROM quarantine") == []
        await _a_restart_forgets_nothing(stack, role)
        await _humans_are_told(stack)

        await stack.control("DELETE", "/faults")
        code, output = await stack.command("grants", "retry")
        assert (code, "tried again" in output) == (0, True), output
        await asyncio.gather(*(all_loaded_but(stack, tenant) for tenant in (role, listed)))

        async def nothing_is_held() -> bool:
            return not await holds(stack, role)

        await stack.until(nothing_is_held, 10, "the hold to end")
        await stack.connect([scope])
        await all_loaded_but(stack, scope)
        assert await holds(stack, scope) == {}


async def _strangers_are_passing(stack: Stack, wall: str, proxy: str) -> None:
    """A page of a firewall's, a proxy's 407: the same calls work a moment later, and nobody is asked."""
    await stack.plan_faults(
        *(
            {"name": f"firewall {status}", "operation": API, "tenantId": wall, "times": 1, "after": after, "fault": {"kind": "firewall", "status": status}}
            for after, status in enumerate((403, 401))
        ),
        {"name": "proxy", "operation": API, "tenantId": proxy, "times": 2, "fault": {"kind": "proxy"}},
    )  # fmt: skip
    await asyncio.gather(edit_is_published(stack, wall), edit_is_published(stack, proxy))
    await stack.assert_faults_fired()


async def _gone_is_suspended(stack: Stack, gone: str) -> None:
    """``/connections`` no longer lists it."""
    for grant in (await stack.control("GET", "/grants"))["grants"]:
        if gone in grant["tenants"]:
            await stack.control("DELETE", f"/grants/{grant['id']}/tenants/{gone}")
    await stack.edit(tenantId=gone, endpoint="Invoices", kind="change")

    async def suspended() -> bool:
        return await state(stack, gone) == "disconnected"

    await stack.until(suspended, 20, "the disconnected organisation to be suspended")


async def _a_restart_forgets_nothing(stack: Stack, role: str) -> None:
    """Whoever takes over knows what is held, since when and how often it was tried."""
    await stack.fetch("UPDATE entity_holds SET not_before = now() + interval '10 minutes' WHERE tenant_id = $1", role)
    before = (await holds(stack, role))["credit-notes"]
    stack.processes["processors-0"].kill()
    stack.processes["processors-0"].start()
    await stack.settled_group()
    await edit_is_published(stack, role)

    after = (await holds(stack, role))["credit-notes"]
    assert (after["since"], after["attempts"], after["state"]) == (before["since"], before["attempts"], "forbidden")


async def _humans_are_told(stack: Stack) -> None:
    """``grants list``, ``doctor`` and the gauge say what is held, since when, why, and what to do."""
    (_, listing), (_, doctor) = await asyncio.gather(stack.command("grants", "list"), stack.command("doctor"))
    for output in (listing, doctor):
        for words in (
            "credit-notes: forbidden since 20",
            "contacts: no scope since 20",
            "with the scope accounting.contacts.read",
            "contacts: backfill failing since 20",
            "credit-notes: backfill failing since 20",
        ):
            assert words in output, output

    async def counted() -> bool:
        return (await stack.series("processors-0")).get("xero_stream_entity_holds") == 4

    await stack.until(counted, 15, "the gauge to tell")


async def test_a_fault_of_ours_costs_one_record(new_stack: StartStack) -> None:
    """A first load and events go on beside a record on which our code fails; it ends in quarantine with its bytes."""
    module = ("tests.support.defective_processors", "--defect=spoilt-record")
    async with new_stack("--tenants=1", "--invoices=20", "--contacts=2", "--credit-notes=0", processors_module=module) as stack:  # fmt: skip
        (tenant,) = await stack.tenants()
        (invoices,) = (await stack.control("GET", f"/truth/{tenant}/Invoices")).values()
        spoilt = invoices[3]["InvoiceID"]
        place = f"/records/{tenant}/Invoices/{spoilt}"
        await stack.control("PUT", place, {"fields": {"Reference": SPOILT}, "webhook": False})

        await stack.connect()
        await all_loaded_but(stack, tenant)
        await edit_is_published(stack, tenant, but=spoilt)

        async def given_up() -> bool:
            return bool(await stack.fetch("SELECT 1 FROM quarantine WHERE record_id = $1", spoilt))

        await stack.until(given_up, 40, "the record to be given up")
        (kept,) = await stack.fetch("SELECT * FROM quarantine")
        assert (kept["reason"], kept["state"], kept["tenant_id"]) == ("broke", "open", tenant)
        assert kept["error"].startswith("ZeroDivisionError in ")
        assert SPOILT.encode() in kept["value"]
        assert await stack.fetch("SELECT 1 FROM dirty WHERE record_id = $1", spoilt) == []
        assert await stack.fetch("SELECT 1 FROM records WHERE record_id = $1", spoilt) == []

        await stack.control("PUT", place, {"fields": {"Reference": "well again"}})
        await stack.drained()
        assert await stack.fetch("SELECT 1 FROM records WHERE record_id = $1", spoilt)
        assert await stack.fetch("SELECT 1 FROM quarantine WHERE state <> 'resolved'") == []


async def test_a_fault_of_ours_before_any_answer_holds_its_kind_of_record(new_stack: StartStack) -> None:
    """No record can be the reason: nothing goes into quarantine, contacts wait and are shown, the rest goes on."""
    module = ("tests.support.defective_processors", "--defect=broken-calls")
    async with new_stack("--tenants=1", "--invoices=10", "--contacts=2", "--credit-notes=2", processors_module=module) as stack:  # fmt: skip
        (tenant,) = await stack.connect()
        await all_loaded_but(stack, tenant, "contacts")
        await edit_is_published(stack, tenant)

        held = (await holds(stack, tenant))["contacts"]
        assert (held["state"], held["error"].split(" in ")[0]) == ("broken", "ZeroDivisionError")
        assert await stack.fetch("SELECT 1 FROM quarantine") == []
