"""A program with local servers of its own, for tests that kill it: ``python local_child.py <data dir> [freeze]``.

It prints ``ready`` and the two process ids once the servers answer, and then sits there.
"""

import asyncio
import sys
from pathlib import Path

from xero_stream.local.servers import LocalServers


def say(line: str) -> None:
    """To whoever started us."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def main() -> None:
    """Start, say so, sit there."""
    async with LocalServers(Path(sys.argv[1]), progress=say) as servers:
        if "freeze" in sys.argv[2:]:
            await servers.kafka.freeze()
            await servers.postgres.freeze()
        say(f"ready {servers.kafka_pid} {servers.postgres_pid}")
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
