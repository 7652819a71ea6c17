"""An organisation is removed while processors work for it: the others go on, and it can be connected again."""

from tests.e2e.test_holds import all_loaded_but, edit_is_published
from tests.support.stacks import StartStack


async def test_removal_under_load_and_a_new_connection(new_stack: StartStack) -> None:
    """Nothing is done for it any more, nothing fails; after a new connection all promises hold for both."""
    async with new_stack("--tenants=2", "--invoices=30", "--contacts=6", "--credit-notes=4") as stack:
        removed, other = await stack.tenants()
        await stack.connect([removed, other])
        # Its first load is under way, and events of it arrive.
        for tenant in (removed, other):
            await stack.edit(tenantId=tenant, endpoint="Invoices", kind="change", count=10)

        code, said = await stack.command("tenants", "remove", removed, "--keep-at-xero")

        assert code == 0, said
        await all_loaded_but(stack, other)
        await edit_is_published(stack, other)
        await stack.edit(tenantId=removed, endpoint="Invoices", kind="change", count=3)
        await edit_is_published(stack, other)
        assert await stack.fetch("SELECT 1 FROM tenants WHERE tenant_id = $1", removed) == []
        calls = await stack.fetch("SELECT count(*) AS number FROM calls WHERE tenant_id = $1", removed)
        await edit_is_published(stack, other)
        assert await stack.fetch("SELECT count(*) AS number FROM calls WHERE tenant_id = $1", removed) == calls
        assert await stack.health("processors-0", "livez") == 200
        assert "Traceback" not in stack.processes["processors-0"].tail(10_000)

        await stack.connect([removed])
        await stack.drained()
        await stack.judged([removed, other])
