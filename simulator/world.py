"""Everything the simulator is: organisations, clock, chance, grants, limits, faults, events that wait.

It is what the HTTP parts share, and the one place where a change of the books becomes kept and announced.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from simulator.accounting_api.encoding import Encoder
from simulator.accounting_api.parts import AttachmentStore
from simulator.books.organisation import Change, Organisation
from simulator.books.profile import Profile
from simulator.books.words import Endpoint
from simulator.chance import Chance, draw_uuid
from simulator.clock import Clock
from simulator.faults.plan import FaultPlan
from simulator.identity.access import AccessTokens
from simulator.identity.grants import DEFAULT_SCOPES, Client, Connection, Grant, GrantKind, Grants
from simulator.identity.signing import drawn_key
from simulator.keeping.books import Keeping, Kept
from simulator.limits.counts import Counts
from simulator.limits.windows import MINUTE_MS, RAPID_SYNC_SECONDS, Allowance, TenantLimits, Window
from simulator.sample.organisations import draw_organisation, draw_profile
from simulator.webhooks.events import CATEGORY, Event, event_body, subscription
from simulator.webhooks.outbox import Outbox
from xero_stream.settings.base import SettingsError
from xero_stream.settings.simulator import SimulatorSettings


@dataclass(slots=True, kw_only=True)
class AppLimits:
    """What every app gets: per tenant, and in its own minute over all tenants."""

    allowance: Allowance
    app_minute: int


class World:
    """The simulated Xero, without its wires."""

    def __init__(
        self, *, settings: SimulatorSettings, keeping: Keeping, kept: Kept | None, clock: Clock, chance: Chance
    ) -> None:
        """Open kept books, or draw new ones.

        Args:
            settings: what it is like.
            keeping: where changes are kept.
            kept: what was found there.
            chance: its randomness, of the kept books' seed and boot if there are any.

        Raises:
            SettingsError: a webhook category that Xero does not have.
        """
        self.settings = settings
        self.clock = clock
        self.chance = chance
        self.seed = settings.seed if kept is None else kept.seed
        self.ids = chance.stream("ids")
        self._answers = chance.stream("answers")
        self.faults = FaultPlan()
        self.fault_dice = chance.stream("faults")
        self.counts = Counts()
        self.limits = AppLimits(
            allowance=Allowance(
                day=settings.tier.calls_per_day,
                rapid_sync_seconds=RAPID_SYNC_SECONDS if settings.tier.rapid_sync else 0,
            ),
            app_minute=10_000,
        )
        self.organisations: dict[str, Organisation] = {}
        self.encoders: dict[str, Encoder] = {}
        self.outbox = Outbox()
        self.on_events: Callable[[], None] = lambda: None
        try:
            self.subscribed = subscription(settings.webhook_categories or CATEGORY.values())
        except ValueError as error:
            raise SettingsError(f"XERO_STREAM_SIMULATOR_WEBHOOK_CATEGORIES: {error}") from error
        self._tenant_limits: dict[tuple[str, str], TenantLimits] = {}
        self._app_windows: dict[str, Window] = {}
        self._keeping = keeping
        self._lags = chance.stream("event lag")
        self._tenant_draws = chance.stream("tenants")
        self._next_sequence = kept.next_sequence if kept else 1
        self.papers = AttachmentStore.kept(kept.papers if kept else (), keeping.save_paper)
        self.grants = Grants(kept.clients, kept.grants) if kept else Grants()
        self.access = AccessTokens(key=partial(drawn_key, self.seed))
        if kept is not None:
            self._take_over(kept)
        else:
            keeping.begin(settings.seed)
            for _ in range(settings.tenants):
                self.add_tenant()
        client = Client(id=settings.client_id, secret=settings.client_secret.get_secret_value())
        self.add_client(client)

    def _take_over(self, kept: Kept) -> None:
        self.clock.not_before(kept.newest_ms)
        for organisation in kept.organisations:
            self._admit(organisation)
        self.outbox.add(kept.events)

    def _admit(self, organisation: Organisation) -> None:
        self.organisations[organisation.id] = organisation
        self.encoders[organisation.id] = Encoder(organisation)

    # -- tenants and grants -------------------------------------------------------------------------------------------

    def add_tenant(
        self,
        *,
        name: str | None = None,
        country: str | None = None,
        contacts: int | None = None,
        invoices: int | None = None,
        credit_notes: int | None = None,
    ) -> Organisation:
        """A new organisation with a past; None takes the settings' figures."""
        settings = self.settings
        profile = draw_profile(self._tenant_draws, len(self.organisations), name=name, country=country)
        organisation = draw_organisation(
            self.chance.stream(f"tenant {profile.id}"),
            profile,
            contacts=settings.contacts if contacts is None else contacts,
            invoices=settings.invoices if invoices is None else invoices,
            credit_notes=settings.credit_notes if credit_notes is None else credit_notes,
        )
        self._keeping.add_organisation(organisation)
        self._admit(organisation)
        return organisation

    def add_client(self, client: Client) -> None:
        """An app that may ask for tokens."""
        self.grants.add_client(client)
        self._keeping.save_client(client)

    def add_grant(
        self,
        *,
        kind: GrantKind,
        client_id: str,
        tenants: Sequence[str],
        scopes: Sequence[str] | None = None,
        lists_connections: bool = True,
    ) -> Grant:
        """A consent, as if a user had gone through the browser."""
        now_ms = self.clock.now_ms()
        auth_event_id = self.new_id()
        connections = [
            Connection(
                id=self.new_id(), tenant_id=tenant, auth_event_id=auth_event_id, created_ms=now_ms, updated_ms=now_ms
            )
            for tenant in tenants
        ]
        grant = Grant(
            id=self.new_id(),
            kind=kind,
            client_id=client_id,
            user_id=self.new_id(),
            auth_event_id=auth_event_id,
            scopes=tuple(scopes) if scopes is not None else DEFAULT_SCOPES,
            lists_connections=lists_connections,
            connections={connection.id: connection for connection in connections},
        )
        if kind is GrantKind.REFRESH_TOKEN:
            grant.live[self.new_refresh_token()] = now_ms
        self.grants.add(grant)
        self._keeping.save_grant(grant)
        return grant

    def save_grant(self, grant: Grant) -> None:
        """Keep a grant after it changed."""
        self._keeping.save_grant(grant)

    def new_id(self) -> str:
        """A fresh GUID."""
        return draw_uuid(self.ids)

    def answer_id(self) -> str:
        """A GUID for an answer; of a stream of its own, so that reading changes nothing else that is drawn."""
        return draw_uuid(self._answers)

    def new_refresh_token(self) -> str:
        """A fresh refresh token."""
        return f"{self.ids.getrandbits(256):064x}"

    def tenant_limits(self, client_id: str, tenant_id: str) -> TenantLimits:
        """The limits of one tenant for one app."""
        key = (client_id, tenant_id)
        limits = self._tenant_limits.get(key)
        if limits is None:
            limits = self._tenant_limits[key] = TenantLimits(f"{client_id}:{tenant_id}", self.limits.allowance)
        return limits

    def app_window(self, client_id: str) -> Window:
        """The minute of an app, over all its tenants."""
        window = self._app_windows.get(client_id)
        if window is None:
            window = self._app_windows[client_id] = Window(length_ms=MINUTE_MS, offset_ms=0)
        return window

    def app_remaining(self, client_id: str) -> int:
        """``X-AppMinLimit-Remaining``."""
        return max(0, self.limits.app_minute - self.app_window(client_id).used)

    def all_limits(self) -> list[tuple[tuple[str, str], TenantLimits]]:
        """Limits in use, by client and tenant."""
        return list(self._tenant_limits.items())

    def set_limits(
        self,
        *,
        tenant_id: str | None = None,
        concurrent: int | None = None,
        minute: int | None = None,
        day: int | None = None,
        app_minute: int | None = None,
        rapid_sync_seconds: int | None = None,
        minute_remaining: int | None = None,
        day_remaining: int | None = None,
        day_reset_seconds: int | None = None,
    ) -> None:
        """Allow less or more, or use most of it up; for one tenant, or for all and those to come."""
        self.limits.app_minute = self.limits.app_minute if app_minute is None else app_minute

        def changed(allowance: Allowance) -> Allowance:
            return Allowance(
                concurrent=allowance.concurrent if concurrent is None else concurrent,
                minute=allowance.minute if minute is None else minute,
                day=allowance.day if day is None else day,
                rapid_sync_seconds=allowance.rapid_sync_seconds if rapid_sync_seconds is None else rapid_sync_seconds,
            )

        if tenant_id is None:
            self.limits.allowance = changed(self.limits.allowance)
        else:
            for client in self.grants.clients:
                self.tenant_limits(client.id, tenant_id)
        now_ms = self.clock.now_ms()
        for (_, owner), limits in self._tenant_limits.items():
            if tenant_id in (None, owner):
                limits.allowance = changed(limits.allowance)
                limits.use_up(now_ms, minute_remaining, day_remaining, day_reset_seconds)

    # -- changes ------------------------------------------------------------------------------------------------------

    def commit(
        self,
        organisation: Organisation,
        changes: Iterable[Change],
        *,
        announce: bool = True,
        dated_as_record: bool = False,
    ) -> list[Event]:
        """Keep what changed, and queue the webhooks of the categories that the app subscribed to.

        Args:
            organisation: in whose books.
            changes: what an operation answered.
            announce: whether Xero tells.
            dated_as_record: the event's date is the record's ``UpdatedDateUTC`` even if that didn't move.
        """
        changes = list(changes)
        events = [
            self._event(organisation.profile, one, dated_as_record=dated_as_record)
            for one in changes
            if announce and not one.silent and CATEGORY.get(one.endpoint) in self.subscribed
        ]
        self._keeping.save(organisation.profile, [*changes, *organisation.take_followed()], events)
        self._queue(events)
        return events

    def announce(self, bodies: Sequence[tuple[str, str, bytes]], *, together: bool) -> list[Event]:
        """Queue events made to order.

        Args:
            bodies: tenant id, endpoint or category, and the event's JSON.
            together: all in one delivery, however many.
        """
        parcel = self._next_sequence if together else None
        now_ms = self.clock.now_ms()
        events = [
            Event(
                sequence=self._take_sequence(), at_ms=now_ms, tenant_id=tenant, endpoint=endpoint, body=body,
                parcel=parcel,
            )
            for tenant, endpoint, body in bodies
        ]  # fmt: skip
        self._keeping.add_events(events)
        self._queue(events)
        return events

    def settle(self, events: Iterable[Event]) -> None:
        """Those events are delivered, or lost on purpose."""
        self._keeping.settle_events(event.sequence for event in events)

    def _event(self, profile: Profile, change: Change, *, dated_as_record: bool) -> Event:
        lag = self.settings.webhook_event_lag_ms
        at_ms = (change.record.updated_ms if dated_as_record else change.at_ms) + (
            self._lags.randint(0, lag) if lag else 0
        )
        return Event(
            sequence=self._take_sequence(),
            at_ms=at_ms,
            tenant_id=profile.id,
            endpoint=change.endpoint.value,
            body=event_body(change, profile.id, at_ms),
        )

    def _take_sequence(self) -> int:
        sequence = self._next_sequence
        self._next_sequence += 1
        return sequence

    def _queue(self, events: Sequence[Event]) -> None:
        if events:
            self.outbox.add(events)
            self.on_events()

    def tenant_summary(self, organisation: Organisation) -> dict[str, Any]:
        """As ``GET /_sim/tenants`` shows it."""
        profile = organisation.profile
        return {
            "tenantId": profile.id,
            "name": profile.name,
            "country": profile.country,
            "currency": profile.currency,
            "records": {endpoint.value: len(organisation.shelf(endpoint)) for endpoint in Endpoint},
        }

    def close(self) -> None:
        """Release the books."""
        self._keeping.close()
