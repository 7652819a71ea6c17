"""The words a kind of Xero record is described in. The facts are rows in ``xero_api/registry.py``. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from xero_api.dates import parse_moment
from xero_stream.contracts.change_event import DeletionReason
from xero_stream.contracts.ids import canonical_id
from xero_stream.contracts.names import EntityName, RecordId
from xero_stream.contracts.records.common import Record
from xero_stream.settings.xero import AppTier

Gone = DeletionReason
"""Why a record counts as deleted."""

NO_ID = "00000000-0000-0000-0000-000000000000"
"""How Xero writes "none" where an id is due."""

R = TypeVar("R", bound=Record)
Json = Mapping[str, Any]


class Stamp(StrEnum):
    """What shows that a record changed."""

    UPDATED = "UpdatedDateUTC"
    CREATED = (
        "CreatedDateUTC"  # it never moves; what changes all the same (a deleted transfer) is told by the later read
    )
    NONE = ""  # compare the whole record


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """``page`` from 1, ``pageSize`` where ``sized``.

    Attributes:
        sized: ``pageSize`` up to 1,000 and a ``pagination`` object in the answer; else 100 a page.
        drop_order: ``order`` must not be sent (it switches paging off there); else it is ``UpdatedDateUTC ASC``.
    """

    sized: bool
    drop_order: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Offset:
    """``offset`` is a number that grows along the list, 100 records an answer.

    Attributes:
        number_field: the field it counts by.
    """

    number_field: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """Everything in one answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ByIds:
    """Many records by id in one call.

    Attributes:
        parameter: the query parameter that takes ids separated by commas, or ``where`` for an OR of comparisons.
        limit: most ids per call that keep the query under 2,048 characters.
    """

    parameter: str
    limit: int


class Key(StrEnum):
    """What an id is."""

    GUID = "guid"
    WORD = "word"  # a code in capitals (TaxType, currency); our ids are in lower case, Xero's URLs are not


