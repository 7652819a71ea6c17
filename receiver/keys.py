"""Which path belongs to which app, and which keys its requests may be signed with."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import structlog

from xero_stream.contracts.names import DEFAULT_APP, AppName
from xero_stream.settings.apps import App, Apps
from xero_stream.settings.base import SettingsError

PATH = "/webhooks/xero"

_log = structlog.get_logger(__name__)


class Keys(NamedTuple):
    """What a path is checked against.

    Attributes:
        app: the app, or None where none has that name.
        keys: its keys, newest first; for an unknown app keys that nobody has.
    """

    app: AppName | None
    keys: tuple[bytes, ...]


class KeyRing:
    """The apps' keys by path.

    An app that doesn't exist is treated as one whose key the sender doesn't know: 401, by the same path. So nobody
    learns which names exist.
    """

    def __init__(self, apps: Apps, *, random_bytes: Callable[[int], bytes]) -> None:
        """Take the keys as they are now.

        Args:
            apps: the deployment's apps.
            random_bytes: makes the keys that nobody has.

        Raises:
            SettingsError: an app has no key.
        """
        self._apps = apps
        self._random_bytes = random_bytes
        keyless = [app.name for app in self._in_use() if not app.webhook_keys]
        if keyless:
            names = ", ".join(f"{_variable(name)} (app {name})" for name in keyless)
            raise SettingsError(f"no webhook signing key: set {names}; without one no request can be verified")
        self._by_path, self._unknown = self._index(self._in_use())

    def find(self, path: str) -> Keys | None:
        """What to check a request against.

        Args:
            path: as sent, with or without a query string.

        Returns:
            The keys, or None where no webhook is taken at that path.
        """
        keys = self._by_path.get(path)
        if keys is not None:
            return keys
        path = path.partition("?")[0].rstrip("/")
        keys = self._by_path.get(path)
        if keys is None and path.startswith(f"{PATH}/") and "/" not in path[len(PATH) + 1 :]:
            return self._unknown
        return keys

    def refresh(self) -> None:
        """Take over changes of the apps file; a file that can't be used changes nothing and is logged."""
        try:
            changed = self._apps.refresh()
        except SettingsError as error:
            _log.error("apps_file_unusable", detail=str(error))
            return
        if changed:
            apps = self._in_use()
            for app in apps:
                if not app.webhook_keys:
                    _log.error("app_without_key", app=app.name)
            self._by_path, self._unknown = self._index([app for app in apps if app.webhook_keys])
            _log.info("apps_read", apps=len(apps))

    def secrets(self) -> list[str]:
        """Every key as text, for the log's scrubber."""
        return [key.decode() for app in self._apps.all() for key in app.webhook_keys]

    def _in_use(self) -> list[App]:
        apps = self._apps.all()
        # Who configures apps in the file only has no app in the environment.
        return [app for app in apps if app.name != DEFAULT_APP or app.webhook_keys or app.client_id or len(apps) == 1]

    def _index(self, apps: Sequence[App]) -> tuple[dict[str, Keys], Keys]:
        by_path = {f"{PATH}/{app.name}": Keys(app.name, app.webhook_keys) for app in apps}
        if f"{PATH}/{DEFAULT_APP}" in by_path:
            by_path[PATH] = by_path[f"{PATH}/{DEFAULT_APP}"]
        most = max((len(app.webhook_keys) for app in apps), default=1)
        unknown = Keys(None, tuple(self._random_bytes(88) for _ in range(most)))
        by_path.setdefault(PATH, unknown)
        return by_path, unknown


def _variable(name: AppName) -> str:
    return "XERO_WEBHOOK_KEYS" if name == DEFAULT_APP else "webhook_keys in XERO_STREAM_APPS_FILE"
