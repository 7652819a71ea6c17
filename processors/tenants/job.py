"""What a tenant's task knows of its work: kinds of job that say what is due, jobs that say what to ask and what an answer means.

A kind of job is a folder of ``processors/jobs`` and one line in ``processors/jobs/registry.py``. The task calls, in this order:
:meth:`JobKind.due`; for a job that may start :meth:`Job.begin`; then :meth:`Job.request` and :meth:`Job.apply` until there is no
state to go on from; or :meth:`Job.on_error`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from xero_api.answers import Answer
from xero_api.call import Priority
from xero_api.errors import XeroError
from xero_api.requests import Request
from xero_api.verdicts import Act, Subject
from xero_stream.contracts.names import EntityName, RecordId, TenantId
from xero_stream.store.states import HoldState


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """What at most one call at a time is made for."""

    priority: Priority
    entity: EntityName | None
    alone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How a tenant stands when its kinds of job are asked what is due.

    Attributes:
        connection: to the store; the kinds read one after the other.
        entities: the kinds of record that may be read.
        now: the store's time.
        held: kinds of record that wait, and until when.
        busy: slots with a call in flight, or that wait.
        most: how many records a slot may ask for in one call, where that is fewer than usual.
    """

    connection: Any
    partition: int
    tenant_id: TenantId
    entities: Sequence[EntityName]
    now: datetime
    held: Mapping[EntityName, datetime]
    busy: Collection[Slot]
    most: Mapping[Slot, int]

    def later(self, entity: EntityName, not_before: datetime) -> datetime | None:
        """When work on a kind of record may begin; None: now.

        Args:
            entity: which.
            not_before: when it is due.
        """
        until = self.held.get(entity, not_before)
        return until if until > self.now else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What a kind of job has to do.

    Attributes:
        jobs: those that can start now, most urgent first.
        next_at: when the next thing falls due; None: nothing more.
    """

    jobs: Sequence["Job"] = ()
    next_at: datetime | None = None


class JobKind(Protocol):
    """A kind of job, of one tenant. It may remember what it likes while the tenant's task lasts."""

    async def due(self, look: Look) -> Due:
        """What there is to do.

        Args:
            look: how the tenant stands.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A call of a job that failed.

    Attributes:
        error: what Xero said, or what went wrong.
        act: what its verdict is; here only those that a job decides about.
        delay: seconds until the same may be tried again: they double with each failure of the slot.
        failures: of the slot, in a row.
        others_succeed: whether other slots' calls went well since this one began to fail: then it isn't Xero that is down.
        draw: a random number between 0 and 1, to spread what failed together.
    """

    error: XeroError
    act: Act
    delay: float
    failures: int
    others_succeed: bool
    draw: float

    @property
    def transient(self) -> bool:
        """Whether the same request may work later; else it never will."""
        return self.act in {Act.RETRY, Act.TELL}


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """The same again, later.

    Attributes:
        put_off: seconds; the job itself is written down as due no earlier (:meth:`Job.put_off`). None: it isn't.
        pause: seconds for which its slot waits. None: another job of the slot may start at once.
        fewer: the next call of the slot names fewer records than this many.
        shown: whether the job shows by itself that it fails; else its kind of record is shown as failing.
    """

    put_off: float | None = None
    pause: float | None = None
    fewer: int | None = None
    shown: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """One of several records spoils the call: its parts are asked for otherwise (:meth:`Job.split`).

    Attributes:
        pause: seconds for which the slot waits.
        failing: whether this counts as a failure of the kind of record.
    """

    pause: float | None = None
    failing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantine:
    """The job's record goes into quarantine: exactly tenant, entity and record.

    Attributes:
        after_some: only when our own code failed on it several times.
    """

    after_some: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """The kind of record waits, in the store; the others go on.

    Attributes:
        state: why, one word.
    """

    state: HoldState


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeUnknown:
    """Nobody knows whether Xero did it: the job has written down in ``begin`` what to look up. Nothing is sent again by the task."""


Reaction = Retry | Split | Quarantine | Hold | OutcomeUnknown
"""What a failure of a job leads to. Closed: the task carries each of them out."""


class Job(Protocol):
    """One thing to do for a tenant, by one call to Xero or several, one after the other.

    What fails is held against exactly what the job stands for: its tenant, entity and, where it has one, record.
    """

    @property
    def slot(self) -> Slot:
        """What at most one call at a time is made for; its priority says how urgent it is."""

    @property
    def entity(self) -> EntityName:
        """The kind of record that it is about."""

    @property
    def record_id(self) -> RecordId | None:
        """The record that it is about; None: several."""
        return None

    @property
    def subject(self) -> Subject:
        """What its requests ask for."""

    async def begin(self) -> Any:
        """Before anything is sent: write down what must be in the store by then.

        Returns:
            The state to start from, the job's own; None: there is nothing to do by now, and no call is made.
        """

    def request(self, state: Any) -> Request:
        """The next call to make.

        Args:
            state: where the job is.

        Raises:
            UnsendableError: there is no such request.
        """

    async def apply(self, state: Any, answer: Answer, marks: int) -> Any:
        """Have an answer recorded; what else belongs to it goes into the recorder's last transaction of it.

        Args:
            state: where the job was when it asked.
            answer: Xero's.
            marks: where the marks sequence stood when the request was sent.

        Returns:
            The state to go on from, for another call; None: done.
        """

    def on_error(self, failure: Failure) -> Reaction:
        """What a failed call leads to. Pure.

        Args:
            failure: what happened.
        """

    async def put_off(self, until: datetime, error: XeroError) -> None:
        """Write down that the job is due no earlier; only asked of jobs that return a :class:`Retry` with ``put_off``.

        Args:
            until: when.
            error: why.
        """
        told = f"{type(self).__name__} can't be put off until {until}"
        raise NotImplementedError(told) from error

    async def split(self) -> None:
        """Write down that the parts of the job are asked for otherwise; only asked of jobs that return a :class:`Split`."""
        told = f"{type(self).__name__} can't be split"
        raise NotImplementedError(told)
