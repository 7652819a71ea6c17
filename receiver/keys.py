"""Which path belongs to which app, and which keys its requests may be signed with."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import structlog

from xero_stream.contracts.names import DEFAULT_APP, AppName
from xero_stream.settings.apps import WebhookApps
from xero_stream.settings.base import SettingsError

PATH = "/webhooks/xero"
_DEFAULT_PATH = f"{PATH}/{DEFAULT_APP}"

_log = structlog.get_logger(__name__)


class Keys(NamedTuple):
    """What a path is checked against.

    Attributes:
        app: the app, or None where none has that name.
        keys: its keys, newest first, then keys that nobody has; for an unknown app only those.
    """

    app: AppName | None
    keys: tuple[bytes, ...]


class KeyRing:
    """The apps' keys by path.

    An app that doesn't exist, or has no key, is treated as one whose key the sender doesn't know: 401, by the same path. So
    nobody learns which names exist.
    """

    def __init__(self, apps: WebhookApps, *, random_bytes: Callable[[int], bytes]) -> None:
        """Take the keys as they are now.

        Args:
            apps: the apps' keys.
            random_bytes: makes the keys that nobody has.

        Raises:
            SettingsError: no app has a key.
        """
        self._apps = apps
        self._random_bytes = random_bytes
        self._refused: str | None = None
        if not any(apps.all().values()):
            raise SettingsError(
                "no webhook signing key: set XERO_WEBHOOK_KEYS (or webhook_keys in XERO_STREAM_APPS_FILE) to the key from Xero's "
                "developer portal; without one no request can be verified"
            )
        self._by_name, self._unknown = self._index(apps.all())

    def find(self, path: str) -> Keys | None:
        """What to check a request against.

        Args:
            path: the request's target as sent: in origin-form or absolute-form (RFC 9112, 3.2), with or without a query string.

        Returns:
            The keys, or None where no webhook is taken at that path.
        """
        # The same steps for every name: what exists must not be told by time.
        if not path.startswith("/"):
            path = _origin_form(path)
        path = path.partition("?")[0].rstrip("/")
        if path == PATH:
            path = _DEFAULT_PATH
        head, _, name = path.rpartition("/")
        return self._by_name.get(name, self._unknown) if head == PATH else None

    def refresh(self) -> None:
        """Take over changes of the apps file; a file that can't be used changes nothing and is logged, once."""
        try:
            changed = self._apps.refresh()
        except SettingsError as error:
            if str(error) != self._refused:
                self._refused = str(error)
                _log.error("apps_file_unusable", detail=self._refused)
            return
        self._refused = None
        if changed:
            apps = self._apps.all()
            self._by_name, self._unknown = self._index(apps)
            _log.info("apps_read", apps=sum(map(bool, apps.values())))
            self.warn()
            if not any(apps.values()):
                _log.error("no_app_has_a_key", detail="every webhook is answered 401 until one has")

    def warn(self) -> None:
        """Log what works, and is not as it should be."""
        for name, keys in self._apps.all().items():
            # Who configures apps in the file only has no app in the environment.
            if not keys and name != DEFAULT_APP:
                _log.warning("app_without_key", app=name, detail="it has no webhook path")
        if self._apps.client_secrets:
            _log.warning(
                "apps_file_has_client_secrets", detail="give the receiver a file of its own, with webhook_keys alone"
            )

    def secrets(self) -> list[str]:
        """Every key as text, for the log's scrubber."""
        return [key.decode() for keys in self._apps.all().values() for key in keys]

    def _index(self, apps: Mapping[AppName, tuple[bytes, ...]]) -> tuple[dict[str, Keys], Keys]:
        most = max((len(keys) for keys in apps.values()), default=0) or 1
        # Everybody has as many keys as who has most of them, or their number would tell who is who.
        none = tuple(self._random_bytes(88) for _ in range(most))
        by_name: dict[str, Keys] = {name: Keys(name, (*keys, *none)[:most]) for name, keys in apps.items() if keys}
        return by_name, Keys(None, none)


def _origin_form(target: str) -> str:
    """The path and query of a target in absolute-form; RFC 9112, 3.2.2: a server takes that too."""
    scheme, mark, rest = target.partition("://")
    if not mark or scheme.lower() not in ("http", "https"):
        return ""
    return "/" + rest.partition("?")[0].partition("/")[2]
