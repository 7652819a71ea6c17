"""Addresses as operators give them: PostgreSQL's, Kafka's, Xero's. Pure. No message shows a part of one: it may hold a password."""

import ipaddress
import re
from collections.abc import Collection, Sequence
from urllib.parse import SplitResult, parse_qs, urlsplit

from xero_stream.strangers import is_loopback

SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_ENCODE = "percent-encode these characters in user and password: / ? # [ ] @ : %, for example %2F for /"
_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_.])?")


class AddressError(ValueError):
    """An address can't be used; the message says why and what would be right."""


def database_url(text: str) -> str:
    """PostgreSQL's URL.

    Args:
        text: ``postgresql://user:password@host:port/database?sslmode=…``; several hosts are separated by commas, a Unix socket
            is given as ``host=/directory``.

    Returns:
        It as it is.

    Raises:
        AddressError: asyncpg could not read it, or would read something else than was meant.
    """
    right = "postgresql://USER:PASSWORD@HOST:5432/DATABASE"
    scheme, separator, rest = text.partition("://")
    if not separator or scheme not in {"postgres", "postgresql"}:
        raise AddressError(f"must start with postgres:// or postgresql://, as {right}")
    if any(character.isspace() for character in text):
        raise AddressError(f"has blanks: use {right}")
    if "%00" in text:
        raise AddressError(f"has a null character: use {right}")
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    # An `@` behind the authority, or a fragment: a password with / ? or # ends the authority too early.
    if "@" in rest[len(authority) :].partition("?")[0] or "#" in rest or authority.count("@") > 1:
        raise AddressError(f"can't be read: {_ENCODE}")
    hosts = authority.rpartition("@")[2]
    parts = _split(text, f"can't be read: {_ENCODE}")
    query = parse_qs(parts.query)
    for host in hosts.split(",") if hosts else ():
        _host_and_port(host, default_port=True, right=right)
    mode = query.get("sslmode", [None])[-1]
    if mode is not None and mode not in SSL_MODES:
        raise AddressError(f"has an unknown sslmode: use one of {', '.join(SSL_MODES)}")
    return text


def bootstrap_servers(text: str) -> str:
    """Kafka's brokers.

    Args:
        text: ``host:port``, separated by commas; an IPv6 address stands in brackets.

    Returns:
        The same without blanks.

    Raises:
        AddressError: one of them is no ``host:port``.
    """
    right = "broker-1:9092,broker-2:9092"
    servers = [one.strip() for one in text.split(",") if one.strip()]
    if not servers:
        raise AddressError(f"names no broker: use {right}")
    for server in servers:
        if "://" in server or "/" in server:
            raise AddressError(f"has a scheme or a path, which brokers do not have: use {right}")
        if "@" in server:
            raise AddressError(f"has a user: use {right}, with KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD")
        _host_and_port(server, default_port=False, right=right)
    return ",".join(servers)


def xero_url(text: str, *, plain_http: Collection[str] = ()) -> str:
    """A base address of Xero, or of a simulator in its place.

    Args:
        text: ``https://…``; plain ``http`` only to this machine, and to the hosts named.
        plain_http: names of hosts to which tokens may go unencrypted.

    Returns:
        It without a slash at its end.

    Raises:
        AddressError: it is none, holds user or query, or would send tokens unencrypted.
    """
    right = "https://api.xero.com, or http://127.0.0.1:8082 for a simulator"
    parts = _split(text, f"is not a valid address: use {right}")
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise AddressError(f"is not a valid address: use {right}")
    if "@" in parts.netloc:
        raise AddressError(f"has a user before an @: the host is what follows it, use {right}")
    if parts.query or parts.fragment or "\\" in text or any(character.isspace() for character in text):
        raise AddressError(f"has more than scheme, host, port and path: use {right}")
    host = _host_and_port(parts.netloc, default_port=True, right=right)
    if (
        parts.scheme == "http"
        and not is_loopback(host)
        and host.casefold() not in {one.casefold() for one in plain_http}
    ):
        raise AddressError(
            "is plain http, and tokens would travel unencrypted: use https (for a simulator on another host, name that host "
            "in XERO_STREAM_PLAIN_HTTP_HOSTS)"
        )
    return text.rstrip("/")


def _split(text: str, complaint: str) -> SplitResult:
    try:
        return urlsplit(text)
    except ValueError:
        raise AddressError(complaint) from None


def _host_and_port(text: str, *, default_port: bool, right: str) -> str:
    host, port = _parted(text.rpartition("@")[2])
    if host is None or not (_HOST.fullmatch(host) or _is_ip(host)):
        raise AddressError(f"has no host that can be one: use {right}")
    if port is None:
        if not default_port:
            raise AddressError(f"has a broker without a port: use {right}")
    elif not (port.isascii() and port.isdigit() and 1 <= int(port) <= 65535):
        raise AddressError(f"has a port that is not a number from 1 to 65535: use {right}; {_ENCODE}")
    return host


def _parted(text: str) -> Sequence[str | None]:
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")) or not _is_ip(host):
            return None, None
        return host, rest[1:] if rest else None
    host, colon, port = text.partition(":")
    return host, port if colon else None


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
