"""``/v1/tenants``: the connected organisations, for reading."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field

from console.access.caller import Reader
from console.answer import answer
from console.problem import not_found
from console.store import Store
from xero_stream.contracts.ids import tenant_id_of
from xero_stream.contracts.names import TenantId
from xero_stream.store.tenants import Tenant, tenants


class Organisation(BaseModel):
    """A connected organisation."""

    tenant_id: str = Field(description="Xero's id, lower case.")
    name: str
    app: str = Field(description="The Xero app that it is connected through.")
    state: str = Field(description="connected, needs_reauth or disconnected.")
    customer_ref: str | None
    tags: Mapping[str, str]
    connected_at: datetime


class Organisations(BaseModel):
    """The organisations that the key may see."""

    tenants: Sequence[Organisation]


class TenantRoutes:
    """The organisations that a key may see."""

    def __init__(self, store: Store) -> None:
        """Nothing is asked yet.

        Args:
            store: where they are.
        """
        self._store = store

    def add_to(self, router: APIRouter) -> None:
        """Declare the routes.

        Args:
            router: of the API.
        """
        router.add_api_route("/v1/tenants", self.all, tags=["tenants"], responses={200: {"model": Organisations}})
        router.add_api_route(
            "/v1/tenants/{tenant_id}", self.one, tags=["tenants"], responses={200: {"model": Organisation}}
        )

    async def all(
        self,
        request: Request,
        caller: Reader,
        customer_ref: Annotated[str | None, Query(max_length=200, description="Only those of this customer.")] = None,
    ) -> Response:
        """List the organisations that the key may see, whatever their state."""
        found = [
            _shown(one)
            for one in await tenants(self._store.pool)
            if caller.sees(one.tenant_id) and customer_ref in {None, one.customer_ref}
        ]
        return answer(request, {"tenants": found})

    async def one(
        self,
        request: Request,
        caller: Reader,
        tenant_id: Annotated[str, Path(max_length=64, description="Xero's id, however it is spelled.")],
    ) -> Response:
        """Show one organisation."""
        wanted = tenant_id_of(tenant_id)
        if wanted is None:
            raise not_found("organisation")
        caller.require(wanted)
        found = await tenants(self._store.pool, tenant_id=TenantId(wanted))
        if not found:
            raise not_found("organisation")
        return answer(request, _shown(found[0]))


def _shown(one: Tenant) -> dict[str, Any]:
    return {
        "tenant_id": one.tenant_id,
        "name": one.name,
        "app": one.app,
        "state": one.state,
        "customer_ref": one.customer_ref,
        "tags": one.tags,
        "connected_at": one.connected_at,
    }
