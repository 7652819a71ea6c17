"""Xero: where it is, and the app that talks to it."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import NoDecode

from xero_stream.settings.addresses import AddressError, xero_url
from xero_stream.settings.base import InSettingError, Section


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
    plain_http_hosts: Annotated[tuple[str, ...], NoDecode] = Field(default=(), alias="XERO_STREAM_PLAIN_HTTP_HOSTS")
    """Hosts to which the addresses above may lead by plain ``http``, comma-separated: a simulator in another container. This
    machine's loopback needs no mention."""
    http_timeout_seconds: float = Field(default=30.0, alias="XERO_STREAM_HTTP_TIMEOUT_SECONDS", gt=0, le=120)
    """Total time limit of one call."""

    @field_validator("plain_http_hosts", mode="before")
    @classmethod
    def _hosts(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _addresses(self) -> Self:
        for name, field in type(self).model_fields.items():
            if name.endswith("_url"):
                try:
                    object.__setattr__(self, name, xero_url(getattr(self, name), plain_http=self.plain_http_hosts))
                except AddressError as error:
                    raise InSettingError(field.alias or name, str(error)) from None
        return self


class DefaultAppSettings(Section):
    """The app called ``default``."""

    client_id: str | None = Field(default=None, alias="XERO_CLIENT_ID")
    """Client id of the default app."""
    client_secret: SecretStr | None = Field(default=None, alias="XERO_CLIENT_SECRET")
    """Client secret of the default app. A PKCE app has none."""
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
