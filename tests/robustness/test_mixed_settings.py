"""Processes with another setting are started beside those that work: table-driven, real processes, under load."""

import random

import pytest

from tests.robustness.failures.settings import does_no_harm, harmless, is_refused, refused
from tests.support.stacks import LONG, StartStack

SHORT_REFUSED = (
    "KAFKA_PARTITIONS",
    "XERO_STREAM_ENTITIES",
    "XERO_STREAM_ONE_CHANGES_TOPIC",
    "XERO_STREAM_ENCRYPTION_KEYS",
    "XERO_CLIENT_ID",
    "XERO_API_URL",
)
"""Those of the trial, and those that would cost a grant; every one in ``make robustness``."""


@pytest.mark.timeout(900)
async def test_every_setting_changed_on_one_process_under_load(new_stack: StartStack, chance: random.Random) -> None:
    """Two work; a third with another value is refused and named, or harmless; afterwards every promise holds."""
    async with new_stack(
        "--tenants=6",
        "--invoices=15",
        "--contacts=8",
        "--credit-notes=2",
        processor_count=2,
        environment={"XERO_STREAM_SESSION_TIMEOUT_SECONDS": "6"},
    ) as stack:
        tenants = await stack.connect()
        await stack.settled_group()
        await stack.drained()
        await stack.traffic(3)
        for name in refused() if LONG else SHORT_REFUSED:
            await is_refused(stack, name)
        for name in harmless() if LONG else chance.sample(harmless(), 1):
            await does_no_harm(stack, name)
        await stack.traffic(0)
        await stack.drained()

        await stack.judged(tenants)
        await stack.assert_quotas_kept()
        assert {process.starts for process in stack.processes.values()} == {1}
