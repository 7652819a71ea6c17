"""The API's edge: keys, limits, problems, headers, health."""

import asyncio
import gzip
import json
import re

import httpx
import pytest
from openapi_schema_validator import OAS31Validator

from tests.integration.console.conftest import A, B, C, RunningConsole
from xero_stream.contracts.api_key import Scope
from xero_stream.store.audit import entries


def assert_problem(answer: httpx.Response, status: int, code: str) -> None:
    """An answer is a whole problem."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert (told["status"], told["code"], told["type"]) == (status, code, f"urn:xero-stream:problem:{code}")
    assert told["hint"]
    assert told["request_id"] == answer.headers["x-request-id"]


async def test_health_is_on_the_private_port_and_nothing_else_is(console: RunningConsole) -> None:
    """Live and ready there; on the API's port they are unknown paths, which need a key."""
    async with httpx.AsyncClient(trust_env=False) as client:
        live = await client.get(f"{console.private_url}/livez")
        metrics = await client.get(f"{console.private_url}/metrics")
        public = await client.get(f"{console.url}/livez")

    assert live.json()["ok"] is True
    assert "xero_stream_console_store_up 1.0" in metrics.text
    assert_problem(public, 401, "unauthorised")


async def test_a_key_shows_itself(console: RunningConsole) -> None:
    """Scopes and restriction; its use is noted."""
    key = await console.key(Scope.READ, Scope.OPERATE, customer_ref="c-1")
    async with console.client(key) as client:
        told = (await client.get("/v1/me")).json()

    assert (told["scopes"], told["customer_ref"], told["state"]) == (["operate", "read"], "c-1", "active")
    assert await console.pool.fetchval("SELECT last_used_at FROM api_keys WHERE key_id = $1", told["key_id"])


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Basic {key}",
        "{key}",
        "Bearer {key}x",
        "Bearer {other}",
        "Bearer  {key}",
        "Bearer " + "x" * 10_000,
        "Bearer \xe9",
    ],
)
async def test_what_is_no_key_opens_nothing(console: RunningConsole, header: str | None) -> None:
    """Absent, empty, another scheme, longer, another secret, huge, not ASCII."""
    key = await console.key()
    other = key[:17] + "A" * 43
    given = None if header is None else header.format(key=key, other=other).encode("latin-1")
    headers = {} if given is None else {b"Authorization": given}
    async with console.client() as client:
        answer = await client.get("/v1/me", headers=headers)

    assert_problem(answer, 401, "unauthorised")
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_two_keys_open_nothing(console: RunningConsole) -> None:
    """Which of them counts would be a matter of who reads the request."""
    key = await console.key()
    async with console.client() as client:
        answer = await client.get("/v1/me", headers=[("Authorization", f"Bearer {key}")] * 2)

    assert_problem(answer, 401, "unauthorised")


async def test_revoked_and_expired_keys_open_nothing(console: RunningConsole) -> None:
    """An expired one at once; a revoked one that was used just now within five seconds."""
    key = await console.key()
    async with console.client(key) as client:
        assert (await client.get("/v1/me")).status_code == 200
        await console.pool.execute("UPDATE api_keys SET expires_at = now() - interval '1 second'")
        other = await console.key()
        await console.pool.execute("UPDATE api_keys SET expires_at = now() - interval '1 second'")
        expired = await client.get("/v1/me", headers={"Authorization": f"Bearer {other}"})
        await asyncio.sleep(5.1)
        late = await client.get("/v1/me")

    assert_problem(expired, 401, "unauthorised")
    assert_problem(late, 401, "unauthorised")


async def test_failed_tries_are_limited_and_valid_keys_in_use_are_not(console: RunningConsole) -> None:
    """The eleventh wrong key is not looked at, whatever X-Forwarded-For says; a key that was used just now goes on."""
    key = await console.key()
    async with console.client(key) as client:
        assert (await client.get("/v1/me")).status_code == 200
        wrong = [
            await client.get(
                "/v1/me",
                headers={"Authorization": f"Bearer xsk_{i:012x}_{'A' * 43}", "X-Forwarded-For": f"10.0.0.{i}"},
            )
            for i in range(12)
        ]
        same = await client.get("/v1/me")
        fresh = await client.get("/v1/me", headers={"Authorization": f"Bearer {await console.key()}"})

    assert [one.status_code for one in wrong] == [401] * 10 + [429] * 2
    assert 1 <= int(wrong[-1].headers["retry-after"]) <= 6
    assert same.status_code == 200
    assert_problem(fresh, 429, "too_many_tries")


