"""An archive of the classes Kafka loads, made once per cache: a start takes 2 s with it and 5 s without.

Java calls this class data sharing (https://docs.oracle.com/en/java/javase/25/vm/class-data-sharing.html); the wheel's
Java comes without any. An archive that does not fit (other jars, other Java) is ignored by Java, so nothing here can
keep Kafka from starting.
"""

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from xero_stream.local.jars import Jar

TRAINING = "training-"
STALE_SECONDS = 600.0
UNUSED_SECONDS = 30 * 86_400.0


class ClassArchive:
    """The archive for one Java and one set of jars.

    Args:
        cache: the folder it is kept in.
        java: Java's program.
    """

    def __init__(self, cache: Path, java: Path, jars: Sequence[Jar]) -> None:
        # Java refuses an archive whose jars have another time.
        key = repr([(str(path), path.stat().st_mtime_ns) for path in (java, *(jar.local for jar in jars))])
        self._cache = cache
        self._path = cache / f"kafka-{hashlib.sha256(key.encode()).hexdigest()[:16]}.jsa"
        # Each archive names the base it was made on, so two processes that make one at a time need two bases.
        self._base = self._path.with_name(f"{self._path.stem}-base-{os.getpid()}.jsa")

    @property
    def exists(self) -> bool:
        """Whether it has been made."""
        return self._path.exists()

    def use(self) -> Sequence[str]:
        """Java's options to start with it; notes that it is still used."""
        for path in self._cache.glob(f"{self._path.stem}*.jsa"):
            with suppress(OSError):  # a cache that we may only read
                os.utime(path)
        return (f"-XX:SharedArchiveFile={self._path}",)

    def make_base(self, fresh: Path) -> Sequence[str]:
        """Java's options to write the base: Java's own classes."""
        return ("-Xshare:dump", f"-XX:SharedArchiveFile={fresh}")

    def make(self, fresh: Path) -> Sequence[str]:
        """Java's options to run on the base and write, at its end, what was loaded besides."""
        return (f"-XX:SharedArchiveFile={self._base}", f"-XX:ArchiveClassesAtExit={fresh}")

    def keep_base(self, fresh: Path) -> None:
        """Put the base, now whole, in its place."""
        fresh.replace(self._base)

    def keep(self, fresh: Path) -> None:
        """Put the archive, now whole, in its place, unless another process was faster."""
        if self.exists:
            self._base.unlink()
        else:
            fresh.replace(self._path)

    @contextmanager
    def training_folder(self) -> Iterator[Path]:
        """A folder to make it in. Archives long unused are removed, and what a killed making left behind."""
        now = time.time()  # noqa: TID251 - compared with the times of files of the same machine
        for archive in self._cache.glob("kafka-*.jsa"):
            if now - archive.stat().st_mtime > UNUSED_SECONDS:
                archive.unlink(missing_ok=True)
        for folder in self._cache.glob(f"{TRAINING}*"):
            if now - folder.stat().st_mtime > STALE_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=self._cache, prefix=TRAINING) as folder_name:
            yield Path(folder_name)
