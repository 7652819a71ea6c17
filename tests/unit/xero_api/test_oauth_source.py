"""Token providers against a strict identity provider: one refresh, never a lost token."""

import asyncio
from datetime import timedelta

import httpx
import pytest

from tests.support.fake_grants import GRANT, START, MemoryStore, Row, StrictIdentity, Time, tokens
from xero_api.errors import (
    ClientConfigError,
    DisconnectedError,
    MisdirectedError,
    ReauthoriseError,
    ServerError,
    TimedOutError,
    TransientError,
    UnauthorisedError,
    UnreachableError,
)
from xero_api.oauth.identity import IdentityClient
from xero_api.oauth.source import AccessToken, GrantTokens
from xero_api.oauth.token import ClientCredentials, GrantKind
from xero_stream.contracts.names import DEFAULT_APP, AppName, TenantId

TENANT = TenantId("t1")


class World:
    """A clock, a strict identity provider, a store, and as many processes as wanted."""

    def __init__(self) -> None:
        self.time = Time()
        self.identity = StrictIdentity(self.time)
        self.row = Row(tokens())
        self.store = MemoryStore(self.row)

    def process(self, *, timeout: float = 8.0, transport: httpx.AsyncBaseTransport | None = None) -> GrantTokens:
        """A token provider with nothing in memory."""

        def credentials(app: AppName) -> ClientCredentials:
            assert app == DEFAULT_APP
            return ClientCredentials(client_id="id", client_secret="secret")

        return GrantTokens(
            store=self.store,
            identity=IdentityClient(
                identity_url="https://identity.example/",
                transport=transport or self.identity.transport(),
                timeout=timeout,
            ),
            credentials=credentials,
            now=self.time.now,
        )


@pytest.fixture
def world() -> World:
    """Ten in the morning, a token of now."""
    return World()


async def _token(process: GrantTokens) -> str:
    return (await process.token(DEFAULT_APP, TENANT)).value


async def test_a_good_token_is_read_once_and_never_refreshed(world: World) -> None:
    """The store is asked the first time, the endpoint not at all."""
    process = world.process()

    assert [await _token(process) for _ in range(3)] == ["a0", "a0", "a0"]
    assert world.store.locks == 1
    assert world.identity.requests == []


async def test_many_tasks_in_many_processes_refresh_once(world: World) -> None:
    """Fifty tasks in each of four processes find an old token: one refresh, no refusal, all have the new one."""
    world.time.move(minutes=31)
    processes = [world.process() for _ in range(4)]

    found = await asyncio.gather(*(_token(process) for process in processes for _ in range(50)))

    assert set(found) == {"a1"}
    assert len(world.identity.requests) == 1
    assert world.store.locks == len(processes)  # in a process, one asks for all
    assert world.identity.refused == 0
    assert world.row.tokens.refresh_token == "r1"


async def test_a_token_at_eighty_percent_is_renewed_beside_the_calls(world: World) -> None:
    """Who calls then gets the old token at once; the next gets the new one."""
    process = world.process()
    await _token(process)
    world.time.move(minutes=25)
    world.identity.pause = asyncio.Event()

    assert [await _token(process) for _ in range(5)] == ["a0"] * 5
    world.identity.pause.set()
    await process.aclose()

    assert await _token(process) == "a1"
    assert len(world.identity.requests) == 1


async def test_a_caller_who_gives_up_does_not_tear_the_refresh(world: World) -> None:
    """Its cancellation leaves the running refresh to the others; the rotated token is stored."""
    world.time.move(minutes=31)
    world.identity.pause = asyncio.Event()
    process = world.process()
    impatient = asyncio.create_task(_token(process))
    patient = asyncio.create_task(_token(process))
    await world.identity.asked.wait()

    impatient.cancel()
    world.identity.pause.set()

    assert await patient == "a1"
    with pytest.raises(asyncio.CancelledError):
        await impatient
    assert world.row.tokens.refresh_token == "r1"


async def test_the_rotated_token_is_stored_before_it_is_used(world: World) -> None:
    """If the store fails nobody gets the new token; when it is back, the very set obtained before is stored."""
    world.time.move(minutes=31)
    process = world.process()
    world.store.failures.append(OSError("database gone"))

    with pytest.raises(OSError, match="database gone"):
        await _token(process)
    assert world.row.tokens.refresh_token == "r0"

    assert await _token(process) == "a1"
    assert world.row.tokens.refresh_token == "r1"
    assert len(world.identity.requests) == 1


async def test_a_set_held_back_too_long_is_stored_and_renewed(world: World) -> None:
    """The store was gone for an hour: the rotated refresh token saves the grant."""
    world.time.move(minutes=31)
    process = world.process()
    world.store.failures.append(OSError("database gone"))
    with pytest.raises(OSError, match="database gone"):
        await _token(process)
    world.time.move(hours=1)

    assert await _token(process) == "a2"
    assert world.identity.refused == 0
    assert world.row.tokens.refresh_token == "r2"