class Form(StrEnum):
    """In which form Xero gives a record; also what a metric or a call record calls it."""

    ONE = "one"  # GET of one record
    IDS = "ids"  # many by id
    PAGE = "page"  # of a list, or all of it
    WRITE = "write"  # the answer to a write


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A field that a form leaves out although the record may have a value there.

    Attributes:
        xeros: Xero's path to it, through lists too: ``LineItems.Tracking.TrackingOptionID``.
        ours: our path to it.
        same: for each list on the way the fields of our elements that say that two of them are the same one.
        skews: our fields that this form gives without what the left-out field adds to them.
    """

    xeros: str
    ours: str
    same: tuple[tuple[str, ...], ...] = ()
    skews: frozenset[str] = frozenset()

    def absent_in(self, raw: Json) -> bool:
        """Whether a record, or any element of its lists, comes without the field: null is a value."""
        *lists, key = self.xeros.split(".")
        return _lacks(raw, lists, key)


def _lacks(node: Json, lists: list[str], key: str) -> bool:
    if not lists:
        return key not in node
    inner = node.get(lists[0])
    return isinstance(inner, list) and any(isinstance(item, dict) and _lacks(item, lists[1:], key) for item in inner)


class Full(StrEnum):
    """Which reads carry the whole record."""

    EVERYWHERE = "everywhere"
    LISTS = "lists"  # there is no single read, or it carries less
    SINGLY = "singly"  # lists give summaries


class Scope(StrEnum):
    """Granular OAuth scopes, without their ``.read`` (https://developer.xero.com/documentation/guides/oauth2/scopes)."""

    ATTACHMENTS = "accounting.attachments"
    BANK_TRANSACTIONS = "accounting.banktransactions"
    BUDGETS = "accounting.budgets"  # read only
    CONTACTS = "accounting.contacts"
    INVOICES = "accounting.invoices"
    JOURNALS = "accounting.journals"  # read only
    MANUAL_JOURNALS = "accounting.manualjournals"
    PAYMENT_SERVICES = "paymentservices"  # read and write in one
    PAYMENTS = "accounting.payments"
    REPORTS_AGED = "accounting.reports.aged"  # reports are read only
    REPORTS_BALANCE_SHEET = "accounting.reports.balancesheet"
    REPORTS_BANK_SUMMARY = "accounting.reports.banksummary"
    REPORTS_BUDGET_SUMMARY = "accounting.reports.budgetsummary"
    REPORTS_EXECUTIVE_SUMMARY = "accounting.reports.executivesummary"
    REPORTS_PROFIT_AND_LOSS = "accounting.reports.profitandloss"
    REPORTS_TAX = "accounting.reports.taxreports"
    REPORTS_TRIAL_BALANCE = "accounting.reports.trialbalance"
    SETTINGS = "accounting.settings"

    @property
    def reading(self) -> str:
        """What to ask for to read."""
        return self.value if self is Scope.PAYMENT_SERVICES else f"{self.value}.read"

    @property
    def writing(self) -> str:
        """What to ask for to write and read; where nothing can be written, the same as :attr:`reading`."""
        return self.reading if self in _READ_ONLY else self.value

    @property
    def tier(self) -> AppTier:
        """The lowest pricing tier whose apps may ask for it (https://developer.xero.com/faq/pricing-and-policy-updates)."""
        return AppTier.ADVANCED if self is Scope.JOURNALS else AppTier.STARTER


_READ_ONLY = frozenset(
    scope for scope in Scope if scope.value.startswith("accounting.reports.") or scope.name in {"BUDGETS", "JOURNALS"}
)


class Part(StrEnum):
    """What hangs below a record: the last segment of its URL."""

    ALLOCATIONS = "Allocations"
    ATTACHMENTS = "Attachments"
    EMAIL = "Email"
    HISTORY = "History"
    PDF = "pdf"


class UpdateAt(StrEnum):
    """Where records are updated."""

    EITHER = "either"  # many at the collection, one at its own address
    COLLECTION = "collection"
    RECORD = "record"


@dataclass(frozen=True, slots=True, kw_only=True)
class Writes:
    """How records are written.

    Attributes:
        create: HTTP method that creates only; None: they come into being otherwise.
        update: HTTP method that updates or creates; None: they don't change once they are there.
        many: most records per call.
        delete: status to set, by the status it has; ``*`` for any other.
        natural_key: field that finds a record after a write with an unknown outcome; None if nothing does for sure.
        update_at: where updates go.
        summarizes: methods of the collection that take ``summarizeErrors``.
        removed: whether a record is deleted with HTTP DELETE, not by its status.
        include_online: whether an attachment can be shown with the online document.
        backorders: whether items may be sold beyond what is in stock (``allowBackorders``, OpenAPI 16.2.0).
    """

    create: str | None
    update: str | None
    many: int
    delete: Mapping[str, str]
    natural_key: str | None
    update_at: UpdateAt = UpdateAt.EITHER
    summarizes: frozenset[str] = frozenset({"PUT", "POST"})
    removed: bool = False
    include_online: bool = False
    backorders: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Entity(Generic[R]):
    """One kind of record: everything that differs between kinds.

    Attributes:
        name: our word: topic suffix, URL segment, metric label, CLI word.
        path: Xero's path segment below ``/api.xro/2.0/``.
        list_key: key of the list in an answer.
        id_field: field with the id.
        key: what the id is.
        model: the unified contract.
        unify: Xero's JSON → fields of the unified record from ``id`` on; raises ``InvalidRecordError``.
        stamp: what shows that a record changed.
        paging: how lists are read.
        modified_since: whether ``If-Modified-Since`` is honoured.
        by_ids: how many records are read by id; None: one by one.
        full: which reads carry the whole record.
        leaves_out: what a form leaves out; whatever else is missing in an answer is null in the record.
        always: parameters of every list read.
        on_single: parameters of every single read.
        filters: what else a caller may ask lists for; where lists give summaries, single reads too.
        status_field: field with the status.
        gone: which statuses mean the record is gone (voided and archived records stay readable: they are not).
        merged_into: field that names the record this one was merged into.
        vanishes: whether records can go without a trace (reconcile by the set of ids).
        webhook: Xero's ``eventCategory``; None: polled.
        scope: OAuth scope needed.
        billed: whether Xero bills what is read of it (https://developer.xero.com/faq/pricing-and-policy-updates).
        parts: what hangs below a record.
        writes: how it is written; None: read-only.
        differs: what is deliberately other than Xero's published OpenAPI: field of this row → reason.
    """

    name: EntityName
    path: str
    list_key: str
    id_field: str
    key: Key = Key.GUID
    model: type[R]
    unify: Callable[[Json], dict[str, Any]]
    stamp: Stamp
    paging: Pages | Offset | Whole
    modified_since: bool
    by_ids: ByIds | None = None
    full: Full = Full.EVERYWHERE
    leaves_out: Mapping[Form, tuple[LeftOut, ...]] = field(default_factory=lambda: MappingProxyType({}))
    always: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    on_single: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    filters: frozenset[str] = frozenset()
    status_field: str | None = None
    gone: Mapping[str, Gone] = field(default_factory=lambda: MappingProxyType({}))
    merged_into: str | None = None
    vanishes: bool = False
    webhook: str | None = None
    scope: Scope
    billed: bool = True
    parts: frozenset[Part] = frozenset()
    writes: Writes | None = None
    differs: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def unified(self, tenant_id: str, raw: Json) -> dict[str, Any]:
        """The unified record. Xero's JSON does not say whose record it is.

        Args:
            raw: the record as Xero sent it.

        Raises:
            InvalidRecordError: the record can't be mapped.
        """
        return {"tenant_id": canonical_id(tenant_id), **self.unify(raw)}

    def id_of(self, raw: Json) -> RecordId | None:
        """The record's id in its one spelling, or None if it has none."""
        value = raw.get(self.id_field)
        return RecordId(canonical_id(value)) if isinstance(value, str) and value else None

    def version(self, raw: Json) -> datetime | None:
        """When the record last changed (milliseconds, UTC), or None if it doesn't say."""
        for key in (self.stamp.value, f"{self.stamp.value}String"):
            value = raw.get(key)
            moment = parse_moment(value) if isinstance(value, str) else None
            if moment is not None:
                return moment
        return None

    def absent(self, raw: Json, form: Form) -> tuple[LeftOut, ...]:
        """What this form leaves out, and this answer did leave out.

        Args:
            raw: the record as Xero sent it.
            form: how it was read.
        """
        return tuple(one for one in self.leaves_out.get(form, ()) if one.absent_in(raw))

    def gone_as(self, raw: Json) -> Gone | None:
        """Why the record counts as deleted, or None if it is there."""
        merged_into = raw.get(self.merged_into) if self.merged_into else None
        if isinstance(merged_into, str) and merged_into and merged_into != NO_ID:
            return Gone.MERGED
        status = raw.get(self.status_field) if self.status_field else None
        return self.gone.get(status.upper()) if isinstance(status, str) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class View(Generic[R]):
    """Some records of a kind, under a name of their own.

    Attributes:
        name: our word.
        entity: the kind.
        filters: what to ask lists for, in Xero's parameters.
        only: which words a field must have, by Xero's field.
    """

    name: str
    entity: Entity[R]
    filters: Mapping[str, str]
    only: Mapping[str, str]

    def shows(self, raw: Json) -> bool:
        """Whether a record, read in whatever way, belongs to the view."""
        return all(str(raw.get(key) or "").upper() == word for key, word in self.only.items())
