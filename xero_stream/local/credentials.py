"""Passwords of the local servers: drawn once, each in a file of the data directory that only its owner may read."""

import secrets
from dataclasses import dataclass, field
from pathlib import Path

from xero_stream.local.data_dir import write_whole

USER = "xero_stream"
"""Our processes' user on Kafka, and their role on PostgreSQL."""


@dataclass(frozen=True, slots=True)
class PasswordFile:
    """One password, 192 random bits.

    Attributes:
        path: its file.
    """

    path: Path

    @property
    def exists(self) -> bool:
        """Whether it was drawn before."""
        return self.path.exists()

    def read(self) -> str:
        """The password; drawn at the first call."""
        if not self.exists:
            write_whole(self.path, secrets.token_hex(24) + "\n")
        return self.path.read_text(encoding="ascii").strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaUsers:
    """Who may use the broker.

    Attributes:
        password: of :data:`USER`.
        broker_password: of the broker itself, towards itself and its controller; drawn at each start.
    """

    password: str = field(repr=False)
    broker_password: str = field(repr=False)
