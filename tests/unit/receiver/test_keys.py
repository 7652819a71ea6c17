"""Which keys a path is checked with."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from receiver.keys import KeyRing, Keys
from xero_stream.contracts.names import DEFAULT_APP, AppName
from xero_stream.settings.apps import Apps
from xero_stream.settings.base import SettingsError
from xero_stream.settings.xero import DefaultAppSettings

NOBODY = b"nobody's key"


def default(keys: str | None = "new,old", client_id: str | None = None) -> DefaultAppSettings:
    """The default app, whatever the environment says."""
    return DefaultAppSettings.model_construct(
        webhook_keys=SecretStr(keys) if keys is not None else None, client_id=client_id, client_secret=None
    )


def ring(settings: DefaultAppSettings, file: Path | None = None) -> tuple[KeyRing, Apps]:
    """A key ring."""
    apps = Apps(settings, str(file) if file else None)
    return KeyRing(apps, random_bytes=lambda _: NOBODY), apps


@pytest.fixture(name="file")
def _file(tmp_path: Path) -> Path:
    file = tmp_path / "apps.toml"
    file.write_text('[apps.nz]\nwebhook_keys = ["nz1", "nz2", "nz3"]\n')
    return file


@pytest.mark.parametrize(
    "path",
    ["/webhooks/xero", "/webhooks/xero/", "/webhooks/xero?x=1", "/webhooks/xero/default", "/webhooks/xero/default?y"],
)
def test_default_app(path: str) -> None:
    """The default app is reached without a name, and by its name."""
    keys, _ = ring(default())

    assert keys.find(path) == Keys(DEFAULT_APP, (b"new", b"old"))


def test_app_of_the_file(file: Path) -> None:
    """An app of the file has its own path and keys, and no other's."""
    keys, _ = ring(default(), file)

    assert keys.find("/webhooks/xero/nz") == Keys(AppName("nz"), (b"nz1", b"nz2", b"nz3"))
    assert keys.find("/webhooks/xero") == Keys(DEFAULT_APP, (b"new", b"old"))


def test_unknown_app_is_like_a_wrong_key(file: Path) -> None:
    """An app that doesn't exist is checked all the same, with keys nobody has, as many as any app has."""
    keys, _ = ring(default(), file)

    assert keys.find("/webhooks/xero/au") == Keys(None, (NOBODY,) * 3)
    assert keys.find("/webhooks/xero/" + "x" * 5_000) == Keys(None, (NOBODY,) * 3)


@pytest.mark.parametrize(
    "path",
    ["/", "", "*", "/webhooks", "/webhooks/xerox", "/webhooks/xero/a/b", "//webhooks/xero", "/livez", "/metrics"],
)
def test_other_paths(path: str) -> None:
    """Elsewhere nothing is taken."""
    keys, _ = ring(default())

    assert keys.find(path) is None


@pytest.mark.parametrize("missing", [None, "", " , "])
def test_no_key_no_start(missing: str | None) -> None:
    """Without a key the receiver does not start, and says which variable to set."""
    with pytest.raises(SettingsError, match="XERO_WEBHOOK_KEYS"):
        ring(default(missing))


def test_keyless_app_in_the_file(file: Path) -> None:
    """An app of the file without a key does not start either, and is named."""
    file.write_text('[apps.nz]\nclient_id = "x"\n')

    with pytest.raises(SettingsError, match="app nz"):
        ring(default(), file)


def test_apps_of_the_file_alone(file: Path) -> None:
    """Who has apps in the file only needs none in the environment; the bare path then belongs to nobody."""
    keys, _ = ring(default(None), file)

    assert keys.find("/webhooks/xero/nz") is not None
    assert keys.find("/webhooks/xero") == Keys(None, (NOBODY,) * 3)

    with pytest.raises(SettingsError, match="XERO_WEBHOOK_KEYS"):
        ring(default(None, client_id="set"), file)


def test_changed_file(file: Path) -> None:
    """A changed file is taken over; a broken one, or an app without a key, changes nothing for the others."""
    keys, _ = ring(default(), file)

    file.write_text('[apps.nz]\nwebhook_keys = ["nz4"]\n[apps.au]\nclient_id = "keyless"\n')
    keys.refresh()
    assert keys.find("/webhooks/xero/nz") == Keys(AppName("nz"), (b"nz4",))
    assert keys.find("/webhooks/xero/au") == Keys(None, (NOBODY,) * 2)

    file.write_text("[apps.nz\nbroken")
    keys.refresh()
    assert keys.find("/webhooks/xero/nz") == Keys(AppName("nz"), (b"nz4",))

    file.unlink()
    keys.refresh()
    assert keys.find("/webhooks/xero/nz") == Keys(AppName("nz"), (b"nz4",))


def test_secrets(file: Path) -> None:
    """Every key is known to whoever scrubs the logs."""
    keys, _ = ring(default(), file)

    assert set(keys.secrets()) == {"new", "old", "nz1", "nz2", "nz3"}
