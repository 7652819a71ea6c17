"""Kafka and PostgreSQL of a whole run: one of each for all workers, with what is asked of them all the time.

They live in a thread of the process that directs the run. Whoever needs them asks over a Unix socket, one line of JSON for a
question and one for its answer; the first question starts them.
"""

import asyncio
import contextlib
import json
import shutil
import socket
import tempfile
import threading
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from xero_stream.local.servers import LocalServers
from xero_stream.store.migrate import upgrade

TEMPLATE = "migrated_template"
NOT_DURABLE = {"fsync": "off", "full_page_writes": "off", "max_connections": "500"}
"""The shared PostgreSQL never crashes, and a database is made and dropped for nearly every test: nothing waits for the disk."""
NEVER_AWAY = {"broker.session.timeout.ms": "30000", "file.delete.delay.ms": "1000"}
"""The shared broker never crashes either: on a busy machine it may be late with a heartbeat and is not fenced for that."""

Answer = dict[str, Any]


class ServersOfRun:
    """Starts the servers when they are first asked for, and answers until it is stopped."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="xero-stream-tests-"))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="servers-of-run", daemon=True)
        self._thread.start()
        self._starting = asyncio.Lock()
        self._servers: LocalServers | None = None
        self._database: asyncpg.Connection[asyncpg.Record] | None = None
        self._admin: AIOKafkaAdminClient | None = None
        self._statements = asyncio.Lock()
        self._later: set[asyncio.Task[None]] = set()
        self.address = str(self._folder / "socket")
        self._listening = self._run(asyncio.start_unix_server(self._serve, self.address))

    def stop(self) -> None:
        """Stop the servers, if they run, and forget their data."""
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        question = json.loads(await reader.readline())
        try:
            answer = await self._answer(**question)
        except Exception as error:  # noqa: BLE001 - whoever asked is told
            answer = {"error": f"{type(error).__name__}: {error}"}
        writer.write(json.dumps(answer).encode() + b"\n")
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    async def _answer(self, what: str, name: str) -> Answer:
        servers = await self._started()
        if what == "describe":
            return self._describe(servers)
        if what == "copy database":
            copy = f"test_{uuid.uuid4().hex[:12]}"
            await self._execute(f"CREATE DATABASE {copy} TEMPLATE {name}")
            return {"name": copy}
        # Whoever asks to clear something away has no use for it, and nothing to wait for.
        work = self._execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        if what == "delete topics":
            work.close()
            work = self._delete_topics(name)
        task = asyncio.create_task(work)
        self._later.add(task)
        task.add_done_callback(self._later.discard)
        return {}

    def _describe(self, servers: LocalServers) -> Answer:
        return {
            "bootstrap_servers": servers.bootstrap_servers,
            "database_url": servers.database_url,
            "postgres_pid": servers.postgres_pid,
            "data_dir": str(self._folder / "data"),
            "environment": servers.environment,
            "logs": [str(servers.kafka.log), str(servers.postgres.log)],
        }

    async def _started(self) -> LocalServers:
        async with self._starting:
            if self._servers is None:
                said: list[str] = []
                servers = LocalServers(
                    self._folder / "data", progress=said.append, broker=NEVER_AWAY, database=NOT_DURABLE, plaintext=True
                )
                await servers.start()
                self._servers = servers
                self._admin = AIOKafkaAdminClient(bootstrap_servers=servers.bootstrap_servers)
                await self._admin.start()
                self._database = await asyncpg.connect(servers.database_url)
                await self._execute(f"CREATE DATABASE {TEMPLATE}")
                await upgrade(f"{servers.database_url.rpartition('/')[0]}/{TEMPLATE}")
        return self._servers

    async def _execute(self, statement: str) -> None:
        assert self._database is not None
        async with asyncio.timeout(60):
            while True:
                try:
                    async with self._statements:
                        await self._database.execute(statement)
                except (asyncpg.InsufficientPrivilegeError, asyncpg.ObjectInUseError):
                    # The server's own cleaner is in the database, and not ours to end; it is done soon.
                    await asyncio.sleep(0.2)
                else:
                    return

    async def _delete_topics(self, prefix: str) -> None:
        assert self._admin is not None
        with contextlib.suppress(KafkaError):  # thousands of topics would make every start of a client slower: no more
            theirs = [topic for topic in await self._admin.list_topics() if topic.startswith(f"{prefix}.")]
            if theirs:
                await self._admin.delete_topics(theirs)

    async def _stop(self) -> None:
        self._listening.close()
        for task in self._later:
            task.cancel()
        await asyncio.gather(*self._later, return_exceptions=True)
        if self._admin is not None:
            await self._admin.close()
        if self._database is not None:
            await self._database.close(timeout=5)
        if self._servers is not None:
            await self._servers.stop()


def ask(address: str) -> Callable[..., Mapping[str, Any]]:
    """Questions to the servers of the run.

    Args:
        address: of :class:`ServersOfRun`.
    """

    def question(what: str, name: str = "") -> Mapping[str, Any]:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(address)
            connection.sendall(json.dumps({"what": what, "name": name}).encode() + b"\n")
            answer: Mapping[str, Any] = json.loads(connection.makefile("rb").readline())
        if "error" in answer:
            raise AssertionError(f"{what} {name}: {answer['error']}")
        return answer

    return question
