"""For whom and why a call is made. Pure."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from xero_api.call import Priority
from xero_stream.contracts.names import AppName, TenantId

Leave = Callable[[], Awaitable[bool]]
"""Whether a second exchange may be made."""


@dataclass(frozen=True, slots=True)
class CallContext:
    """What all calls to an organisation have in common.

    Attributes:
        priority: how urgent it is; for the budget and the call record.
        again: asked before a second exchange (after a 401), which is a call of its own for Xero's limits; if it answers
            False the 401 is raised. None: it is made at once.
    """

    app: AppName
    tenant_id: TenantId
    priority: Priority = Priority.COMMAND
    again: Leave | None = None