async def test_valid_keys_that_come_together_are_let_in(console: RunningConsole) -> None:
    """Fifty first requests at once, with one key and with many: none of them is a failed try."""
    keys = [await console.key()] * 25 + [await console.key() for _ in range(25)]
    async with console.client() as client:
        answers = await asyncio.gather(
            *(client.get("/v1/me", headers={"Authorization": f"Bearer {key}"}) for key in keys)
        )

    assert [answer.status_code for answer in answers] == [200] * 50


async def test_scopes_are_asked_for(console: RunningConsole) -> None:
    """A reader makes no keys, an admin reads no organisations, a restricted admin makes no keys either."""
    async with console.client() as client:
        answers = {}
        for name, path, key in (
            ("reader", "/v1/api-keys", await console.key(Scope.READ)),
            ("admin", "/v1/tenants", await console.key(Scope.ADMIN)),
            ("restricted", "/v1/audit", await console.key(Scope.ADMIN, tenant_ids=[A])),
        ):
            answers[name] = await client.get(path, headers={"Authorization": f"Bearer {key}"})

    assert_problem(answers["reader"], 403, "scope_missing")
    assert_problem(answers["admin"], 403, "scope_missing")
    assert_problem(answers["restricted"], 403, "key_restricted")


async def test_keys_are_made_and_ended_over_http(console: RunningConsole) -> None:
    """Shown once; the new key works until it is ended; all of it in the audit log with the request's id."""
    async with console.client(await console.key(Scope.ADMIN)) as admin:
        wanted = {"name": "shop", "scopes": ["read"], "tenant_ids": [A.upper()]}
        made = await admin.post("/v1/api-keys", json=wanted, headers={"X-Request-ID": "mine-1"})
        listed = await admin.get("/v1/api-keys")
        key_id, key = made.json()["key_id"], made.json()["key"]
        async with console.client(key) as client:
            seen = (await client.get("/v1/tenants")).json()["tenants"]
        ended = await admin.delete(f"/v1/api-keys/{key_id}")
        unknown = await admin.delete("/v1/api-keys/000000000000")
        log = (await admin.get("/v1/audit", params={"subject": key_id, "limit": 1})).json()
        older = (await admin.get("/v1/audit", params={"subject": key_id, "before": log["next_before"]})).json()

    assert made.status_code == 201
    assert made.headers["cache-control"] == "no-store"
    assert key not in listed.text
    assert [one["tenant_id"] for one in seen] == [A]
    assert ended.json()["state"] == "revoked"
    assert_problem(unknown, 404, "not_found")
    assert log["entries"][0]["action"] == "api-key.revoke"
    assert (older["entries"][0]["request_id"], older["next_before"]) == ("mine-1", None)
    assert older["entries"][0]["actor"].startswith("key ")
    assert [entry.act.action for entry in await entries(console.pool, limit=2)] == ["api-key.revoke", "api-key.create"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'{"name": "n", "scopes": []}',
        b'{"name": "n", "scopes": ["everything"]}',
        b'{"name": "\\u0000", "scopes": ["read"]}',
        b'{"name": "n", "scopes": ["read"], "tenant_ids": []}',
        b'{"name": "n", "scopes": ["read"], "tenant_ids": ["x"]}',
        b'{"name": "n", "scopes": ["read"], "expires_at": "2020-01-01T00:00:00Z"}',
        b'{"name": "n", "scopes": ["read"], "expires_at": "9999-12-31T23:59:59Z"}',
        b'{"name": "n", "scopes": ["read"], "colour": "red"}',
        b"[" * 100_000,
    ],
)
async def test_bodies_that_are_refused(console: RunningConsole, body: bytes) -> None:
    """400 with the place that is wrong; nothing is stored."""
    async with console.client(await console.key(Scope.ADMIN)) as admin:
        answer = await admin.post("/v1/api-keys", content=body, headers={"Content-Type": "application/json"})

    assert_problem(answer, 400, "invalid_request")
    assert await console.pool.fetchval("SELECT count(*) FROM api_keys") == 1


@pytest.mark.parametrize("chunked", [False, True])
async def test_large_bodies_are_refused(console: RunningConsole, *, chunked: bool) -> None:
    """Said to be large or found to be: 413, which the sender can read although it is still sending."""

    async def parts() -> "object":
        for _ in range(64):
            yield b"[" * 65_536

    async with console.client(await console.key(Scope.ADMIN)) as admin:
        answer = await admin.post(
            "/v1/api-keys",
            content=parts() if chunked else b"[" * (1024 * 1024 + 1),  # type: ignore[arg-type]
            headers={"Content-Type": "application/json"},
        )

    assert_problem(answer, 413, "too_large")


