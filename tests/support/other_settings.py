"""For each setting a valid value that is not the one a process of the tests has."""

from enum import Enum
from typing import Any, get_args

from cryptography.fernet import Fernet
from pydantic import SecretStr

from xero_stream.settings.base import Section
from xero_stream.settings.example import SECTIONS

_CHOSEN = {
    "XERO_STREAM_ENTITIES": "invoices,contacts",
    "XERO_STREAM_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
    "XERO_STREAM_FIELD_POLICY": '{"contacts": {"email": "drop"}}',
    "XERO_STREAM_FIELD_POLICY_KEY": "k" * 40,
    "XERO_API_URL": "http://127.0.0.1:9/other",
    "XERO_IDENTITY_URL": "http://127.0.0.1:9/other",
    "XERO_LOGIN_URL": "http://127.0.0.1:9/other",
    "KAFKA_TOPIC_PREFIX": "another",
    "XERO_STREAM_SIMULATOR_WEBHOOK_URL": "http://127.0.0.1:9/other",
    "XERO_STREAM_SIMULATOR_CLOCK_START": "2026-01-01T00:00:00Z",
}
NOT_TRIED = {
    "KAFKA_BOOTSTRAP_SERVERS": "another address reaches another cluster, or none: tried with a real second one",
    "DATABASE_URL": "another address reaches another store, or none: tried with a real second one",
    "KAFKA_SECURITY_PROTOCOL": "the broker of the tests has one listener, without TLS",
    "XERO_STREAM_APPS_FILE": "what counts is the file's content: tried with files",
}
"""Settings whose other value needs another server or file, and where that is tried."""


def other_value(name: str, now: str | None) -> str:
    """Another valid value.

    Args:
        name: of the setting.
        now: what the process has in its environment; None: the default.
    """
    if name in _CHOSEN:
        return _CHOSEN[name]
    section, field_name = _field(name)
    field = section.model_fields[field_name]
    value: Any = field.get_default(call_default_factory=True) if now is None else now
    kinds = [kind for kind in (field.annotation, *get_args(field.annotation)) if kind is not type(None)]
    kind = kinds[-1] if len(kinds) > 1 else kinds[0]
    if isinstance(kind, str):  # of a Literal
        return next(str(word) for word in get_args(field.annotation) if word != value)
    if kind is bool:
        return "false" if str(value).lower() == "true" else "true"
    if isinstance(kind, type) and issubclass(kind, Enum):
        present = value.value if isinstance(value, Enum) else value
        return next(str(member.value) for member in kind if member.value != present)
    if kind in (int, float):
        return str(int(float(value)) + 1)
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    return f"{value or ''}other"


def _field(name: str) -> tuple[type[Section], str]:
    for section in SECTIONS:
        for field_name, field in section.model_fields.items():
            if field.alias == name:
                return section, field_name
    raise AssertionError(f"no section has {name}")
