"""Which keys a path is checked with."""

from pathlib import Path

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from receiver.keys import KeyRing, Keys
from xero_stream.contracts.names import DEFAULT_APP, AppName
from xero_stream.settings.apps import WebhookApps
from xero_stream.settings.base import SettingsError
from xero_stream.settings.xero import WebhookKeySettings

NOBODY = b"nobody's key"
NEW, OLD = "new-0123456789abcdefghijklmnopqrstuvwxyz", "old-0123456789abcdefghijklmnopqrstuvwxyz"
NZ = tuple(f"nz{number}-0123456789abcdefghijklmnopqrstuvwxyz" for number in range(4))


def raw(*keys: str) -> tuple[bytes, ...]:
    """Keys as they are used."""
    return tuple(key.encode() for key in keys)


def default(keys: str | None = f"{NEW},{OLD}") -> WebhookKeySettings:
    """The default app's keys, whatever the environment says."""
    return WebhookKeySettings.model_construct(webhook_keys=SecretStr(keys) if keys is not None else None)


def ring(settings: WebhookKeySettings, file: Path | None = None) -> KeyRing:
    """A key ring."""
    return KeyRing(WebhookApps(settings, str(file) if file else None), random_bytes=lambda _: NOBODY)


@pytest.fixture(name="file")
def _file(tmp_path: Path) -> Path:
    file = tmp_path / "apps.toml"
    file.write_text(f"[apps.nz]\nwebhook_keys = {list(NZ[:3])}\n")
    return file


@pytest.mark.parametrize(
    "path",
    [
        "/webhooks/xero",
        "/webhooks/xero/",
        "/webhooks/xero?x=1",
        "/webhooks/xero/default",
        "/webhooks/xero/default?y",
        "http://receiver/webhooks/xero",
        "HTTPS://receiver:8080/webhooks/xero/default?x=http://other/",
    ],
)
def test_default_app(path: str) -> None:
    """The default app is reached without a name, and by its name."""
    assert ring(default()).find(path) == Keys(DEFAULT_APP, raw(NEW, OLD))


def test_app_of_the_file(file: Path) -> None:
    """An app of the file has its own path and keys, and no other's."""
    keys = ring(default(), file)

    assert keys.find("/webhooks/xero/nz") == Keys(AppName("nz"), raw(*NZ[:3]))
    assert keys.find("/webhooks/xero") == Keys(DEFAULT_APP, (*raw(NEW, OLD), NOBODY))


def test_unknown_app_is_like_a_wrong_key(file: Path) -> None:
    """An app that doesn't exist is checked all the same, with keys nobody has, as many as any app has."""
    keys = ring(default(), file)

    assert keys.find("/webhooks/xero/au") == Keys(None, (NOBODY,) * 3)
    assert keys.find("/webhooks/xero/" + "x" * 5_000) == Keys(None, (NOBODY,) * 3)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "",
        "*",
        "/webhooks",
        "/webhooks/xerox",
        "/webhooks/xero/a/b",
        "//webhooks/xero",
        "/livez",
        "/metrics",
        "receiver:80",
        "http://receiver",
        "http://receiver?/webhooks/xero",
        "ftp://receiver/webhooks/xero",
        "http:///webhooks//xero",
    ],
)
def test_other_paths(path: str) -> None:
    """Elsewhere nothing is taken."""
    assert ring(default()).find(path) is None


@pytest.mark.parametrize("missing", [None, "", " , "])
def test_no_key_no_start(missing: str | None, file: Path) -> None:
    """Where no app has a key the receiver does not start, and says which setting to set."""
    file.write_text('[apps.nz]\nclient_id = "x"\nwebhook_keys = [""]\n')

    for path in (None, file):
        with pytest.raises(SettingsError, match="XERO_WEBHOOK_KEYS"):
            ring(default(missing), path)


@pytest.mark.parametrize(
    "row", ['client_id = "x"', "webhook_keys = []", 'webhook_keys = ["", " "]', 'webhook_keys = ""']
)
def test_an_app_without_a_key(file: Path, row: str) -> None:
    """It has no path: it is answered as an app that doesn't exist; a warning names it. The others are served."""
    file.write_text(f"[apps.nz]\n{row}\n")
    keys = ring(default(), file)

    with capture_logs() as lines:
        keys.warn()

    assert keys.find("/webhooks/xero/nz") == keys.find("/webhooks/xero/au") == Keys(None, (NOBODY,) * 2)
    assert keys.find("/webhooks/xero") == Keys(DEFAULT_APP, raw(NEW, OLD))
    assert [(line["event"], line["log_level"], line["app"]) for line in lines] == [("app_without_key", "warning", "nz")]


def test_apps_of_the_file_alone(file: Path) -> None:
    """Who has apps in the file only needs none in the environment; the bare path then belongs to nobody."""
    keys = ring(default(None), file)

    assert keys.find("/webhooks/xero/nz") is not None
    assert keys.find("/webhooks/xero") == Keys(None, (NOBODY,) * 3)


def test_client_secrets_in_the_file_are_told(file: Path) -> None:
    """The receiver has no use for them: a warning says so, and they are not among its secrets."""
    file.write_text(f'[apps.nz]\nclient_secret = "canary"\nwebhook_keys = ["{NZ[0]}"]\n')
    keys = ring(default(), file)

    with capture_logs() as lines:
        keys.warn()

    assert [line["event"] for line in lines] == ["apps_file_has_client_secrets"]
    assert "canary" not in str(vars(keys)) + str(vars(keys._apps))


def test_changed_file(file: Path) -> None:
    """A changed file is taken over: other keys, an app without one."""
    keys = ring(default(), file)

    file.write_text(f'[apps.nz]\nwebhook_keys = ["{NZ[3]}"]\n[apps.au]\nclient_id = "keyless"\n')
    keys.refresh()

    assert keys.find("/webhooks/xero/nz") == Keys(AppName("nz"), (*raw(NZ[3]), NOBODY))
    assert keys.find("/webhooks/xero/au") == Keys(None, (NOBODY,) * 2)


@pytest.mark.parametrize(
    "text",
    [
        "[apps.nz\nbroken",
        "apps = 1",
        "[apps.nz]\nwebhook_keys = ['x']",
        "[apps.nz]\nwebhook_keys = [7]",
        None,
        "\udcff",
    ],
)
def test_a_file_that_can_not_be_used(file: Path, text: str | None) -> None:
    """The keys known so far stay in force, and one line tells why, however often it is read."""
    keys = ring(default(), file)
    if text is None:
        file.unlink()
    else:
        file.write_bytes(text.encode(errors="surrogateescape"))

    with capture_logs() as lines:
        for _ in range(3):
            keys.refresh()

    assert keys.find("/webhooks/xero/nz") == Keys(AppName("nz"), raw(*NZ[:3]))
    assert [(line["event"], line["log_level"]) for line in lines] == [("apps_file_unusable", "error")]


def test_the_last_key_is_taken_away(file: Path) -> None:
    """A key that was taken out signs nothing any more, though none is left; the log says so."""
    keys = ring(default(None), file)
    file.write_text("[apps.nz]\n")

    with capture_logs() as lines:
        keys.refresh()

    assert keys.find("/webhooks/xero/nz") == Keys(None, (NOBODY,))
    assert [line["event"] for line in lines] == ["apps_read", "app_without_key", "no_app_has_a_key"]


def test_secrets(file: Path) -> None:
    """Every key is known to whoever scrubs the logs."""
    assert set(ring(default(), file).secrets()) == {NEW, OLD, *NZ[:3]}
