"""How to reach PostgreSQL, and the keys that protect tokens at rest."""

from pydantic import Field, SecretStr, field_validator

from xero_stream.settings.base import Section


class StoreSettings(Section):
    """PostgreSQL."""

    database_url: SecretStr = Field(default=SecretStr("postgresql://127.0.0.1:5432/xero_stream"), alias="DATABASE_URL")
    """``postgres://`` or ``postgresql://`` URL; ``sslmode`` is honoured."""
    pool_size: int = Field(default=12, alias="XERO_STREAM_DATABASE_POOL_SIZE", ge=4, le=200)
    """Connections per process."""

    @field_validator("database_url")
    @classmethod
    def _scheme(cls, value: SecretStr) -> SecretStr:
        if not value.get_secret_value().startswith(("postgres://", "postgresql://")):
            raise ValueError("must start with postgres:// or postgresql://")
        return value


class EncryptionSettings(Section):
    """Keys for tokens at rest."""

    encryption_keys: SecretStr = Field(alias="XERO_STREAM_ENCRYPTION_KEYS")
    """Fernet keys, comma-separated, newest first: the first encrypts, all decrypt. Make one with
    ``openssl rand -base64 32 | tr '+/' '-_'``."""

    @property
    def keys(self) -> list[str]:
        """The keys, newest first."""
        return [key.strip() for key in self.encryption_keys.get_secret_value().split(",") if key.strip()]