async def test_paths_methods_and_pages_that_are_not_ours(console: RunningConsole) -> None:
    """404, 405 with Allow, 421 for another host's name, 403 for another page; all as problems."""
    async with console.client(await console.key()) as client:
        unknown = await client.get("/v1/unknown")
        method = await client.put("/v1/me")
        named = await client.get("/v1/me", headers={"Host": "rebound.example"})
        page = await client.get("/v1/me", headers={"Origin": "https://page.example"})

    assert_problem(unknown, 404, "not_found")
    assert_problem(method, 405, "method_not_allowed")
    assert method.headers["allow"] == "GET"
    assert_problem(named, 421, "foreign_page")
    assert_problem(page, 403, "foreign_page")


async def test_every_answer_has_its_headers(console: RunningConsole) -> None:
    """Security headers, a request id of ours or the caller's; no name of the server."""
    async with console.client(await console.key()) as client:
        answers = [await client.get(path) for path in ("/v1/me", "/v1/unknown")]
        strange = await client.get("/v1/me", headers={"X-Request-ID": "<script>"})

    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "private, no-cache"
        assert "server" not in answer.headers
        assert "access-control-allow-origin" not in answer.headers
    assert re.fullmatch(r"[0-9a-f]{32}", strange.headers["x-request-id"])


async def test_entity_tags_and_compression(console: RunningConsole) -> None:
    """304 for what the caller has; the same tag compressed or not; another one after a change."""
    async with console.client(await console.key()) as client:
        first = await client.get("/v1/tenants", headers={"Accept-Encoding": "identity"})
        again = await client.get("/v1/tenants", headers={"If-None-Match": f'"x", {first.headers["etag"]}'})
        async with client.stream("GET", "/v1/openapi.json") as stream:
            packed = b"".join([chunk async for chunk in stream.aiter_raw()])
            encoding = stream.headers["content-encoding"]
        await console.pool.execute("UPDATE tenants SET name = 'Another' WHERE tenant_id = $1", A)
        changed = await client.get("/v1/tenants", headers={"If-None-Match": first.headers["etag"]})

    assert (again.status_code, again.content) == (304, b"")
    assert encoding == "gzip"
    assert json.loads(gzip.decompress(packed))["openapi"].startswith("3.1")
    assert changed.status_code == 200


async def test_organisations_by_id_and_customer(console: RunningConsole) -> None:
    """Ids in any spelling; one that the key may not see looks like one that does not exist."""
    async with console.client(await console.key(customer_ref="c-1")) as client:
        all_of = (await client.get("/v1/tenants")).json()["tenants"]
        none = (await client.get("/v1/tenants", params={"customer_ref": "c-2"})).json()["tenants"]
        one = await client.get(f"/v1/tenants/{{{B.upper()}}}")
        others = await client.get(f"/v1/tenants/{C}")
        nobody = await client.get("/v1/tenants/dddddddd-0000-4000-8000-000000000000")

    assert {row["tenant_id"] for row in all_of} == {A, B}
    assert none == []
    assert one.json()["name"] == f"Name of {B}"
    assert_problem(others, 404, "not_found")
    assert {k: v for k, v in others.json().items() if k != "request_id"} == {
        k: v for k, v in nobody.json().items() if k != "request_id"
    }


async def test_the_description_is_valid_and_complete(console: RunningConsole) -> None:
    """OpenAPI 3.1; every operation names its scope, its answers and its problems; answers fit their schemas."""
    async with console.client(await console.key()) as client:
        told = (await client.get("/v1/openapi.json")).json()
        tenants = (await client.get("/v1/tenants")).json()
        me = (await client.get("/v1/me")).json()

    identities = []
    for path, operations in told["paths"].items():
        for operation in operations.values():
            identities.append(operation["operationId"])
            assert "Scope: " in operation["description"], path
            assert {"400", "401", "403", "429", "503"} <= operation["responses"].keys(), path
            assert "422" not in operation["responses"]
            for parameter in operation.get("parameters", []):
                assert parameter["description"], (path, parameter)
            good = [answer for status, answer in operation["responses"].items() if status[0] == "2"]
            assert all(answer["content"] for answer in good), path
    assert len(set(identities)) == len(identities)
    for name, value in (("Organisations", tenants), ("Key", me)):
        schema = {"$ref": f"#/components/schemas/{name}", "components": told["components"]}
        OAS31Validator(schema).validate(value)
