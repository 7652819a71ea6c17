"""The identity server over HTTP: codes, revocation, and what is known when no answer comes."""

import asyncio
import logging
import traceback
from collections.abc import AsyncIterator, Callable
from urllib.parse import parse_qs

import httpx
import pytest

from tests.support.fake_grants import START
from xero_api.errors import (
    ClientConfigError,
    CodeLostError,
    CodeRefusedError,
    GarbledAnswerError,
    MisdirectedError,
    RateLimitedError,
    ServerError,
    TimedOutError,
    UnreachableError,
    XeroError,
)
from xero_api.oauth.consent import Consent
from xero_api.oauth.identity import IdentityClient
from xero_api.oauth.token import ClientCredentials

WEB = ClientCredentials(client_id="web", client_secret="SECRET-1")
NATIVE = ClientCredentials(client_id="native")
CONSENT = Consent(
    state="SECRET-2", verifier="SECRET-3", redirect_uri="https://app.example/back", scopes=("offline_access",)
)
GOOD = {"access_token": "SECRET-4", "refresh_token": "SECRET-5", "expires_in": 1800, "scope": "offline_access"}

Answer = Callable[[httpx.Request], httpx.Response]


class Server:
    """Answers as told, and remembers what it was asked."""

    def __init__(self, answer: Answer, *, timeout: float = 8.0) -> None:
        self.seen: list[httpx.Request] = []
        self._answer = answer
        self.client = IdentityClient(
            identity_url="https://identity.example/", transport=httpx.MockTransport(self._take), timeout=timeout
        )

    def _take(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        return self._answer(request)

    @property
    def form(self) -> dict[str, str]:
        """The fields of the last request."""
        return {name: value for name, (value,) in parse_qs(self.seen[-1].content.decode()).items()}


def _good(_: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json=GOOD)


def _says(status: int, word: str) -> Answer:
    return lambda _: httpx.Response(status, json={"error": word, "error_description": "SECRET-3"})


def _fails(kind: type[httpx.RequestError]) -> Answer:
    def fail(_: httpx.Request) -> httpx.Response:
        raise kind("SECRET-3 in a header")

    return fail


async def test_a_web_app_exchanges_a_code_with_its_secret() -> None:
    """In the header; the form has code, address and verifier. The set counts from now."""
    server = Server(_good)

    tokens = await server.client.exchange(WEB, CONSENT, "c1", START)

    assert (tokens.access_token, tokens.refresh_token) == ("SECRET-4", "SECRET-5")
    assert (tokens.refreshed_at, tokens.previous_refresh_token) == (START, None)
    assert server.seen[-1].url == "https://identity.example/connect/token"
    assert server.seen[-1].headers["authorization"].startswith("Basic ")
    assert server.form == {
        "grant_type": "authorization_code",
        "code": "c1",
        "redirect_uri": "https://app.example/back",
        "code_verifier": "SECRET-3",
    }


async def test_an_app_without_a_secret_sends_its_id_everywhere() -> None:
    """Exchange, refresh and revocation: ``client_id`` in the form, no header."""
    server = Server(_good)

    tokens = await server.client.exchange(NATIVE, CONSENT, "c1", START)
    await server.client.refresh(NATIVE, tokens, "SECRET-5", START)
    await server.client.revoke(NATIVE, "SECRET-5")

    assert len(server.seen) == 3
    for request in server.seen:
        assert "authorization" not in request.headers
        assert b"client_id=native" in request.content


async def test_revoking_names_the_refresh_token() -> None:
    """200, empty."""
    server = Server(lambda _: httpx.Response(200))

    await server.client.revoke(WEB, "SECRET-5")

    assert server.seen[-1].url == "https://identity.example/connect/revocation"
    assert server.form == {"token": "SECRET-5", "token_type_hint": "refresh_token"}


@pytest.mark.parametrize(
    ("answer", "error", "sent"),
    [
        pytest.param(_says(400, "invalid_grant"), CodeRefusedError, True, id="refused"),
        pytest.param(_says(500, "server_error"), CodeLostError, True, id="5xx"),
        pytest.param(lambda _: httpx.Response(200, content=b'{"access_'), CodeLostError, True, id="half"),
        pytest.param(_fails(httpx.ReadTimeout), CodeLostError, True, id="slow"),
        pytest.param(_fails(httpx.ReadError), CodeLostError, True, id="broken"),
        pytest.param(_fails(httpx.RemoteProtocolError), CodeLostError, True, id="garbage"),
        pytest.param(_fails(httpx.ConnectError), UnreachableError, False, id="no server"),
        pytest.param(_fails(httpx.ConnectTimeout), UnreachableError, False, id="no way"),
        pytest.param(lambda _: httpx.Response(429), RateLimitedError, True, id="429"),
        pytest.param(_says(400, "unauthorized_client"), ClientConfigError, True, id="app"),
        pytest.param(_says(400, "invalid_client"), ClientConfigError, True, id="secret"),
        pytest.param(_says(400, "invalid_scope"), ClientConfigError, True, id="scope"),
        pytest.param(
            lambda _: httpx.Response(302, headers={"location": "https://evil.example"}),
            MisdirectedError,
            True,
            id="redirect",
        ),
    ],
)
async def test_a_code_is_refused_lost_or_never_sent(answer: Answer, error: type[XeroError], sent: bool) -> None:
    """Three different things: only the last may be tried again with the same code. One request each."""
    server = Server(answer)

    with pytest.raises(error) as caught:
        await server.client.exchange(WEB, CONSENT, "c1", START)

    assert type(caught.value) is error
    assert caught.value.sent is sent
    assert len(server.seen) == 1


async def test_a_code_without_an_answer_in_time_is_lost() -> None:
    """The whole exchange has a deadline, however slowly the answer drips."""

    async def drip() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    server = Server(lambda _: httpx.Response(200, content=drip()), timeout=0.02)

    with pytest.raises(CodeLostError):
        await server.client.exchange(WEB, CONSENT, "c1", START)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        pytest.param(_says(400, "invalid_client"), ClientConfigError, id="secret"),
        pytest.param(lambda _: httpx.Response(503), ServerError, id="503"),
        pytest.param(_fails(httpx.ReadTimeout), TimedOutError, id="slow"),
        pytest.param(_fails(httpx.ConnectError), UnreachableError, id="no server"),
    ],
)
async def test_a_revocation_that_fails(answer: Answer, error: type[XeroError]) -> None:
    """By the table of the token endpoint; transient ones may have happened, and may be repeated."""
    with pytest.raises(error):
        await Server(answer).client.revoke(WEB, "SECRET-5")


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("unauthorized_client", "XERO_CLIENT_ID"),
        ("invalid_client", "XERO_CLIENT_SECRET"),
        ("invalid_scope", "granular"),
        ("unsupported_grant_type", "developer portal"),
    ],
)
async def test_each_refusal_of_the_app_says_what_to_do(word: str, hint: str) -> None:
    """The setting to look at differs."""
    with pytest.raises(ClientConfigError) as caught:
        await Server(_says(400, word)).client.client_credentials(WEB, START)

    assert word in f"{caught.value}"
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    "answer",
    [_fails(httpx.ConnectError), _fails(httpx.ConnectTimeout), _fails(httpx.ReadError), lambda _: httpx.Response(302)],
    ids=["no server", "no way", "broken", "redirect"],
)
async def test_an_address_that_may_be_wrong_is_named(answer: Answer) -> None:
    """The identity server's, which is another setting than the API's."""
    with pytest.raises(XeroError) as caught:
        await Server(answer).client.client_credentials(WEB, START)

    assert "XERO_IDENTITY_URL" in caught.value.hint
    assert "XERO_API_URL" not in caught.value.hint


