"""Ports of the local servers: below the ephemeral range, chosen once per data directory, checked at every start.

A client that keeps dialling a dead loopback port inside the ephemeral range sooner or later gets that very port as its
own source port, connects to itself, and the server can't have its port back. So no port is ever asked of the kernel.
"""

import errno
import json
import random
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from xero_stream.local.data_dir import write_whole
from xero_stream.local.errors import DataDirectoryUnusableError, PortTakenError

HOST = "127.0.0.1"
LOWEST = 15_000
HIGHEST = 32_767
"""The highest port that no usual system hands out as a source port (Linux begins at 32,768, the others at 49,152)."""
ATTEMPTS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The ports of one data directory.

    Attributes:
        kafka: the broker's.
        kafka_controller: the KRaft controller's.
        postgres: PostgreSQL's.
    """

    kafka: int
    kafka_controller: int
    postgres: int


def port_range(ephemeral: tuple[int, int] | None) -> range:
    """The ports to choose from.

    Args:
        ephemeral: the first and last port that the system hands out as source ports; None when unknown.

    Returns:
        At least 1,000 ports outside the ephemeral range if there are that many, else the usual ones.
    """
    if ephemeral is None:
        return range(LOWEST, HIGHEST + 1)
    low, high = ephemeral
    for candidates in (range(LOWEST, min(HIGHEST + 1, low)), range(2_000, low), range(high + 1, 65_536)):
        if len(candidates) >= 1_000:
            return candidates
    return range(LOWEST, HIGHEST + 1)


def choose(candidates: Iterator[int], is_free: Callable[[int], bool]) -> Ports:
    """Choose three ports.

    Args:
        candidates: ports to try, in order.
        is_free: whether a port is free.

    Raises:
        PortTakenError: the candidates ran out.
    """
    found: list[int] = []
    for port in candidates:
        if port not in found and is_free(port):
            found.append(port)
        if len(found) == 3:
            return Ports(kafka=found[0], kafka_controller=found[1], postgres=found[2])
    raise PortTakenError(f"no three free ports found between {LOWEST} and {HIGHEST} on {HOST}: stop some servers first")


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket() as listener:
        if sys.platform == "win32":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            # As the servers do: connections of an earlier run that linger in TIME_WAIT don't count.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except OSError as error:
            if error.errno in {errno.EADDRINUSE, errno.EACCES, getattr(errno, "WSAEADDRINUSE", errno.EADDRINUSE)}:
                return False
            raise
        return True


def listens(port: int) -> bool:
    """Whether a server listens on this loopback port now; binding it to find out could get in that server's way."""
    with socket.socket() as client:
        client.settimeout(1.0)
        return client.connect_ex((HOST, port)) == 0


def ephemeral_range() -> tuple[int, int] | None:
    """The system's range of source ports, where it says so (Linux)."""
    try:
        low, high = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return None
    return int(low), int(high)


def choose_now() -> Ports:
    """Three ports at random that are free now.

    Raises:
        PortTakenError: none were found.
    """
    allowed = port_range(ephemeral_range())
    return choose((random.choice(allowed) for _ in range(ATTEMPTS)), is_free)


def read_or_choose(path: Path) -> Ports:
    """The ports kept in a file; chosen and written when there is none yet.

    Raises:
        DataDirectoryUnusableError: the file can't be understood.
        PortTakenError: no free ports were found.
    """
    if path.exists():
        try:
            return Ports(**{name: int(port) for name, port in json.loads(path.read_text(encoding="utf-8")).items()})
        except (TypeError, ValueError, AttributeError) as error:
            raise DataDirectoryUnusableError(
                f"{path} can't be understood: delete it to have new ports chosen"
            ) from error
    ports = choose_now()
    write_whole(path, json.dumps(asdict(ports), indent=2) + "\n")
    return ports


def check_free(server: str, port: int, path: Path) -> None:
    """Make sure that a server can have its port.

    Raises:
        PortTakenError: another program listens on it.
    """
    if not is_free(port):
        raise PortTakenError(
            f"port {port}, which {server} uses here, is taken by another program: stop that program, "
            f"or delete {path} to have new ports chosen"
        )
