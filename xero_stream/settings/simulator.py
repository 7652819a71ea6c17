"""What the simulated Xero is like: its size, its liveliness, its address."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, HttpUrl, SecretStr, TypeAdapter, ValidationError, field_validator
from pydantic_settings import NoDecode

from xero_stream.settings.base import Section
from xero_stream.settings.xero import AppTier

DEMO_CLIENT_ID = "SIMULATOR0000000000000000CLIENT0"
DEMO_CLIENT_SECRET = "simulator-demo-client-secret-for-loopback-only"  # noqa: S105 - public on purpose: opens nothing but a simulator
DEMO_WEBHOOK_KEY = "c2ltdWxhdG9yK2RlbW8va2V5K2ZvcitzaWduaW5nL3dlYmhvb2tzK25vdC9hL3NlY3JldCtwYWRkZWQrdG8vNjQrYg=="
"""Looks as Xero's keys look (88 characters of base64), and must not be decoded either."""

_HTTP_URL = TypeAdapter(HttpUrl)


def _http_url(text: str) -> str:
    try:
        _HTTP_URL.validate_python(text)
    except ValidationError as error:
        raise ValueError("not an http or https URL, such as http://127.0.0.1:8080/webhooks/xero") from error
    return text


WebAddress = Annotated[str, AfterValidator(_http_url)]
"""A URL that webhooks can be sent to, as it was given."""


class SimulatorSettings(Section):
    """The simulator."""

    host: str = Field(default="127.0.0.1", alias="XERO_STREAM_SIMULATOR_HOST")
    """Address of the listener."""
    port: int = Field(default=8082, alias="XERO_STREAM_SIMULATOR_PORT", ge=1, le=65535)
    """Port of all endpoints: identity, connections, Accounting API and ``/_sim``."""
    host_names: Annotated[tuple[str, ...], NoDecode] = Field(default=(), alias="XERO_STREAM_SIMULATOR_HOST_NAMES")
    """Host names by which it may be called, separated by commas, besides ``localhost`` and IP addresses. Requests with another
    ``Host``, or with the ``Origin`` of another web page, are refused."""
    seed: int = Field(default=1, alias="XERO_STREAM_SIMULATOR_SEED", ge=0, lt=2**63)
    """Decides every id, name, amount and choice; the same seed gives the same books."""
    tenants: int = Field(default=3, alias="XERO_STREAM_SIMULATOR_TENANTS", ge=0, le=1000)
    """Organisations at the start."""
    contacts: int = Field(default=40, alias="XERO_STREAM_SIMULATOR_CONTACTS", ge=1, le=200_000)
    """Contacts per organisation at the start."""
    invoices: int = Field(default=200, alias="XERO_STREAM_SIMULATOR_INVOICES", ge=0, le=1_000_000)
    """Invoices (sales and bills) per organisation at the start."""
    credit_notes: int = Field(default=20, alias="XERO_STREAM_SIMULATOR_CREDIT_NOTES", ge=0, le=200_000)
    """Credit notes per organisation at the start."""
    edits_per_second: float = Field(default=0.0, alias="XERO_STREAM_SIMULATOR_EDITS_PER_SECOND", ge=0, le=5000)
    """Random valid edits a second, over all organisations; 0 leaves the books alone."""
    everything: bool = Field(default=False, alias="XERO_STREAM_SIMULATOR_EVERYTHING")
    """Edits of every kind of record, not only of those that Xero announces."""
    api_latency_ms: float = Field(default=0.0, alias="XERO_STREAM_SIMULATOR_API_LATENCY_MS", ge=0, le=60_000)
    """Latency added to each API call, milliseconds."""
    webhook_url: WebAddress | None = Field(default=None, alias="XERO_STREAM_SIMULATOR_WEBHOOK_URL")
    """URL that receives webhooks; empty: events are stored until a URL is set."""
    webhook_hosts: Annotated[tuple[str, ...], NoDecode] = Field(default=(), alias="XERO_STREAM_SIMULATOR_WEBHOOK_HOSTS")
    """Hosts (names or addresses, separated by commas) that the control API may send webhooks and intent to receive to, besides
    this machine's loopback and the host of the URL above."""
    webhook_key: SecretStr = Field(default=SecretStr(DEMO_WEBHOOK_KEY), alias="XERO_STREAM_SIMULATOR_WEBHOOK_KEY")
    """Signing key, used as its UTF-8 bytes."""
    webhook_categories: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), alias="XERO_STREAM_SIMULATOR_WEBHOOK_CATEGORIES"
    )
    """Categories that the app subscribes to, separated by commas: changes of other kinds send no event. Empty: all."""
    webhook_batch_ms: float = Field(default=20.0, alias="XERO_STREAM_SIMULATOR_WEBHOOK_BATCH_MS", ge=0, le=60_000)
    """How long events gather before they are sent together, milliseconds; 0 sends at once."""
    webhook_batch_events: int = Field(default=100, alias="XERO_STREAM_SIMULATOR_WEBHOOK_BATCH_EVENTS", ge=1, le=10_000)
    """Most events in one delivery (Xero publishes no figure)."""
    webhook_concurrency: int = Field(default=4, alias="XERO_STREAM_SIMULATOR_WEBHOOK_CONCURRENCY", ge=1, le=100)
    """Deliveries under way at once while the receiver is healthy."""
    webhook_retry_seconds: float = Field(
        default=900.0, alias="XERO_STREAM_SIMULATOR_WEBHOOK_RETRY_SECONDS", gt=0, le=86_400
    )
    """Time between retries of a delivery that failed twice, seconds."""
    webhook_event_lag_ms: int = Field(default=0, alias="XERO_STREAM_SIMULATOR_WEBHOOK_EVENT_LAG_MS", ge=0, le=60_000)
    """How far an event's date may lie after its record's ``UpdatedDateUTC``, milliseconds (drawn up to this)."""
    data_dir: Path | None = Field(default=None, alias="XERO_STREAM_SIMULATOR_DATA_DIR")
    """Directory of the books; empty: in memory only."""
    client_id: str = Field(default=DEMO_CLIENT_ID, alias="XERO_STREAM_SIMULATOR_CLIENT_ID")
    """Client id of the app that may ask for tokens."""
    client_secret: SecretStr = Field(default=SecretStr(DEMO_CLIENT_SECRET), alias="XERO_STREAM_SIMULATOR_CLIENT_SECRET")
    """Its secret."""
    tier: AppTier = Field(default=AppTier.CORE, alias="XERO_STREAM_SIMULATOR_TIER")
    """The app's pricing tier: sets calls a day per organisation (starter 1,000, the others 5,000)."""
    clock_start: datetime | None = Field(default=None, alias="XERO_STREAM_SIMULATOR_CLOCK_START")
    """Time at the start (UTC); empty: the machine's."""
    clock_rate: float = Field(default=1.0, alias="XERO_STREAM_SIMULATOR_CLOCK_RATE", ge=0, le=100_000)
    """Simulated seconds per real second; 0 stands still (each change still gets its own millisecond)."""

    @field_validator("host_names", "webhook_hosts", mode="before")
    @classmethod
    def _split_names(cls, value: Any) -> Any:
        return tuple(filter(None, map(str.strip, value.split(",")))) if isinstance(value, str) else value

    @field_validator("webhook_categories", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return (
            tuple(filter(None, (word.strip().upper() for word in value.split(","))))
            if isinstance(value, str)
            else value
        )