async def test_another_process_is_not_overwritten_by_a_set_held_back(world: World) -> None:
    """What somebody else stored meanwhile is newer."""
    world.identity.grace = timedelta(minutes=30)
    world.time.move(minutes=31)
    unlucky, lucky = world.process(), world.process()
    world.store.failures.append(OSError("database gone"))
    with pytest.raises(OSError, match="database gone"):
        await _token(unlucky)

    assert await _token(lucky) == "a2"
    assert await _token(unlucky) == "a2"
    assert world.row.tokens.refresh_token == "r2"


async def test_a_crash_between_answer_and_commit_is_healed_within_the_grace(world: World) -> None:
    """The answer is lost with the process; the next one uses the old token again, which Xero takes for half an hour."""
    world.identity.grace = timedelta(minutes=30)
    world.time.move(minutes=31)
    world.store.failures.append(OSError("killed"))
    with pytest.raises(OSError, match="killed"):
        await _token(world.process())
    world.time.move(minutes=29)

    assert await _token(world.process()) == "a2"
    assert [form["refresh_token"] for form in world.identity.requests] == ["r0", "r0"]
    assert world.row.dead is None


async def test_a_lost_answer_is_asked_for_again_with_the_old_token(world: World) -> None:
    """A truncated 200, a broken connection, a 502 after the fact: the grant lives."""
    world.identity.grace = timedelta(minutes=30)
    world.time.move(minutes=31)
    world.identity.script = [lambda: httpx.Response(200, content=b'{"access_'), lambda: httpx.Response(502)]
    process = world.process()

    for _ in range(2):
        with pytest.raises(TransientError):
            await _token(process)

    assert await _token(process) == "a3"
    assert world.row.dead is None


async def test_a_failing_endpoint_harms_nobody_while_the_token_lives(world: World) -> None:
    """At eighty percent the refresh fails: the old token goes on, and the endpoint is left alone for a while."""
    process = world.process()
    await _token(process)
    world.time.move(minutes=25)
    world.identity.before = [lambda: httpx.Response(503)]

    assert await _token(process) == "a0"
    await process.aclose()
    assert await _token(process) == "a0"
    await process.aclose()
    assert len(world.identity.requests) == 1

    world.time.move(seconds=16)
    await _token(process)
    await process.aclose()
    assert await _token(process) == "a1"


async def test_a_failing_endpoint_is_an_error_once_the_token_ended_but_never_condemns(world: World) -> None:
    """5xx and time-outs are transient, whatever the token's age."""
    world.time.move(minutes=31)
    world.identity.before = [lambda: httpx.Response(500)]
    process = world.process()

    with pytest.raises(ServerError):
        await _token(process)

    assert world.row.dead is None
    assert await _token(process) == "a1"


async def test_a_refused_grant_is_marked_and_never_tried_again(world: World) -> None:
    """invalid_grant with nothing else to try: an operator has to come; other processes don't ask the endpoint."""
    world.time.move(minutes=31)
    world.identity.current = "somebody else's"

    with pytest.raises(ReauthoriseError):
        await _token(world.process())
    with pytest.raises(ReauthoriseError):
        await _token(world.process())

    assert world.row.dead is not None
    assert len(world.identity.requests) == 1


async def test_a_refusal_is_believed_only_after_reading_again(world: World) -> None:
    """Somebody wrote a newer set around the lock: that one is used."""
    world.time.move(minutes=31)
    world.identity.current = "r7"

    def sneak() -> httpx.Response:
        world.row.tokens = tokens(refresh_token="r7", refreshed_at=world.time.now())
        return httpx.Response(400, json={"error": "invalid_grant"})

    world.identity.before = [sneak]

    assert await _token(world.process()) == "a1"
    assert [form["refresh_token"] for form in world.identity.requests] == ["r0", "r7"]
    assert world.row.dead is None


async def test_within_the_grace_the_token_before_is_tried_too(world: World) -> None:
    """A fork or a store that lost its last write: the previous token may still serve."""
    world.identity.current = "r0"
    world.row.tokens = tokens(refresh_token="r1", previous_refresh_token="r0", expires_at=START + timedelta(minutes=3))
    world.time.move(minutes=4)

    assert await _token(world.process()) == "a1"
    assert [form["refresh_token"] for form in world.identity.requests] == ["r1", "r0"]


async def test_when_both_tokens_are_refused_the_grant_is_dead(world: World) -> None:
    """Two refusals, one mark."""
    world.identity.current = "r9"
    world.row.tokens = tokens(refresh_token="r1", previous_refresh_token="r0", expires_at=START + timedelta(minutes=3))
    world.time.move(minutes=4)

    with pytest.raises(ReauthoriseError):
        await _token(world.process())

    assert world.row.dead is not None
    assert world.identity.refused == 2


