"""Over every route that exists: nothing without a key, nothing with too few scopes, nothing of organisations that the key may not see."""

from itertools import product
from urllib.parse import quote

import pytest
from fastapi.routing import APIRoute

from console.access.caller import Guarded
from console.api import build
from console.app import features
from console.changes.tail import Tail
from console.endpoint.openapi import UnguardedError, guard_of
from console.store import Store
from tests.integration.console.conftest import A, B, C, RunningConsole
from xero_stream.contracts.api_key import Scope
from xero_stream.settings.store import StoreSettings

CUSTOMERS = {A: "c-1", B: "c-1", C: "c-2"}


def routes() -> list[tuple[str, str, Guarded]]:
    """Method, path and guard of every route."""
    store = Store(StoreSettings())
    app, _ = build(features(store, Tail(store)))
    found = [
        (method, route.path, guard_of(route))
        for route in app.routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    ]
    assert len(found) >= 8
    return found


ROUTES = routes()


def paths(path: str) -> list[str]:
    """A path with each organisation in it."""
    return [path.format(tenant_id=one, key_id="0" * 12) for one in (A, B, C)] if "{" in path else [path]


@pytest.mark.parametrize(("method", "path", "guard"), ROUTES, ids=lambda one: str(one) if isinstance(one, str) else "")
async def test_nothing_without_a_key_or_its_scope(
    console: RunningConsole, method: str, path: str, guard: Guarded
) -> None:
    """401 without a key; 403 with a key that has every scope but the one asked for."""
    async with console.client() as client:
        without = await client.request(method, paths(path)[0])
        assert (without.status_code, without.json()["code"]) == (401, "unauthorised")
        if guard.scope is not None:
            key = await console.key(*(scope for scope in Scope if scope is not guard.scope))
            lacking = await client.request(method, paths(path)[0], headers={"Authorization": f"Bearer {key}"})
            assert (lacking.status_code, lacking.json()["code"]) == (403, "scope_missing")


async def test_no_key_shows_an_organisation_that_it_may_not_see(console: RunningConsole) -> None:
    """Every GET with every restriction: ids, names and customers of the others are in no answer, headers included."""
    looked_at = 0
    for tenants, customer in product((None, [A], [B], [A, C]), (None, "c-1", "c-2", "c-3")):
        visible = {
            one for one in (A, B, C) if (tenants is None or one in tenants) and customer in {None, CUSTOMERS[one]}
        }
        async with console.client(await console.key(*Scope, tenant_ids=tenants, customer_ref=customer)) as client:
            for method, path, _ in ROUTES:
                if method != "GET":
                    continue
                for filled in paths(path):
                    answer = await client.get(filled)
                    assert answer.status_code in {200, 403, 404}, (filled, answer.text)
                    told = answer.text + str(answer.headers)
                    if path == "/v1/me":
                        continue  # its own restriction, as it was made
                    for hidden in {A, B, C} - visible:
                        assert hidden not in told, (filled, tenants, customer)
                        looked_at += 1
            seen = (await client.get("/v1/tenants")).json()["tenants"]
            assert {row["tenant_id"] for row in seen} == visible
    assert looked_at > 100


HOSTILE = [
    "", " ", "\x00", "a\x00b", "\ud7ff\U0010ffff", "'; DROP TABLE api_keys; --", "-1", "0", "1e999", "nan", "9" * 30, "null",
    "../../etc/passwd", "%2e%2e%2f", "[]", "{}", "x" * 5000,
]  # fmt: skip


async def test_no_value_of_a_parameter_makes_it_fail(console: RunningConsole) -> None:
    """Every parameter of every GET, in path and query, with values of strangers: never 5xx, and a problem where it is refused."""
    async with console.client(await console.key(*Scope)) as client:
        told = (await client.get("/v1/openapi.json")).json()
        tried = 0
        for path, operations in told["paths"].items():
            for parameter in operations.get("get", {}).get("parameters", []):
                for value in HOSTILE:
                    params = {parameter["name"]: value} if parameter["in"] == "query" else {}
                    headers = {}
                    if parameter["in"] == "header":
                        headers = {parameter["name"]: value.encode("utf-8", "replace").replace(b"\x00", b"?")[:1000]}
                        headers["Accept"] = b"text/event-stream"
                        if not value.strip() or any(byte < 32 for byte in headers[parameter["name"]]):
                            continue
                    if parameter["in"] == "path" and (not value.strip() or "/" in value):
                        continue
                    filled = path.replace(f"{{{parameter['name']}}}", quote(value, safe=""))
                    answer = await client.get(filled, params=params, headers=headers)
                    assert answer.status_code < 500, (filled, params, answer.text)
                    if answer.status_code >= 400:
                        assert answer.json()["code"], (filled, params)
                    tried += 1
    assert tried > 150
    assert await console.pool.fetchval("SELECT count(*) FROM api_keys") == 1


def test_a_route_without_a_guard_does_not_start() -> None:
    """Whoever forgets to say which scope a route asks for finds out at the start, not when strangers do."""

    class Forgetful:
        def add_to(self, router: "object") -> None:
            router.add_api_route("/v1/open", lambda: None)  # type: ignore[attr-defined]

    with pytest.raises(UnguardedError, match="/v1/open"):
        build([Forgetful()])
