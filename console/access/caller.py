"""A caller whose key was found valid, and what a route asks of it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Annotated, cast

from fastapi import Depends, Request

from console.problem import ProblemError, forbidden, not_found, restricted, unauthorised
from xero_stream.contracts.api_key import ApiKey, Scope

CALLER = "xero_stream.caller"
"""Where the guard puts the caller into the ASGI scope."""
REQUEST_ID = "xero_stream.request_id"
"""Where the edge puts the id of a request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who calls.

    Attributes:
        key: the stored key.
        tenant_ids: the organisations that it may see; None: all.
        renew: looks the key up again, for streams that outlive it.
    """

    key: ApiKey
    tenant_ids: frozenset[str] | None
    renew: "Callable[[], Awaitable[Caller]]" = field(repr=False)

    @property
    def actor(self) -> str:
        """The name of the caller in the audit log."""
        return f"key {self.key.key_id}"

    def sees(self, tenant_id: str) -> bool:
        """Whether it may see an organisation.

        Args:
            tenant_id: which.
        """
        return self.tenant_ids is None or tenant_id in self.tenant_ids

    def require(self, tenant_id: str) -> None:
        """Go on only if it may see an organisation.

        Args:
            tenant_id: which.

        Raises:
            ProblemError: 404: it does not learn whether there is such an organisation.
        """
        if not self.sees(tenant_id):
            raise not_found("organisation")


class Guarded:
    """The dependency of every route: the caller, if its key has the route's scope."""

    def __init__(self, scope: Scope | None, *, of_all: bool = False) -> None:
        """Declare what a route asks for.

        Args:
            scope: the scope that the key must have; None: any valid key.
            of_all: the route concerns all organisations, so the key must not be restricted.
        """
        self.scope, self.of_all = scope, of_all

    def __call__(self, request: Request) -> Caller:
        """The caller.

        Raises:
            ProblemError: there is none (401), or its key does not suffice (403).
        """
        caller = cast("Caller | None", request.scope.get(CALLER))
        if caller is None:
            raise unauthorised()
        problem = self._problem(caller)
        if problem is not None:
            raise problem
        return caller

    def _problem(self, caller: Caller) -> ProblemError | None:
        if self.scope is not None and self.scope not in caller.key.scopes:
            return forbidden(self.scope)
        return restricted() if self.of_all and caller.key.is_restricted else None


AnyCaller = Annotated[Caller, Depends(Guarded(None))]
Reader = Annotated[Caller, Depends(Guarded(Scope.READ))]
Admin = Annotated[Caller, Depends(Guarded(Scope.ADMIN, of_all=True))]