@pytest.mark.parametrize("url", ["", "identity.xero.com", "ftp://identity.xero.com", "https://", "https://["])
def test_an_address_that_is_none_is_refused_at_start(url: str) -> None:
    """Not at the first refresh; the setting is named."""
    with pytest.raises(MisdirectedError, match="XERO_IDENTITY_URL") as caught:
        IdentityClient(identity_url=url)

    assert "https://identity.xero.com" in caught.value.hint


async def test_no_secret_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """Neither messages, causes, reprs nor logs hold a code, a token, a verifier or a secret."""
    caplog.set_level(logging.DEBUG)
    told = []
    failing = (
        _says(400, "invalid_grant"),
        _says(400, "SECRET-3 !"),
        _fails(httpx.ReadError),
        _fails(httpx.ConnectError),
    )
    for answer in failing:
        client = Server(answer).client
        for call in (client.exchange(WEB, CONSENT, "SECRET-6", START), client.revoke(WEB, "SECRET-5")):
            with pytest.raises(XeroError) as caught:
                await call
            told += [*traceback.format_exception(caught.value), repr(caught.value), caught.value.hint]
    tokens = await Server(_good).client.exchange(WEB, CONSENT, "SECRET-6", START)

    assert "SECRET-" not in "".join((*told, repr(tokens), repr(CONSENT), repr(WEB), caplog.text))


async def test_cookies_of_the_identity_server_are_not_kept() -> None:
    """What one app's answer sets must not go out with another's request."""
    server = Server(lambda _: httpx.Response(200, json=GOOD, headers={"set-cookie": "a=b"}))

    for _ in range(2):
        await server.client.client_credentials(WEB, START)

    assert "cookie" not in server.seen[-1].headers


async def test_a_truncated_refresh_is_no_lost_code() -> None:
    """Only codes are taken once; a refresh token is tried again."""
    server = Server(lambda _: httpx.Response(200, content=b""))

    with pytest.raises(GarbledAnswerError):
        await server.client.client_credentials(WEB, START)
