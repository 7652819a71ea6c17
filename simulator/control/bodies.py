"""What the control API takes, checked at the edge. Keys are camelCase, as in Xero's own webhooks."""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from simulator.books.words import Endpoint
from simulator.edits.kinds import EditKind
from simulator.identity.grants import GrantKind
from simulator.webhooks.events import subscription
from xero_stream.settings.simulator import WebAddress


class Body(BaseModel):
    """A request body: unknown words are refused."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True, allow_inf_nan=False
    )


class NewTenant(Body):
    """``POST /_sim/tenants``: figures left out are the settings'."""

    name: str | None = None
    country: Literal["NZ", "GB", "AU"] | None = None
    contacts: int | None = Field(default=None, ge=1)
    invoices: int | None = Field(default=None, ge=0)
    credit_notes: int | None = Field(default=None, ge=0)


class Edits(Body):
    """``POST /_sim/edits``: ``count`` edits; what is left out is left to chance.

    Attributes:
        record_id: edit this record; for ``create`` of a document: for this contact.
        stamp: whether ``UpdatedDateUTC`` moves, where the kind lets one choose.
        webhook: whether Xero tells.
        event_date: ``now``, or ``record``: the record's ``UpdatedDateUTC`` even if it didn't move.
        weights: odds by kind instead of the usual ones.
        everything: without an endpoint: of every kind, not only of what Xero announces.
    """

    tenant_id: str | None = None
    endpoint: Endpoint | None = None
    count: int = Field(default=1, ge=1, le=100_000)
    kind: EditKind | None = None
    record_id: str | None = None
    stamp: bool | None = None
    webhook: bool = True
    event_date: Literal["now", "record"] = "now"
    weights: dict[EditKind, float] | None = None
    everything: bool = False


class RawRecord(Body):
    """``PUT /_sim/records``: any fields of a record as any JSON; ``remove`` takes fields away, ``reset`` what was set before.

    Attributes:
        webhook: whether Xero tells.
        stamp: whether ``UpdatedDateUTC`` moves.
    """

    fields: dict[str, Any] = Field(default_factory=dict)
    remove: list[str] = Field(default_factory=list)
    webhook: bool = True
    stamp: bool = True
    reset: bool = False


class Locks(Body):
    """``PUT /_sim/locks``: up to which day nothing may be written; what is left out stays, null opens the books again."""

    period: date | None = None
    end_of_year: date | None = None


class Forms(Body):
    """``PUT /_sim/forms``: in what an organisation's lists differ from single reads; what is left out stays.

    Attributes:
        rounding: invoices may be rounded; ``RoundingAmount``, ``EnteredTotal`` and the totals that reflect them come with single
            reads and writes only.
        lists_option_ids: whether lists give ``TrackingOptionID``.
    """

    rounding: bool | None = None
    lists_option_ids: bool | None = None


class NewGrant(Body):
    """``POST /_sim/grants``: tenants left out are all of them (one for client credentials).

    Attributes:
        lists_connections: whether its tokens may call ``/connections``: some custom connections' may not.
    """

    kind: GrantKind = GrantKind.REFRESH_TOKEN
    tenants: list[str] | None = None
    scopes: list[str] | None = None
    lists_connections: bool = True


class LimitsBody(Body):
    """``PUT /_sim/limits``: for one tenant, or for all and for tenants to come.

    Attributes:
        rapid_sync_seconds: how long minute and day don't limit a new connection.
        minute_remaining: calls left in this minute.
        day_remaining: calls left today.
        day_reset_seconds: when the day ends; the next one starts full.
    """

    tenant_id: str | None = None
    concurrent: int | None = Field(default=None, ge=0)
    minute: int | None = Field(default=None, ge=0)
    day: int | None = Field(default=None, ge=0)
    app_minute: int | None = Field(default=None, ge=0)
    rapid_sync_seconds: int | None = Field(default=None, ge=0)
    minute_remaining: int | None = Field(default=None, ge=0)
    day_remaining: int | None = Field(default=None, ge=0)
    day_reset_seconds: int | None = Field(default=None, ge=1)


class ClockBody(Body):
    """``PUT /_sim/clock``: jump to a time, jump ahead, change the pace; no jump goes beyond 2200-01-01."""

    now_ms: int | None = None
    ahead_seconds: float | None = Field(default=None, ge=0)
    rate: float | None = Field(default=None, ge=0, le=100_000)


class WebhooksQuery(Body):
    """``GET /_sim/webhooks``: seconds to wait for calm, and how many deliveries to show."""

    calm_within_seconds: float = Field(default=0, ge=0)
    limit: int = Field(default=200, ge=0)


class WebhookSettings(Body):
    """``PUT /_sim/webhooks``.

    Attributes:
        categories: what the app subscribes to; changes of other kinds send no event.
    """

    url: WebAddress | None = None
    key: str | None = None
    batch_ms: float | None = Field(default=None, ge=0)
    batch_events: int | None = Field(default=None, ge=1)
    retry_seconds: float | None = Field(default=None, gt=0)
    categories: Annotated[list[str], AfterValidator(subscription)] | None = None
    try_now: bool = False


class WebhookEvents(Body):
    """``POST /_sim/webhooks/events``: events made to order; ``together``: in one delivery."""

    events: list[dict[str, Any]] = Field(min_length=1)
    together: bool = True


class IntentToReceive(Body):
    """``POST /_sim/intent-to-receive``."""

    url: WebAddress | None = None


class TrafficBody(Body):
    """``PUT /_sim/traffic``; ``everything``: edits of every kind."""

    edits_per_second: float = Field(ge=0, le=5000)
    everything: bool = False
