"""What the demo keeps in its data directory beside the servers' data: ports, secrets, logs, the simulator's books."""

import contextlib
import json
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from cryptography.fernet import Fernet

from xero_stream.local.data_dir import DataDirectory, write_whole
from xero_stream.local.errors import DataDirectoryUnusableError, PortTakenError
from xero_stream.local.ports import ephemeral_range, is_free, port_range

_ATTEMPTS = 500
_MARKER = "demo"
_SEED = "demo-seed"
_KEPT = (
    _SEED,
    "demo-ports.json",
    "encryption.key",
    "database.url",
    "simulator",
    "logs",
    "kafka",
    "kafka.log",
    "kafka.log.1",
    "postgres",
    "postgres.new",
    "postgres.log",
    "postgres.log.1",
    "postgres.password",
    "postgres.superuser.password",
    "kafka.password",
    "ports.json",
)
"""Everything of ours in the directory; nothing else is ever deleted there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Ports of the demo's own processes.

    Attributes:
        simulator: the simulated Xero.
        receiver: the receiver's public one.
        receiver_private: its health and metrics.
        processors_1: health and metrics of the first processor.
        processors_2: of the second.
    """

    simulator: int
    receiver: int
    receiver_private: int
    processors_1: int
    processors_2: int


def choose_ports(candidates: Iterator[int], is_free: Callable[[int], bool], taken: frozenset[int]) -> Ports:
    """Choose ports.

    Args:
        candidates: ports to try, in order.
        is_free: whether a port is free.
        taken: ports that the servers use, running or not.

    Raises:
        PortTakenError: the candidates ran out.
    """
    found: list[int] = []
    for port in candidates:
        if port not in taken and port not in found and is_free(port):
            found.append(port)
        if len(found) == len(fields(Ports)):
            return Ports(**dict(zip((field.name for field in fields(Ports)), found, strict=True)))
    raise PortTakenError(
        "the demo needs five free ports below 32768 on 127.0.0.1 and found too few: stop some servers first"
    )


def read_ports(text: str) -> Ports | None:
    """The ports kept in a file; None for one that says something else."""
    try:
        return Ports(**{name: int(port) for name, port in json.loads(text).items()})
    except (TypeError, ValueError, AttributeError):
        return None


class Places:
    """The demo's data directory."""

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().absolute()

    @property
    def logs(self) -> Path:
        """Where our processes' logs are; the servers' lie one above."""
        return self.path / "logs"

    @property
    def books(self) -> Path:
        """Where the simulator keeps its books."""
        return self.path / "simulator"

    @property
    def key_file(self) -> Path:
        """The encryption key."""
        return self.path / "encryption.key"

    @property
    def url_file(self) -> Path:
        """The database's URL, which holds a password."""
        return self.path / "database.url"

    async def claim(self, *, fresh: bool, progress: Callable[[str], None]) -> None:
        """Make sure that the directory is a demo's, and that nobody uses it now.

        Args:
            fresh: delete what earlier demos kept there.
            progress: told when processes of an earlier run are waited for.

        Raises:
            LocalServerError: it holds something else, somebody uses it, or it can't be written.
        """
        directory = DataDirectory(self.path)
        await directory.acquire(progress=progress)
        try:
            marker = self.path / _MARKER
            if not marker.exists() and any((self.path / name).exists() for name in _KEPT):
                raise DataDirectoryUnusableError(
                    f"{self.path} holds data that is no demo's: choose another directory with --data-dir"
                )
            write_whole(marker, "xero-stream demo: everything here may be deleted\n")
            for name in _KEPT if fresh else ():
                place = self.path / name
                if place.is_dir() and not place.is_symlink():
                    shutil.rmtree(place)
                else:
                    place.unlink(missing_ok=True)
        finally:
            directory.release()

    def prepare(self, database_url: str) -> bool:
        """Make the folders, the key (kept from run to run) and the URL's file, all for our eyes only.

        Returns:
            Whether the key is new: tokens of earlier runs can't be read then.
        """
        for folder in (self.logs, self.books):
            folder.mkdir(mode=0o700, exist_ok=True)
        new = not self.key_file.exists()
        if new:
            write_whole(self.key_file, Fernet.generate_key().decode() + "\n")
        write_whole(self.url_file, database_url + "\n")
        return new

    @property
    def seed(self) -> int | None:
        """The seed of the books that are kept; None where there are none, or they were never used."""
        try:
            return int((self.path / _SEED).read_text(encoding="ascii"))
        except (OSError, ValueError):
            return None

    def keep_seed(self, seed: int) -> None:
        """Write down the seed of the books.

        Args:
            seed: as the simulator says.
        """
        write_whole(self.path / _SEED, f"{seed}\n")

    @property
    def key(self) -> str:
        """The encryption key."""
        return self.key_file.read_text(encoding="ascii").strip()

    def ports(self, progress: Callable[[str], None]) -> Ports:
        """The ports of earlier runs if they are free, else others.

        Args:
            progress: told when others are chosen.

        Raises:
            PortTakenError: too few are free.
        """
        file = self.path / "demo-ports.json"
        kept = None
        with contextlib.suppress(FileNotFoundError):
            kept = read_ports(file.read_text(encoding="utf-8"))
        if kept is not None and all(map(is_free, asdict(kept).values())):
            return kept
        if kept is not None:
            progress("a port of the last run is taken by another program: choosing others")
        allowed = port_range(ephemeral_range())
        chosen = choose_ports((random.choice(allowed) for _ in range(_ATTEMPTS)), is_free, self._servers_ports())
        write_whole(file, json.dumps(asdict(chosen), indent=2) + "\n")
        return chosen

    def _servers_ports(self) -> frozenset[int]:
        try:
            return frozenset(json.loads((self.path / "ports.json").read_text(encoding="utf-8")).values())
        except (OSError, ValueError, AttributeError):
            return frozenset()
