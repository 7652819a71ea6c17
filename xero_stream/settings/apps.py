"""The deployment's Xero apps: one from the environment, more from a file that is re-read when it changes."""

import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from xero_stream.contracts.names import DEFAULT_APP, AppName
from xero_stream.settings.base import SettingsError
from xero_stream.settings.xero import AppsFileSettings, AppTier, DefaultAppSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """One Xero app.

    Attributes:
        name: its name in our events, grants and metrics.
        client_id: OAuth client id; None where only webhooks are received.
        client_secret: OAuth client secret; None for an app of the PKCE type, which has none.
        webhook_keys: signing keys, newest first, as UTF-8 bytes exactly as Xero's portal shows them (never decoded).
        tier: its pricing tier.
    """

    name: AppName
    client_id: str | None
    client_secret: str | None = field(repr=False)
    webhook_keys: tuple[bytes, ...] = field(repr=False)
    tier: AppTier


def _keys(text: str) -> tuple[bytes, ...]:
    return tuple(key.strip().encode() for key in text.split(",") if key.strip())


def _from_file(path: Path) -> dict[AppName, App]:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"XERO_STREAM_APPS_FILE={path} can't be read: {error.strerror}") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"XERO_STREAM_APPS_FILE={path} is not TOML: {error}") from error
    apps: dict[AppName, App] = {}
    for name, row in document.get("apps", {}).items():
        if name == DEFAULT_APP:
            raise SettingsError(f"{path}: the app 'default' comes from the environment; choose another name")
        try:
            keys = row.get("webhook_keys", [])
            apps[AppName(name)] = App(
                name=AppName(name),
                client_id=row.get("client_id"),
                client_secret=row.get("client_secret"),
                webhook_keys=_keys(keys) if isinstance(keys, str) else tuple(key.encode() for key in keys),
                tier=AppTier(row.get("tier", "starter")),
            )
        except (AttributeError, ValueError) as error:
            raise SettingsError(f"{path}: app {name!r}: {error}") from error
    return apps


class Apps:
    """All apps by name; :meth:`refresh` picks up a changed file and keeps the old set when the new one is broken."""

    def __init__(self, default: DefaultAppSettings, file: str | None = None) -> None:
        secret, keys = default.client_secret, default.webhook_keys
        self._default = App(
            name=DEFAULT_APP,
            client_id=default.client_id,
            client_secret=secret.get_secret_value() if secret else None,
            webhook_keys=_keys(keys.get_secret_value()) if keys else (),
            tier=default.tier,
        )
        self._path = Path(file) if file else None
        self._stamp: tuple[int, int] | None = None
        self._apps: dict[AppName, App] = {DEFAULT_APP: self._default}
        self.refresh()

    @classmethod
    def read(cls) -> "Apps":
        """From the environment.

        Raises:
            SettingsError: the environment or the apps file is unusable.
        """
        return cls(DefaultAppSettings.read(), AppsFileSettings.read().apps_file)

    def refresh(self, accept: Callable[[Sequence[App]], None] = lambda _: None) -> bool:
        """Re-read the file if it changed.

        Args:
            accept: looks at the new set, and raises what it has against it: then the apps known so far stay in force.

        Returns:
            Whether the set of apps was read anew.

        Raises:
            SettingsError: the file is unreadable; the apps known so far stay in force.
        """
        if self._path is None:
            return False
        try:
            stat = self._path.stat()
        except OSError as error:
            raise SettingsError(f"XERO_STREAM_APPS_FILE={self._path} can't be read: {error.strerror}") from error
        stamp = (stat.st_mtime_ns, stat.st_size)
        if stamp == self._stamp:
            return False
        apps = {DEFAULT_APP: self._default, **_from_file(self._path)}
        accept(list(apps.values()))
        self._apps, self._stamp = apps, stamp
        return True

    def get(self, name: str) -> App | None:
        """The app of that name, or None."""
        return self._apps.get(AppName(name))

    def all(self) -> list[App]:
        """Every app, the default first."""
        return list(self._apps.values())
