"""A Kafka and a PostgreSQL of one's own, each with a proxy in front of it for the processes that are to suffer."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from tests.support.proxy import HOST, KafkaProxy, Proxy
from tests.support.stack import free_port
from xero_stream.local import ports
from xero_stream.local.data_dir import DataDirectory
from xero_stream.local.servers import LocalServers


@dataclass(frozen=True, slots=True)
class ProxiedServers:
    """The servers (their addresses lead straight to them) and the proxies.

    Attributes:
        servers: to be killed and frozen.
        kafka: in front of Kafka; ``address`` is what clients are given as bootstrap server.
        postgres: in front of PostgreSQL.
    """

    servers: LocalServers
    kafka: KafkaProxy
    postgres: Proxy

    def through_proxy(self, database_url: str) -> str:
        """The URL of a database, by way of the proxy."""
        parts = urlsplit(database_url)
        account, _, _ = parts.netloc.rpartition("@")
        return urlunsplit(parts._replace(netloc=f"{account}@{self.postgres.address}"))


@contextlib.asynccontextmanager
async def proxied_servers(folder: Path) -> AsyncIterator[ProxiedServers]:
    """Start servers with proxies in front of them.

    Kafka has two listeners: one for whoever looks on, one that tells its clients the proxy's address.

    Args:
        folder: the servers' data; it exists.
    """
    places = _places(folder)
    behind, front = free_port(), free_port()
    direct = f"PLAINTEXT://{HOST}:{places.kafka}"
    broker = {
        "listeners": f"{direct},PROXIED://{HOST}:{behind},CONTROLLER://{HOST}:{places.kafka_controller}",
        "advertised.listeners": f"{direct},PROXIED://{HOST}:{front}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "PLAINTEXT",
        # Beside other systems it may be late with a heartbeat, and is not fenced for that; back after a kill two seconds later.
        "broker.session.timeout.ms": "4000",
    }
    async with (
        LocalServers(folder, broker=broker, plaintext=True) as servers,
        KafkaProxy(behind, port=front) as kafka,
        Proxy(places.postgres) as postgres,
    ):
        yield ProxiedServers(servers, kafka, postgres)


def _places(folder: Path) -> ports.Ports:
    folder.mkdir(parents=True, exist_ok=True)
    return ports.read_or_choose(DataDirectory(folder).ports_file)
