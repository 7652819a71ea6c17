"""The committed lock file."""

import re
from pathlib import Path

import pytest

from xero_stream.local.errors import JarMismatchError, LocalServerError
from xero_stream.local.jars import Jar, class_path, kafka_version, locked_jars, verify

CACHE = Path("/cache/maven")


def test_every_locked_jar_has_a_checksum_and_a_place() -> None:
    """46 jars, each with its sha256, in Maven's layout both far and near."""
    jars = locked_jars(CACHE)

    assert len(jars) == len({jar.local for jar in jars}) == 46
    assert all(re.fullmatch(r"[0-9a-f]{64}", jar.sha256) for jar in jars)
    assert all(jar.local == CACHE / jar.remote for jar in jars)
    assert kafka_version(jars) == "4.3.0"


def test_all_of_kafka_is_of_one_version() -> None:
    """A resolver that mixes versions has been seen: kafka-clients 3.9 in a 4.3 broker."""
    versions = {
        jar.coordinate.rpartition(":")[2]
        for jar in locked_jars(CACHE)
        if jar.coordinate.startswith("org.apache.kafka:")
    }

    assert versions == {"4.3.0"}


def test_the_broker_has_something_to_log_with() -> None:
    """Without this jar the broker says nothing at all."""
    assert any(":log4j-slf4j-impl:" in jar.coordinate for jar in locked_jars(CACHE))


def test_a_lock_without_a_checksum_is_refused(tmp_path: Path) -> None:
    """Nothing unverified ever runs."""
    lock = tmp_path / "jgo.lock.toml"
    lock.write_text('[[dependencies]]\ngroupId = "a"\nartifactId = "b"\nversion = "1"\n', encoding="utf-8")

    with pytest.raises(JarMismatchError, match="no checksum for a:b:1"):
        locked_jars(CACHE, lock)


def test_missing_and_wrong_jars_are_told_apart(tmp_path: Path) -> None:
    """What is not there is to be downloaded; what is there and wrong is refused."""
    jar = Jar(coordinate="a:b:1", remote="b.jar", local=tmp_path / "b.jar", sha256="0" * 64)

    assert verify([jar]) == [jar]
    jar.local.write_bytes(b"")
    with pytest.raises(JarMismatchError, match=r"b.jar is not the a:b:1 of the lock file: delete it"):
        verify([jar])


def test_a_folder_that_java_cannot_name() -> None:
    """The class path's separator can't be escaped."""
    jar = Jar(coordinate="a:b:1", remote="b.jar", local=Path("/with:colon;and semicolon/b.jar"), sha256="")

    with pytest.raises(LocalServerError, match="set XERO_STREAM_CACHE_DIR to one without"):
        class_path([jar])
