"""Both local servers behind one context manager."""

import asyncio
import errno
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from xero_stream.local import ports
from xero_stream.local.data_dir import DataDirectory
from xero_stream.local.errors import DataDirectoryUnusableError, DiskFullError, LocalServerError
from xero_stream.local.kafka import KafkaServer
from xero_stream.local.postgres import PostgresServer
from xero_stream.settings.local import LocalSettings

PARTITIONS = 3
"""Partitions of every topic on one broker: enough to see how work is spread."""


def _silent(_: str) -> None:
    pass


def _explained(error: OSError, data_dir: Path) -> LocalServerError:
    if error.errno == errno.ENOSPC:
        return DiskFullError(f"no room is left for {error.filename or data_dir}: make room and start again")
    return DataDirectoryUnusableError(
        f"{error.filename or data_dir} can't be used ({error.strerror}): correct that, or choose another directory "
        "(XERO_STREAM_DATA_DIR)"
    )


def environment(kafka: KafkaServer, postgres: PostgresServer) -> dict[str, str]:
    """The settings that lead our processes to local servers, by environment variable; they hold passwords.

    Args:
        kafka: one.
        postgres: the other.
    """
    return {
        **kafka.environment,
        "KAFKA_REPLICATION_FACTOR": "1",
        "KAFKA_PARTITIONS": str(PARTITIONS),
        "DATABASE_URL": postgres.database_url,
    }


class LocalServers:
    """A real Kafka and a real PostgreSQL, from entering to leaving the context.

    ``async with LocalServers(path) as servers`` starts both and stops both in order. Single ones are handled through
    :attr:`kafka` and :attr:`postgres` (``kill``, ``stop``, ``start``, ``freeze``, ``thaw``): same data, same port.
    When this process is killed, nothing of them is left 15 seconds later.

    Args:
        data_dir: where data, logs and ports are kept; made when missing.
        progress: told, in whole sentences, what takes long or reaches out to the network, before it happens.
        cache_dir: where downloaded jars are kept; by default that of the settings.
        broker: settings of the broker to add, or to have another value.
        database: the same of PostgreSQL.
        plaintext: Kafka asks for no password: any user of the machine may read and write. For tests of programs that know no SASL.
    """

    kafka: KafkaServer
    postgres: PostgresServer

    def __init__(
        self,
        data_dir: Path,
        *,
        progress: Callable[[str], None] = _silent,
        cache_dir: Path | None = None,
        broker: Mapping[str, str] | None = None,
        database: Mapping[str, str] | None = None,
        plaintext: bool = False,
    ) -> None:
        self._data = DataDirectory(data_dir)
        self._progress = progress
        self._cache = cache_dir
        self._broker = broker
        self._database = database
        self._plaintext = plaintext

    @property
    def bootstrap_servers(self) -> str:
        """Kafka's ``host:port``."""
        return self.kafka.bootstrap_servers

    @property
    def database_url(self) -> str:
        """The URL of the database; it holds a password."""
        return self.postgres.database_url

    @property
    def kafka_pid(self) -> int:
        """The broker's process id."""
        return self.kafka.pid

    @property
    def postgres_pid(self) -> int:
        """The process id of PostgreSQL's postmaster."""
        return self.postgres.pid

    @property
    def inherited(self) -> tuple[int, ...]:
        """The lock of the data directory: shims of other programs that use it are given it to keep open."""
        return self._data.inherited

    @property
    def environment(self) -> dict[str, str]:
        """The settings that lead our processes to these servers, by environment variable; they hold passwords."""
        return environment(self.kafka, self.postgres)

    async def start(self) -> None:
        """Start both; on an error nothing is left running.

        Raises:
            LocalServerError: one can't be started; the message says what to do.
        """
        cache = self._cache or LocalSettings.read().cache_dir
        await self._data.acquire(progress=self._progress)
        try:
            places = ports.read_or_choose(self._data.ports_file)
            self.kafka = KafkaServer(
                self._data,
                places,
                cache.expanduser().absolute(),
                progress=self._progress,
                changes=self._broker,
                plaintext=self._plaintext,
            )
            self.postgres = PostgresServer(self._data, places, progress=self._progress, changes=self._database)
            await self.kafka.check()
            await self.postgres.check()
            self._progress("starting Kafka and PostgreSQL")
            await self._start_both()
        except OSError as error:
            self._data.release()
            raise _explained(error, self._data.path) from error
        except BaseException:
            self._data.release()
            raise

    async def _start_both(self) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self.kafka.start())
                tasks.create_task(self.postgres.start())
        except BaseException as error:
            await asyncio.gather(self.kafka.stop(), self.postgres.stop())
            if isinstance(error, BaseExceptionGroup):
                raise error.exceptions[0] from None
            raise

    async def stop(self) -> None:
        """Stop both and leave the data directory to others."""
        try:
            await asyncio.gather(self.kafka.stop(), self.postgres.stop())
        finally:
            self._data.release()

    async def __aenter__(self) -> Self:
        """Start both."""
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop both."""
        await self.stop()
