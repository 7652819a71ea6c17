"""How an app shows itself when a grant is added."""

import pytest

from cli.grants.add import credentials_of
from xero_stream.contracts.names import DEFAULT_APP, AppName
from xero_stream.settings.apps import App
from xero_stream.settings.base import SettingsError
from xero_stream.settings.xero import AppTier


def app(name: str = DEFAULT_APP, client_id: str | None = "id", client_secret: str | None = None) -> App:
    """An app; of the PKCE type unless it has a secret."""
    return App(name=AppName(name), client_id=client_id, client_secret=client_secret, tier=AppTier.CORE)


def test_a_secret_is_needed_for_a_custom_connection_only() -> None:
    """An app of the PKCE type shows its id; with a secret it is shown, whatever the kind of grant."""
    assert credentials_of(app(), custom=False).client_secret is None
    for custom in (True, False):
        assert credentials_of(app(client_secret="s"), custom=custom).client_secret == "s"


@pytest.mark.parametrize(
    ("one", "custom", "what"),
    [
        (app(client_id=None), False, "app default: set XERO_CLIENT_ID, from"),
        (app(client_id=None), True, "app default: set XERO_CLIENT_ID and XERO_CLIENT_SECRET, from"),
        (app(), True, "app default: set XERO_CLIENT_SECRET, from"),
        (app("shop"), True, "app shop: set client_secret, from"),
    ],
    ids=["id", "both", "secret", "other app"],
)
def test_what_is_missing_is_named(one: App, custom: bool, what: str) -> None:
    """As it is called where it has to be set."""
    with pytest.raises(SettingsError, match=what):
        credentials_of(one, custom=custom)
