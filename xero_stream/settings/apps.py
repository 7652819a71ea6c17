"""The deployment's Xero apps: one from the environment, more from a file that is re-read when it changes.

:class:`Apps` has what calls Xero (client ids, secrets, tiers), :class:`WebhookApps` what Xero signs with. No process needs both:
each reads its own half.
"""

import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from xero_stream.contracts.names import DEFAULT_APP, AppName
from xero_stream.settings.base import SettingsError
from xero_stream.settings.webhook_keys import WebhookKeyError, is_loopback, parse
from xero_stream.settings.xero import AppsFileSettings, AppTier, DefaultAppSettings, WebhookKeySettings, XeroSettings

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """One Xero app, as who calls Xero needs it.

    Attributes:
        name: its name in our events, grants and metrics.
        client_id: OAuth client id; None where only webhooks are received.
        client_secret: OAuth client secret; None for an app of the PKCE type, which has none.
        tier: its pricing tier.
    """

    name: AppName
    client_id: str | None
    client_secret: str | None = field(repr=False)
    tier: AppTier


class AppsFile:
    """The TOML file of ``XERO_STREAM_APPS_FILE``, its rows unread."""

    def __init__(self, path: str | None) -> None:
        self.path = Path(path) if path else None
        self._taken: tuple[int, int] | None = None
        self._seen: tuple[int, int] | None = None

    def changed(self) -> dict[AppName, Row] | None:
        """The rows by app, if the file is another one than :meth:`taken`; None where it is not, or there is none.

        Raises:
            SettingsError: it can't be read, or is not TOML with a table per app.
        """
        if self.path is None:
            return None
        try:
            stat = self.path.stat()
            self._seen = (stat.st_mtime_ns, stat.st_size)
            if self._seen == self._taken:
                return None
            return dict(self._rows(self.path.read_text(encoding="utf-8")))
        except OSError as error:
            raise SettingsError(f"XERO_STREAM_APPS_FILE={self.path} can't be read: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise SettingsError(f"XERO_STREAM_APPS_FILE={self.path} is not UTF-8 text") from error

    def taken(self) -> None:
        """What :meth:`changed` gave last is in force."""
        self._taken = self._seen

    def refusal(self, name: AppName, error: Exception) -> SettingsError:
        """What is wrong with an app."""
        return SettingsError(f"{self.path}: app {name!r}: {error}")

    def _rows(self, text: str) -> Iterator[tuple[AppName, Row]]:
        try:
            rows = tomllib.loads(text).get("apps", {})
        except tomllib.TOMLDecodeError as error:
            raise SettingsError(f"XERO_STREAM_APPS_FILE={self.path} is not TOML: {error}") from error
        if not isinstance(rows, dict) or not all(isinstance(row, dict) for row in rows.values()):
            raise SettingsError(f"{self.path}: each app is a table [apps.NAME]")
        if DEFAULT_APP in rows:
            raise SettingsError(f"{self.path}: the app 'default' comes from the environment; choose another name")
        return ((AppName(name), row) for name, row in rows.items())


class Apps:
    """All apps by name; :meth:`refresh` picks up a changed file and keeps the old set when the new one is broken."""

    def __init__(self, default: DefaultAppSettings, file: str | None = None) -> None:
        secret = default.client_secret
        self._default = App(
            name=DEFAULT_APP,
            client_id=default.client_id,
            client_secret=secret.get_secret_value() if secret else None,
            tier=default.tier,
        )
        self._file = AppsFile(file)
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
            Whether the set of apps was read again.

        Raises:
            SettingsError: the file is unusable; the apps known so far stay in force.
        """
        rows = self._file.changed()
        if rows is None:
            return False
        apps = {DEFAULT_APP: self._default, **{name: self._app(name, row) for name, row in rows.items()}}
        accept(list(apps.values()))
        self._apps = apps
        self._file.taken()
        return True

    def get(self, name: str) -> App | None:
        """The app of that name, or None."""
        return self._apps.get(AppName(name))

    def all(self) -> list[App]:
        """Every app, the default first."""
        return list(self._apps.values())

    def _app(self, name: AppName, row: Row) -> App:
        try:
            return App(
                name=name,
                client_id=row.get("client_id"),
                client_secret=row.get("client_secret"),
                tier=AppTier(row.get("tier", "starter")),
            )
        except ValueError as error:
            raise self._file.refusal(name, error) from error


class WebhookApps:
    """The signing keys of all apps; :meth:`refresh` picks up a changed file and keeps the old keys when it is broken."""

    def __init__(self, default: WebhookKeySettings, file: str | None = None, *, simulated: bool = False) -> None:
        """Take the keys as they are now.

        Args:
            default: those of the app called default.
            file: path of the apps file.
            simulated: whether the simulator's public key is taken.

        Raises:
            SettingsError: a key or the file is unusable.
        """
        self._simulated = simulated
        self._file = AppsFile(file)
        self.client_secrets = False
        """Whether the file holds client secrets too, which who verifies webhooks has no use for."""
        secret = default.webhook_keys
        try:
            self._default = parse(secret.get_secret_value() if secret else None, simulated=simulated)
        except WebhookKeyError as error:
            raise SettingsError(f"XERO_WEBHOOK_KEYS: {error}") from error
        self._keys: dict[AppName, tuple[bytes, ...]] = {DEFAULT_APP: self._default}
        self.refresh()

    @classmethod
    def read(cls) -> "WebhookApps":
        """From the environment.

        Raises:
            SettingsError: the environment, a key or the apps file is unusable.
        """
        simulated = is_loopback(XeroSettings.read().api_url)
        return cls(WebhookKeySettings.read(), AppsFileSettings.read().apps_file, simulated=simulated)

    def refresh(self) -> bool:
        """Re-read the file if it changed.

        Returns:
            Whether the keys were read again.

        Raises:
            SettingsError: the file or a key is unusable; the keys known so far stay in force.
        """
        rows = self._file.changed()
        if rows is None:
            return False
        self._keys = {DEFAULT_APP: self._default, **{name: self._parsed(name, row) for name, row in rows.items()}}
        self.client_secrets = any(row.get("client_secret") for row in rows.values())
        self._file.taken()
        return True

    def all(self) -> dict[AppName, tuple[bytes, ...]]:
        """Keys by app, newest first, as UTF-8 bytes exactly as Xero's portal shows them; empty where an app has none."""
        return dict(self._keys)

    def _parsed(self, name: AppName, row: Row) -> tuple[bytes, ...]:
        try:
            return parse(row.get("webhook_keys"), simulated=self._simulated)
        except WebhookKeyError as error:
            raise self._file.refusal(name, error) from error


def secrets_of(path: str | None) -> Iterator[str]:
    """Every secret of an apps file, usable or not, for the log's scrubber.

    Args:
        path: the file's; one that can't be read has none to keep.
    """
    try:
        rows = AppsFile(path).changed() or {}
    except SettingsError:
        return
    for row in rows.values():
        keys = row.get("webhook_keys")
        for value in (row.get("client_secret"), *(keys if isinstance(keys, list) else [keys])):
            if isinstance(value, str) and value.strip():
                yield from {value, *(part.strip() for part in value.split(",") if part.strip())}
