"""Xero: where it is, and the app that talks to it."""

from enum import StrEnum

from pydantic import Field, SecretStr

from xero_stream.settings.base import Section


class AppTier(StrEnum):
    """Xero's pricing tiers, the lowest first (https://developer.xero.com/faq/pricing-and-policy-updates, from 2026-03-02)."""

    STARTER = "starter"
    CORE = "core"
    PLUS = "plus"
    ADVANCED = "advanced"
    ENTERPRISE = "enterprise"

    def includes(self, other: "AppTier") -> bool:
        """Whether what comes with another tier comes with this one too.

        Args:
            other: the same or another tier.
        """
        lowest_first = tuple(AppTier)
        return lowest_first.index(self) >= lowest_first.index(other)

    @property
    def calls_per_day(self) -> int:
        """Calls a day for each organisation."""
        return 1_000 if self is AppTier.STARTER else 5_000

    @property
    def egress_bytes(self) -> int | None:
        """Bytes a month that may be read before Xero bills more; None: no limit, or one agreed on."""
        gigabytes = {AppTier.CORE: 10, AppTier.PLUS: 50, AppTier.ADVANCED: 250}.get(self)
        return None if gigabytes is None else gigabytes * 1_000_000_000

    @property
    def rapid_sync(self) -> bool:
        """Whether minute and day are lifted for the first half hour of a connection."""
        return self.includes(AppTier.PLUS)


class XeroSettings(Section):
    """Xero's addresses. All three point at the simulator in its place."""

    api_url: str = Field(default="https://api.xero.com", alias="XERO_API_URL")
    """Base URL of the Accounting API and ``/connections``."""
    identity_url: str = Field(default="https://identity.xero.com", alias="XERO_IDENTITY_URL")
    """Base URL of the token endpoint."""
    login_url: str = Field(default="https://login.xero.com", alias="XERO_LOGIN_URL")
    """Base URL of the authorise page."""
    http_timeout_seconds: float = Field(default=30.0, alias="XERO_STREAM_HTTP_TIMEOUT_SECONDS", gt=0, le=120)
    """How long one call may take in all."""


class DefaultAppSettings(Section):
    """The app called ``default``."""

    client_id: str | None = Field(default=None, alias="XERO_CLIENT_ID")
    """Client id of the default app."""
    client_secret: SecretStr | None = Field(default=None, alias="XERO_CLIENT_SECRET")
    """Client secret of the default app. An app of the PKCE type has none."""
    tier: AppTier = Field(default=AppTier.STARTER, alias="XERO_APP_TIER")
    """Pricing tier of the default app: starter, core, plus, advanced or enterprise. It sets the calls a day, whether a new
    connection's first half hour is unlimited (Rapid Sync, from plus on), and whether journals may be read (from advanced on)."""


class WebhookKeySettings(Section):
    """Webhook signing keys."""

    webhook_keys: SecretStr | None = Field(default=None, alias="XERO_WEBHOOK_KEYS")
    """Webhook signing keys of the default app as Xero's portal shows them, comma-separated, newest first; at least 32
    characters each. Without one the default app has no webhook path."""


class AppsFileSettings(Section):
    """More apps than one."""

    apps_file: str | None = Field(default=None, alias="XERO_STREAM_APPS_FILE")
    """TOML file of more apps (``[apps.NAME]``: client_id, client_secret unless it is of the PKCE type, webhook_keys,
    tier); re-read when changed."""