async def test_a_refused_app_does_not_condemn_the_grant(world: World) -> None:
    """A wrong secret is the operator's to mend; the grant stays as it is."""
    world.time.move(minutes=31)
    world.identity.before = [lambda: httpx.Response(401, json={"error": "invalid_client"})]

    with pytest.raises(ClientConfigError):
        await _token(world.process())

    assert world.row.dead is None


async def test_custom_connections_take_the_same_path(world: World) -> None:
    """Client credentials: a new token each time, no refresh token, one request for all."""
    world.row.tokens = tokens(kind=GrantKind.CLIENT_CREDENTIALS, refresh_token=None)
    world.time.move(minutes=31)
    process = world.process()

    found = await asyncio.gather(*(_token(process) for _ in range(20)))

    assert set(found) == {"a1"}
    assert world.identity.requests == [{"grant_type": "client_credentials"}]


async def test_a_rejected_token_is_replaced_once(world: World) -> None:
    """Twenty calls got a 401 with the same token: one refresh, the same new token for all."""
    process = world.process()
    old = await process.token(DEFAULT_APP, TENANT)
    world.time.move(minutes=5)

    found = await asyncio.gather(*(process.replacement(old) for _ in range(20)))

    assert {token.value for token in found} == {"a1"}
    assert len(world.identity.requests) == 1
    assert (await process.replacement(old)).value == "a1"


async def test_a_fresh_token_is_replaced_once_a_minute(world: World) -> None:
    """A second 401 within a minute is about scope or role: refreshing would go on indefinitely."""
    process = world.process()
    token = await process.token(DEFAULT_APP, TENANT)

    other = await process.replacement(token)
    with pytest.raises(UnauthorisedError):
        await process.replacement(other)
    world.time.move(minutes=1)
    third = await process.replacement(other)

    assert [other.value, third.value] == ["a1", "a2"]
    assert len(world.identity.requests) == 2


async def test_a_withdrawn_grant_is_found_at_its_first_401(world: World) -> None:
    """However fresh the token: only the token endpoint knows that the grant is dead."""
    process = world.process()
    token = await process.token(DEFAULT_APP, TENANT)
    world.identity.current = "withdrawn"

    with pytest.raises(ReauthoriseError):
        await process.replacement(token)

    assert world.row.dead is not None


async def test_a_refresh_that_failed_does_not_settle_the_doubt(world: World) -> None:
    """The endpoint was down: the next 401 asks it again."""
    process = world.process()
    token = await process.token(DEFAULT_APP, TENANT)
    world.identity.before = [lambda: httpx.Response(503)]

    with pytest.raises(ServerError):
        await process.replacement(token)

    assert (await process.replacement(token)).value == "a1"


async def test_a_rejected_token_that_somebody_replaced_already(world: World) -> None:
    """The store has a newer one: no refresh."""
    process = world.process()
    old = await process.token(DEFAULT_APP, TENANT)
    world.time.move(minutes=5)
    world.row.tokens = tokens(access_token="other", refresh_token="r5", refreshed_at=world.time.now())

    assert (await process.replacement(old)).value == "other"
    assert world.identity.requests == []


async def test_an_organisation_without_a_grant(world: World) -> None:
    """The store says so, in its own words."""
    with pytest.raises(DisconnectedError):
        await world.process().token(DEFAULT_APP, TenantId("unknown"))


async def test_forgetting_reads_the_store_again(world: World) -> None:
    """After a new consent the old set must not linger."""
    process = world.process()
    await _token(process)
    world.row.tokens = tokens(access_token="new consent")

    process.forget(GRANT)

    assert await _token(process) == "new consent"


async def test_the_endpoint_has_eight_seconds_in_all(world: World) -> None:
    """A silent endpoint is given up on."""
    world.time.move(minutes=31)
    world.identity.pause = asyncio.Event()

    with pytest.raises(TimedOutError):
        await _token(world.process(timeout=0.01))


async def test_connections_that_break_and_redirects(world: World) -> None:
    """Each has its error; the form goes to no other address."""
    world.time.move(minutes=31)

    def broken(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    def elsewhere(request: httpx.Request) -> httpx.Response:
        assert request.url.host == "identity.example"
        return httpx.Response(302, headers={"location": "https://evil.example/"})

    with pytest.raises(UnreachableError):
        await _token(world.process(transport=httpx.MockTransport(broken)))
    with pytest.raises(MisdirectedError):
        await _token(world.process(transport=httpx.MockTransport(elsewhere)))


async def test_the_app_shows_itself_with_every_form(world: World) -> None:
    """Basic authentication, nothing secret in the form."""
    world.time.move(minutes=31)

    await _token(world.process())

    assert world.identity.authorizations == ["Basic aWQ6c2VjcmV0"]
    assert "secret" not in str(world.identity.requests)


async def test_a_token_does_not_show_itself() -> None:
    """Neither in logs nor in tracebacks."""
    assert "SECRET" not in repr(AccessToken(value="SECRET", grant_id=GRANT))
