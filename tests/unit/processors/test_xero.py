"""How the processors' apps show themselves to Xero."""

from typing import Any

import pytest

from processors.xero import credentials_of
from xero_api.errors import ClientConfigError
from xero_stream.contracts.names import DEFAULT_APP, AppName
from xero_stream.settings.apps import Apps
from xero_stream.settings.xero import DefaultAppSettings


def apps(**fields: Any) -> Apps:
    """Only the default one."""
    return Apps(DefaultAppSettings.read(**fields))


def test_an_app_with_a_secret_and_one_without() -> None:
    """Basic authentication, or the id in the form: an app of the PKCE type has no secret."""
    usual = credentials_of(apps(client_id="id", client_secret="secret"), DEFAULT_APP)
    pkce = credentials_of(apps(client_id="id"), DEFAULT_APP)

    assert (list(usual.headers()), usual.fields()) == (["Authorization"], {})
    assert (pkce.headers(), pkce.fields()) == ({}, {"client_id": "id"})


def test_an_app_that_is_not_there_or_only_receives() -> None:
    """Nothing can be asked for it."""
    for name in (DEFAULT_APP, AppName("other")):
        with pytest.raises(ClientConfigError, match=f"app {name} has no client id"):
            credentials_of(apps(), name)
