"""The port that gives permits to call an organisation, and the ledger in memory."""

from typing import Protocol, TypeVar

from xero_api.budget.tenant import Wait
from xero_api.call import Priority

P_co = TypeVar("P_co", covariant=True)


class CallLedger(Protocol[P_co]):
    """Where each exchange gets its permit before it is sent, and is written down when it has ended.

    The budget of :class:`~xero_api.calling.caller.BudgetedCaller` knows the calls of its own process only; it plans. The
    ledger decides: where several processes may call for one organisation, it counts the calls of all, and refuses.
    """

    async def permit(self, call_id: int, priority: Priority) -> P_co | Wait:
        """A permit for one exchange, on record before this returns.

        Args:
            call_id: unique among the organisation's calls.

        Returns:
            The permit, or until when and why there is none.

        Raises:
            Exception: whatever forbids the call; nothing is sent.
        """

    def finished(self, call_id: int, *, day_left: int | None, abandoned: bool) -> None:
        """The exchange has ended. Returns at once: the answer does not wait for the record.

        Args:
            day_left: calls of the day that are left by Xero's answer; None where it gave no number to believe.
            abandoned: we gave up on it: Xero may still be busy with it for some seconds.
        """


class MemoryLedger:
    """For a process that alone calls its organisations: the budget has decided, and there is nothing to write down."""

    async def permit(self, call_id: int, priority: Priority) -> None:
        """Always."""

    def finished(self, call_id: int, *, day_left: int | None, abandoned: bool) -> None:
        """Nothing is kept."""
