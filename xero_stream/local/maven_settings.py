"""Where jars come from: Maven's own ``settings.xml``, read for its mirrors, their credentials and proxies.

The format is https://maven.apache.org/settings.html. What it can hold beyond that (profiles, encrypted passwords) is
not supported, and says so where it matters.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit, urlunsplit
from xml.etree import ElementTree as ET

CENTRAL = "central"


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """One Maven repository and the way there.

    Attributes:
        name: the mirror's id, or ``central``.
        url: base URL, without a slash at the end.
        username: for basic authentication.
        password: for basic authentication.
        proxy: URL of the proxy to go through, with its credentials; None leaves it to the environment.
    """

    name: str
    url: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    proxy: str | None = field(default=None, repr=False)


def repository(settings: str | None, default_url: str, environment: Mapping[str, str]) -> Repository:
    """The repository that stands for Maven Central.

    Args:
        settings: the content of ``settings.xml``; None where there is none.
        default_url: Maven Central's address.
        environment: for ``${env.NAME}`` in the file.

    Raises:
        ValueError: the file is not XML.
    """
    default = Repository(name=CENTRAL, url=default_url)
    if settings is None:
        return default
    try:
        root = ET.fromstring(settings)  # noqa: S314 - the user's own file
    except ET.ParseError as error:
        raise ValueError(f"not XML: {error}") from error
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]  # with or without Maven's namespace
        element.text = _with_environment(element.text, environment)
    name, url = _mirror(root) or (default.name, default.url)
    username, password = _credentials(root, name)
    return Repository(name=name, url=url, username=username, password=password, proxy=_proxy(root, url))


def _with_environment(text: str | None, environment: Mapping[str, str]) -> str | None:
    if text is None:
        return None
    return re.sub(r"\$\{env\.([^}]+)}", lambda match: environment.get(match[1], match[0]), text)


def _text(element: ET.Element, path: str) -> str | None:
    return (element.findtext(path) or "").strip() or None


def _mirror(root: ET.Element) -> tuple[str, str] | None:
    """The first mirror that covers Maven Central: an exact name wins over a pattern, as in Maven."""
    mirrors = [
        (_text(m, "mirrorOf") or "", _text(m, "id") or "mirror", _text(m, "url"))
        for m in root.iterfind("mirrors/mirror")
    ]
    usable = [(of, name, url.rstrip("/")) for of, name, url in mirrors if url]
    for of, name, url in usable:
        if of == CENTRAL:
            return name, url
    for of, name, url in usable:
        if covers_central(of):
            return name, url
    return None


def covers_central(pattern: str) -> bool:
    """Whether ``mirrorOf`` covers Maven Central (https://maven.apache.org/guides/mini/guide-mirror-settings.html)."""
    words = [word.strip() for word in pattern.split(",")]
    if f"!{CENTRAL}" in words:
        return False
    return any(word in {"*", CENTRAL, "external:*"} for word in words)


def _credentials(root: ET.Element, name: str) -> tuple[str | None, str | None]:
    for server in root.iterfind("servers/server"):
        if _text(server, "id") == name:
            return _text(server, "username"), _text(server, "password")
    return None, None


def _proxy(root: ET.Element, url: str) -> str | None:
    target = urlsplit(url)
    active = [
        p for p in root.iterfind("proxies/proxy") if (_text(p, "active") or "true") == "true" and _text(p, "host")
    ]
    # Maven takes a proxy declared for the target's scheme first; an http proxy serves https as well.
    active.sort(key=lambda p: (_text(p, "protocol") or "http") != target.scheme)
    for proxy in active:
        patterns = (_text(proxy, "nonProxyHosts") or "").split("|")
        if any(_host_matches(pattern.strip(), target.hostname or "") for pattern in patterns):
            continue
        username, password = _text(proxy, "username"), _text(proxy, "password")
        login = f"{quote(username, safe='')}:{quote(password or '', safe='')}@" if username else ""
        address = f"{login}{_text(proxy, 'host')}:{_text(proxy, 'port') or '8080'}"
        return urlunsplit(("http", address, "", "", ""))
    return None


def _host_matches(pattern: str, host: str) -> bool:
    return bool(pattern) and re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), host, re.IGNORECASE) is not None
