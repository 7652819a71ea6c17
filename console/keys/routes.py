"""``/v1/me``, ``/v1/api-keys``, ``/v1/audit``."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from console.access.caller import REQUEST_ID, Admin, AnyCaller
from console.answer import answer
from console.problem import invalid, not_found
from console.store import Store
from xero_stream.contracts.api_key import ApiKey, KeyState, Scope
from xero_stream.contracts.ids import tenant_id_of
from xero_stream.store.api_keys import NewKey, api_keys, create, described, revoke
from xero_stream.store.audit import Entry, entries
from xero_stream.store.clock import utc_now

_LONGEST_LIFE = timedelta(days=3650)


def _printable(text: str) -> str:
    if not text.isprintable() or not text.strip():
        raise ValueError("needs printable characters")
    return text


def _tenant_id(text: str) -> str:
    found = tenant_id_of(text)
    if found is None:
        raise ValueError("not a tenant id of Xero's (a GUID)")
    return found


Text = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_printable)]
TenantIdText = Annotated[str, Field(max_length=64), AfterValidator(_tenant_id)]


class KeyWanted(BaseModel):
    """A key to make."""

    model_config = ConfigDict(extra="forbid")

    name: Text = Field(description="What uses it; for people.", examples=["reporting"])
    scopes: list[Scope] = Field(min_length=1, max_length=len(Scope), description="What it may do.")
    tenant_ids: list[TenantIdText] | None = Field(
        default=None, min_length=1, max_length=1000, description="Only these organisations; null: all."
    )
    customer_ref: Text | None = Field(default=None, description="Only the organisations of this customer; null: all.")
    expires_at: AwareDatetime | None = Field(default=None, description="When it ends; null: never.")


class Key(BaseModel):
    """An API key, without its secret."""

    key_id: str
    name: str
    scopes: list[str]
    state: KeyState
    tenant_ids: list[str] | None = Field(description="The organisations that it is restricted to; null: all.")
    customer_ref: str | None = Field(description="The customer that it is restricted to; null: all.")
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None = Field(description="Within a minute.")


class KeyMade(Key):
    """A new API key."""

    key: str = Field(description="The key itself. It is shown this once.")


class Keys(BaseModel):
    """All API keys."""

    api_keys: Sequence[Key]


class AuditEntry(BaseModel):
    """A change that somebody made."""

    id: int
    at: datetime
    actor: str = Field(description="`key KEY_ID` or `USER@HOST`.")
    action: str = Field(examples=["api-key.create"])
    subject: str = Field(description="The id of what it concerns.")
    request_id: str | None = Field(description="Of the HTTP request; null: it was a command.")
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


class AuditPage(BaseModel):
    """Entries of the audit log, the newest first."""

    entries: Sequence[AuditEntry]
    next_before: int | None = Field(description="`before` of the next page; null: there is none.")


class KeyRoutes:
    """Keys are made, listed and ended by keys with the scope admin."""

    def __init__(self, store: Store) -> None:
        """Nothing is asked yet.

        Args:
            store: where keys and the audit log are.
        """
        self._store = store

    def add_to(self, router: APIRouter) -> None:
        """Declare the routes.

        Args:
            router: of the API.
        """
        add = router.add_api_route
        add("/v1/me", self.me, tags=["keys"], responses={200: {"model": Key}})
        add("/v1/api-keys", self.all, tags=["keys"], responses={200: {"model": Keys}})
        add(
            "/v1/api-keys",
            self.create,
            methods=["POST"],
            status_code=201,
            tags=["keys"],
            responses={201: {"model": KeyMade}},
        )
        add("/v1/api-keys/{key_id}", self.revoke, methods=["DELETE"], tags=["keys"], responses={200: {"model": Key}})
        add("/v1/audit", self.audit, tags=["keys"], responses={200: {"model": AuditPage}})

    async def me(self, request: Request, caller: AnyCaller) -> Response:
        """Show the key that calls: its scopes, its restriction, when it ends."""
        return answer(request, _shown(caller.key))

    async def all(self, request: Request, caller: Admin) -> Response:
        """List all keys, the newest first, ended ones too."""
        del caller
        return answer(request, {"api_keys": [_shown(key) for key in await api_keys(self._store.pool)]})

    async def create(self, request: Request, caller: Admin, wanted: KeyWanted) -> Response:
        """Make a key. The answer is the only place where the key itself is shown."""
        now = utc_now()
        if wanted.expires_at is not None and not now < wanted.expires_at <= now + _LONGEST_LIFE:
            raise invalid("expires_at is not in the next ten years.")
        new = NewKey(
            name=wanted.name,
            scopes=wanted.scopes,
            tenant_ids=wanted.tenant_ids,
            customer_ref=wanted.customer_ref,
            expires_at=wanted.expires_at,
        )
        stored, key = await create(self._store.pool, new, actor=caller.actor, request_id=request.scope[REQUEST_ID])
        made = answer(request, {**_shown(stored), "key": str(key)}, status=201)
        made.headers["Cache-Control"] = "no-store"
        return made

    async def revoke(
        self,
        request: Request,
        caller: Admin,
        key_id: Annotated[str, Path(pattern="^[0-9a-f]{12}$", description="The key's id.")],
    ) -> Response:
        """End a key. A key that has ended stays as it is. Running consoles notice within five seconds."""
        found = await revoke(self._store.pool, key_id, actor=caller.actor, request_id=request.scope[REQUEST_ID])
        if found is None:
            raise not_found("API key")
        return answer(request, _shown(found))

    async def audit(
        self,
        request: Request,
        caller: Admin,
        limit: Annotated[int, Query(ge=1, le=1000, description="Entries of a page.")] = 100,
        before: Annotated[
            int | None, Query(ge=1, le=2**63 - 1, description="`next_before` of the page before.")
        ] = None,
        subject: Annotated[Text | None, Query(description="Only what concerns this id.")] = None,
    ) -> Response:
        """Show who changed what and when, the newest first."""
        del caller
        found = await entries(self._store.pool, limit=limit, before=before, subject=subject)
        last = found[-1].id if len(found) == limit else None
        return answer(request, {"entries": [_entry(one) for one in found], "next_before": last})


def _shown(key: ApiKey) -> dict[str, Any]:
    return {**described(key), "state": key.state(utc_now())}


def _entry(entry: Entry) -> dict[str, Any]:
    act = entry.act
    return {
        "id": entry.id,
        "at": entry.at,
        "actor": act.actor,
        "action": act.action,
        "subject": act.subject,
        "request_id": act.request_id,
        "before": act.before,
        "after": act.after,
    }
