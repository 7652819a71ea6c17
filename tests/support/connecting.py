"""Organisations of a simulated Xero, connected to a real store as ``grants add`` does it."""

from collections.abc import Sequence

import pytest
from cryptography.fernet import Fernet

from cli.grants.add import Wish, add, by_refresh_token
from tests.integration.simulator.rig import Talk
from xero_stream.contracts.names import DEFAULT_APP, EntityName

_KEY = Fernet.generate_key().decode()
"""One deployment, one key: another one would be refused."""


async def connect_all(
    talk: Talk, database_url: str, monkeypatch: pytest.MonkeyPatch, *, tier: str, entities: Sequence[EntityName]
) -> None:
    """Connect what a fresh grant reaches; the environment is then that of a deployment with this Xero and this store."""
    grant = await talk.control("POST", "/grants", {})
    for name, value in {
        "DATABASE_URL": database_url,
        "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",  # not asked
        "XERO_API_URL": talk.url,
        "XERO_IDENTITY_URL": talk.url,
        "XERO_CLIENT_ID": grant["clientId"],
        "XERO_CLIENT_SECRET": grant["clientSecret"],
        "XERO_APP_TIER": tier,
        "XERO_STREAM_ENCRYPTION_KEYS": _KEY,
    }.items():
        monkeypatch.setenv(name, value)
    await add(Wish(app=DEFAULT_APP, obtain=by_refresh_token(grant["refreshToken"]), entities=entities))
