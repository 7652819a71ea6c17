"""A program with local servers of its own, for tests that kill it: ``python local_child.py <data dir> [freeze]``.

It prints ``ready`` and the two process ids once the servers answer, and then sits there.
"""

import asyncio
import sys
from pathlib import Path

from xero_stream.local.servers import LocalServers


async def main() -> None:
    """Start, say so, sit there."""
    async with LocalServers(Path(sys.argv[1]), progress=lambda line: print(line, flush=True)) as servers:
        if "freeze" in sys.argv[2:]:
            await servers.kafka.freeze()
            await servers.postgres.freeze()
        print("ready", servers.kafka_pid, servers.postgres_pid, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
