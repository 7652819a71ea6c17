"""Live traffic at its turning point."""

import asyncio

from simulator.app import create_world
from simulator.edits.traffic import Traffic
from xero_stream.settings.simulator import SimulatorSettings


async def test_traffic_told_to_stop_in_the_moment_of_an_edit_makes_none() -> None:
    """The time has passed, but whoever waited for it hasn't come to see it: what was said meanwhile counts."""
    traffic = Traffic(create_world(SimulatorSettings.read(tenants=0)))
    waiting = asyncio.create_task(traffic._told_otherwise(asyncio.get_running_loop().time() - 1))
    await asyncio.sleep(0)  # it begins to wait for a time that has passed
    await asyncio.sleep(0)  # the time is noticed, the waiting one not yet awake

    traffic.set_rate(0)

    assert await waiting
