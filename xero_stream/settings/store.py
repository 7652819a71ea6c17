"""How to reach PostgreSQL, and the keys that protect tokens at rest."""

import os
from collections.abc import Callable
from pathlib import Path

from pydantic import Field, SecretStr, field_validator

from xero_stream.settings.addresses import database_url
from xero_stream.settings.base import Section, SettingsError


class StoreSettings(Section):
    """PostgreSQL."""

    database_url: SecretStr = Field(default=SecretStr("postgresql://127.0.0.1:5432/xero_stream"), alias="DATABASE_URL")
    """``postgres://`` or ``postgresql://`` URL. Where PostgreSQL is on another machine, with ``?sslmode=verify-full``: it encrypts and
    checks the server's certificate and name."""
    pool_size: int = Field(default=12, alias="XERO_STREAM_DATABASE_POOL_SIZE", ge=4, le=200)
    """Connections per process."""

    @field_validator("database_url")
    @classmethod
    def _readable(cls, value: SecretStr) -> SecretStr:
        return SecretStr(database_url(value.get_secret_value()))


class EncryptionSettings(Section):
    """Keys for tokens at rest."""

    encryption_keys: SecretStr = Field(alias="XERO_STREAM_ENCRYPTION_KEYS")
    """Fernet keys, comma-separated, newest first: the first encrypts, all decrypt. Make one with
    ``openssl rand -base64 32 | tr '+/' '-_'``."""

    @property
    def keys(self) -> list[str]:
        """The keys, newest first."""
        return [key.strip() for key in self.encryption_keys.get_secret_value().split(",") if key.strip()]


_KEYS_FILE = "XERO_STREAM_ENCRYPTION_KEYS_FILE"


class EncryptionKeys:
    """The encryption keys in force; :meth:`refresh` picks up a changed key file."""

    def __init__(self, settings: EncryptionSettings, file: str | None = None) -> None:
        """Take the keys as read.

        Args:
            file: the file that they came from, if any.
        """
        self.settings = settings
        self._path = Path(file) if file else None
        self._stamp = self._now()

    @classmethod
    def read(cls) -> "EncryptionKeys":
        """From the environment; the file counts where the variable itself is not set.

        Raises:
            SettingsError: they are missing or malformed.
        """
        file = None if os.environ.get("XERO_STREAM_ENCRYPTION_KEYS") else os.environ.get(_KEYS_FILE)
        return cls(EncryptionSettings.read(), file)

    def refresh(self, accept: Callable[[EncryptionSettings], None]) -> bool:
        """Read the file again if it changed.

        Args:
            accept: looks at the new keys, and raises what it has against them: then those so far stay in force.

        Returns:
            Whether there are new keys.

        Raises:
            SettingsError: the file is unreadable; the keys so far stay in force.
        """
        stamp = self._now()
        if stamp == self._stamp:
            return False
        settings = EncryptionSettings.read()
        accept(settings)
        self.settings, self._stamp = settings, stamp
        return True

    def _now(self) -> tuple[int, int] | None:
        if self._path is None:
            return None
        try:
            stat = self._path.stat()
        except OSError as error:
            raise SettingsError(f"{_KEYS_FILE}={self._path} can't be read: {error.strerror}") from error
        return stat.st_mtime_ns, stat.st_size
