"""Downloading Kafka's jars: from Maven's mirror, through its proxy, whole and verified or not at all."""

import base64
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from xero_stream.local import jars
from xero_stream.local.errors import DownloadError, JarMismatchError

SETTINGS = """<settings xmlns="http://maven.apache.org/SETTINGS/1.2.0">
  <mirrors><mirror><id>office</id><mirrorOf>*</mirrorOf><url>{url}</url></mirror></mirrors>
  <servers><server><id>office</id><username>ada</username><password>${{env.MIRROR_PASSWORD}}</password></server></servers>
  {proxies}
</settings>"""

BODIES = {"kafka_2.13": b"the broker", "slf4j-api": b"words"}
PATHS = {
    "kafka_2.13": "org/apache/kafka/kafka_2.13/4.3.0/kafka_2.13-4.3.0.jar",
    "slf4j-api": "org/slf4j/slf4j-api/1.7.36/slf4j-api-1.7.36.jar",
}


@dataclass
class Mirror:
    """A Maven repository on this machine, which needs a password, and a forward proxy."""

    files: dict[str, bytes] = field(default_factory=dict)
    failures: list[int] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    proxied: list[str] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        """One jar."""
        login = base64.b64encode(b"ada:secret").decode()
        if request.headers.get("Authorization") != f"Basic {login}":
            return web.Response(status=401)
        self.asked.append(request.path)
        if request.raw_path.startswith("http://"):
            self.proxied.append(request.raw_path)
        if self.failures:
            return web.Response(status=self.failures.pop())
        body = self.files.get(request.path.removeprefix("/maven/"))
        return web.Response(status=404) if body is None else web.Response(body=body)


@pytest.fixture
async def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Mirror]:
    """The mirror of the user's settings.xml, with both jars."""
    mirror = Mirror(files={PATHS[name]: body for name, body in BODIES.items()})
    application = web.Application()
    application.router.add_get("/{path:.*}", mirror.answer)
    async with TestServer(application) as server:
        (tmp_path / ".m2").mkdir()
        settings = SETTINGS.format(url=f"http://127.0.0.1:{server.port}/maven/", proxies="")
        (tmp_path / ".m2" / "settings.xml").write_text(settings, encoding="utf-8")
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("MIRROR_PASSWORD", "secret")
        yield mirror


@pytest.fixture
def locked(tmp_path: Path) -> list[jars.Jar]:
    """A lock file of two jars."""
    lock = tmp_path / "jgo.lock.toml"
    entries = (("org.apache.kafka", "kafka_2.13", "4.3.0"), ("org.slf4j", "slf4j-api", "1.7.36"))
    lock.write_text(
        "".join(
            f'[[dependencies]]\ngroupId = "{group}"\nartifactId = "{name}"\nversion = "{version}"\n'
            f'sha256 = "{hashlib.sha256(BODIES[name]).hexdigest()}"\n'
            for group, name, version in entries
        ),
        encoding="utf-8",
    )
    return jars.locked_jars(tmp_path / "cache", lock)


async def test_jars_come_from_the_mirror_of_maven_settings(
    tmp_path: Path, mirror: Mirror, locked: list[jars.Jar]
) -> None:
    """The mirror and its password are used; what is downloaded is said before; the second time nothing is asked."""
    said: list[str] = []

    await jars.ensure(locked, tmp_path / "cache", progress=said.append)
    asked = len(mirror.asked)
    await jars.ensure(locked, tmp_path / "cache", progress=said.append)

    assert [jar.local.read_bytes() for jar in locked] == list(BODIES.values())
    assert (asked, len(mirror.asked)) == (2, 2)
    assert said == [
        (
            "downloading Kafka 4.3.0 (2 jars, 43 MB, about 20 s) from the Maven mirror 'office' to "
            f"{tmp_path / 'cache'}; kept for later runs"
        )
    ]


async def test_the_proxy_of_maven_settings_is_used(tmp_path: Path, mirror: Mirror, locked: list[jars.Jar]) -> None:
    """An active proxy of settings.xml gets the requests, absolute address and all."""
    path = tmp_path / ".m2" / "settings.xml"
    port = path.read_text(encoding="utf-8").partition("127.0.0.1:")[2].partition("/")[0]
    proxies = f"<proxies><proxy><host>127.0.0.1</host><port>{port}</port></proxy></proxies>"
    path.write_text(SETTINGS.format(url="http://maven.invalid/maven", proxies=proxies), encoding="utf-8")

    await jars.ensure(locked, tmp_path / "cache", progress=print)

    assert sorted(mirror.proxied) == sorted(f"http://maven.invalid/maven/{path}" for path in PATHS.values())


async def test_a_jar_that_the_mirror_lacks(tmp_path: Path, mirror: Mirror, locked: list[jars.Jar]) -> None:
    """The jar and the mirror are named, and where to name another one."""
    del mirror.files[PATHS["slf4j-api"]]

    with pytest.raises(DownloadError) as caught:
        await jars.ensure(locked, tmp_path / "cache", progress=print)

    assert str(caught.value) == (
        "org.slf4j:slf4j-api:1.7.36 can't be had from the Maven repository 'office' (HTTP status 404): check the "
        "network, or name a mirror or proxy that has it in ~/.m2/settings.xml"
    )


async def test_a_passing_failure_is_tried_again(tmp_path: Path, mirror: Mirror, locked: list[jars.Jar]) -> None:
    """A 503 of the mirror costs a second, not the start."""
    mirror.failures = [503]

    await jars.ensure(locked, tmp_path / "cache", progress=print)

    assert jars.verify(locked) == []


async def test_a_mirror_with_another_file(tmp_path: Path, mirror: Mirror, locked: list[jars.Jar]) -> None:
    """A file with another checksum is refused, and does not even reach the cache."""
    mirror.files[PATHS["kafka_2.13"]] = b"something else"

    with pytest.raises(JarMismatchError, match=r"'office' has another file for org.apache.kafka:kafka_2.13:4.3.0"):
        await jars.ensure(locked, tmp_path / "cache", progress=print)

    assert not any(path.is_file() and "kafka_2.13" in path.name for path in (tmp_path / "cache").rglob("*"))


async def test_nobody_answers(
    tmp_path: Path, mirror: Mirror, locked: list[jars.Jar], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a network it says so after a few tries."""
    monkeypatch.setattr(jars, "RETRY_SECONDS", 0.01)
    settings = SETTINGS.format(url="http://127.0.0.1:1/maven", proxies="")
    (tmp_path / ".m2" / "settings.xml").write_text(settings, encoding="utf-8")

    with pytest.raises(DownloadError, match=r"can't be had from the Maven repository 'office' \(ConnectError"):
        await jars.ensure(locked, tmp_path / "cache", progress=print)

    assert mirror.asked == []


async def test_broken_maven_settings(tmp_path: Path, mirror: Mirror, locked: list[jars.Jar]) -> None:
    """A settings.xml that is no XML is named, and nothing is downloaded from elsewhere."""
    (tmp_path / ".m2" / "settings.xml").write_text("<settings>", encoding="utf-8")

    with pytest.raises(DownloadError, match=r"settings.xml can't be read \(not XML: .*correct it, or move it away"):
        await jars.ensure(locked, tmp_path / "cache", progress=print)

    assert mirror.asked == []
