"""Writes ``jgo.lock.toml`` again from ``jgo.toml``: ``python -m xero_stream.local.relock``.

For another version of Kafka: change ``jgo.toml``, run this, look at the difference, run the tests.
"""

import sys
import tempfile
from pathlib import Path

from xero_stream.local.jars import LOCK, maven_repository

SCOPES = ("compile", "runtime")


def main() -> int:
    """Resolve all dependencies and write the lock file.

    Returns:
        The exit status.
    """
    from jgo.env import EnvironmentSpec, LockFile  # noqa: PLC0415 - belongs to the extra `local`
    from jgo.maven import MavenContext  # noqa: PLC0415

    origin = maven_repository({}, Path.home())
    with tempfile.TemporaryDirectory() as cache:
        context = MavenContext(repo_cache=Path(cache), remote_repos={origin.name: origin.url})
        wanted = [
            context.create_dependency(name) for name in EnvironmentSpec.load(LOCK.with_name("jgo.toml")).coordinates
        ]
        inputs, others = context.resolver.resolve(wanted)
        jars = [*inputs, *(jar for jar in others if jar.scope in SCOPES)]
        LockFile.from_resolved_dependencies(jars, environment_name="kafka").save(LOCK)
    sys.stdout.write(f"{LOCK}: {len(jars)} jars\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
