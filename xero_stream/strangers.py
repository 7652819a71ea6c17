"""Requests that a web page made, not one of our clients: refused on every listener that is not public. Pure.

A page in any browser on the machine or its network may send requests to ``127.0.0.1``. It reads the answers where its own name
resolves to our address (DNS rebinding): then ``Host`` is that name. Other requests bear its ``Origin``, or are of the kinds that a
form can send (Fetch standard: https://fetch.spec.whatwg.org/#origin-header, #cors-safelisted-request-header).
"""

from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

_SAFE = frozenset({"GET", "HEAD"})
_OTHER_SITES = frozenset({"cross-site", "same-site"})


class Strangers:
    """Tells requests of web pages from those of clients."""

    def __init__(self, names: Iterable[str] = (), *, setting: str = "the setting of host names") -> None:
        """Nothing is asked yet.

        Args:
            names: host names by which we may be called, besides ``localhost`` and addresses.
            setting: the variable that has them, for the refusal.
        """
        self._names = {_plain(name) for name in names} | {"localhost"}
        self._setting = setting

    def refusal(self, method: str, headers: Mapping[str, str]) -> tuple[int, str] | None:
        """Status and reason of the refusal, or None for a request to be answered.

        Args:
            method: of HTTP.
            headers: the request's; names in any case.
        """
        host = headers.get("Host")
        # Without Host (HTTP/1.0) it is no browser: all of them send one.
        if host is not None and not self._known(host):
            return (
                421,
                f"this host name is unknown here: use localhost or the address, or add the name to {self._setting}",
            )
        origin = headers.get("Origin")
        foreign = origin is not None and _origin(origin) != (host or "").lower()
        if foreign or (method not in _SAFE and headers.get("Sec-Fetch-Site") in _OTHER_SITES):
            return 403, "requests of other web pages are not answered"
        return None

    def _known(self, host: str) -> bool:
        name = host_of(f"//{host}")
        return name is not None and (name in self._names or is_address(name))


def host_of(url: str) -> str | None:
    """The host of a URL in lower case, without a final dot; None where it has none or can't be read.

    Args:
        url: absolute, or ``//host:port``.
    """
    try:
        parts = urlsplit(url)
        port_fits = parts.port is None or parts.port >= 0
    except ValueError:
        return None
    whole = parts.hostname and port_fits and parts.username is None and parts.password is None
    return _plain(parts.hostname) if whole and parts.hostname else None


def is_address(name: str) -> bool:
    """Whether it is an IP address, not a name. Short and hexadecimal forms (``127.1``, ``0x7f000001``) are names.

    Args:
        name: as :func:`host_of` gives it.
    """
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def is_loopback(name: str) -> bool:
    """Whether it is this machine: ``localhost``, 127.0.0.0/8 or ::1.

    Args:
        name: as :func:`host_of` gives it.
    """
    return name == "localhost" or (is_address(name) and ip_address(name).is_loopback)


def _origin(origin: str) -> str | None:
    """The host and port that an origin has in ``Host``; None for ``null`` and what is no origin of a web page."""
    scheme, _, rest = origin.partition("://")
    return rest.lower() if scheme.lower() in {"http", "https"} and rest else None


def _plain(name: str) -> str:
    return name.strip().lower().removesuffix(".")
