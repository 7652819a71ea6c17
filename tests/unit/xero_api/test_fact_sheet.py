"""Every error, limit and fault that Xero is known for, in tables: what it answers, what is raised, what to do about it.

Sources: https://developer.xero.com/documentation/api/accounting/responsecodes and /guides/oauth2/limits, and the threads
named in ``xero_api/answers.py`` and beside the rows. Provoked at a transport here; over HTTP, against the simulator, in
``tests/integration/xero_api``.
"""

import inspect
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

import xero_api.errors
from xero_api.answers import Answer
from xero_api.call import Lane
from xero_api.client import XeroClient
from xero_api.errors import (
    BadRequestError,
    ClientConfigError,
    CodeLostError,
    CodeRefusedError,
    ConsentDeniedError,
    DisconnectedError,
    ForgedCallbackError,
    GarbledAnswerError,
    Intent,
    InvalidRecordError,
    InvalidRowsError,
    KeyReusedError,
    LimitKind,
    MisdirectedError,
    MissingFileError,
    NotAConnectionError,
    OfflineError,
    PagingError,
    RateLimitedError,
    ReauthoriseError,
    RowsMismatchError,
    ServerError,
    TimedOutError,
    UnauthorisedError,
    UnmappableAnswerError,
    UnreachableError,
    UnsendableError,
    XeroError,
    intent,
)
from xero_api.oauth.identity import IdentityClient
from xero_api.oauth.source import AccessToken, GrantId
from xero_api.oauth.token import ClientCredentials, GrantKind, TokenSet
from xero_api.registry import INVOICES
from xero_api.requests import Request, get_one, get_page
from xero_api.writes.requests import create
from xero_stream.contracts.names import DEFAULT_APP, AppName, RecordId, TenantId

TENANT = TenantId("11111111-1111-4111-8111-111111111111")
XEROS = {"xero-correlation-id": "c0ffee", "date": "Sun, 22 Nov 2026 10:00:00 GMT"}
JSON = {"content-type": "application/json"}
HTML = {"content-type": "text/html"}
SECRETS = ("SECRET-1", "SECRET-2", "CLIENT-SECRET", "REFRESH-TOKEN")
NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


def problem(title: str, detail: str) -> bytes:
    """The body of Xero's 401 and 403."""
    return b'{"Type":null,"Title":"%b","Status":0,"Detail":"%b","Instance":"i","Extensions":{}}' % (
        title.encode(),
        detail.encode(),
    )


@dataclass(frozen=True, kw_only=True)
class Fact:
    """What Xero, or something on the way, does; what is raised; what to do about it."""

    what: str
    does: int | Exception
    error: type[XeroError]
    to_do: Intent
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    xeros: bool = True
    limit: LimitKind | None = None
    wait: float | None = None
    asked: int = 1


def limited(what: str, says: str | None, limit: LimitKind, wait: str | None, seconds: float | None) -> Fact:
    """A 429."""
    headers = {"x-rate-limit-problem": says} if says else {}
    headers |= {"retry-after": wait} if wait else {}
    return Fact(
        what=what,
        does=429,
        headers=headers,
        body=b"any body, or none",
        error=RateLimitedError,
        to_do=Intent.PARK,
        limit=limit,
        wait=seconds,
    )


def moved(status: int) -> Fact:
    """A redirect."""
    return Fact(
        what=f"{status} to another host",
        does=status,
        headers={"location": "https://elsewhere.example/api.xro/2.0/Invoices"},
        error=MisdirectedError,
        to_do=Intent.STOP,
    )


EVERY_CALL = (
    Fact(what="no connection", does=httpx.ConnectError("refused"), error=UnreachableError, to_do=Intent.RETRY),
    Fact(what="broken off", does=httpx.ReadError("reset"), error=UnreachableError, to_do=Intent.RETRY),
    Fact(what="no answer in time", does=httpx.ReadTimeout("late"), error=TimedOutError, to_do=Intent.RETRY),
    Fact(
        what="401: a scope or a role is missing, however fresh the token",
        does=401,
        body=problem("Unauthorized", "AuthorizationUnsuccessful"),
        error=UnauthorisedError,
        to_do=Intent.REAUTHORISE,
        asked=2,
    ),
    Fact(
        what="403: the organisation is disconnected, or the header is wrong",
        does=403,
        body=problem("Forbidden", "AuthenticationUnsuccessful"),
        error=DisconnectedError,
        to_do=Intent.REAUTHORISE,
    ),
    Fact(
        what="403 in lower case",
        does=403,
        body=problem("Forbidden", "AuthenticationUnsuccessful").lower(),
        error=DisconnectedError,
        to_do=Intent.REAUTHORISE,
    ),
    Fact(what="404 that is not Xero's", does=404, xeros=False, error=MisdirectedError, to_do=Intent.STOP),
    Fact(what="408", does=408, error=ServerError, to_do=Intent.RETRY),
    Fact(what="412: a bad condition, or old TLS", does=412, error=BadRequestError, to_do=Intent.QUARANTINE),
    Fact(
        what="414: the address is too long",
        does=414,
        body=b"<Error/>",
        headers={"content-type": "application/xml"},
        error=BadRequestError,
        to_do=Intent.QUARANTINE,
    ),
    limited("minute", "minute", LimitKind.MINUTE, "17", 17.0),
    limited("minute, as the old pages spell it", "Minute", LimitKind.MINUTE, "17", 17.0),
    limited("day", "day", LimitKind.DAY, "66975", 66_975.0),
    limited("day, as the old pages spell it", "Daily", LimitKind.DAY, "66975", 66_975.0),
    limited("day, until a time", "day", LimitKind.DAY, "Sun, 22 Nov 2026 11:00:00 GMT", 3_600.0),
    limited("the app's minute (its word is unconfirmed)", "appminute", LimitKind.APP, None, None),
    limited("five at once (its word is unconfirmed)", "concurrent", LimitKind.CONCURRENT, None, None),
    limited("a limit nobody has seen", "tea-time", LimitKind.CONCURRENT, None, None),
    limited("a limit without a word", None, LimitKind.CONCURRENT, None, None),
    Fact(what="500", does=500, body=b"<html>", headers=HTML, error=ServerError, to_do=Intent.RETRY),
    Fact(what="501: no such method", does=501, error=BadRequestError, to_do=Intent.QUARANTINE),
    Fact(what="502 from something between", does=502, xeros=False, error=ServerError, to_do=Intent.RETRY),
    Fact(
        what="503: maintenance",
        does=503,
        body=b"The Xero API is currently offline for maintenance",
        error=OfflineError,
        to_do=Intent.PARK,
    ),
    Fact(
        what="503: this organisation is offline (its text is unconfirmed)",
        does=503,
        body=b"The Organisation is offline",
        error=OfflineError,
        to_do=Intent.PARK,
    ),
    *map(moved, (301, 302, 303, 307, 308)),
    Fact(what="200 without a body", does=200, error=GarbledAnswerError, to_do=Intent.RETRY),
    Fact(what="200, half a body", does=200, body=b'{"Invoices":[{', error=GarbledAnswerError, to_do=Intent.RETRY),
    Fact(what="200 of a proxy", does=200, body=b"<html>", headers=HTML, error=GarbledAnswerError, to_do=Intent.RETRY),
    Fact(what="200 without the list", does=200, body=b"{}", error=UnmappableAnswerError, to_do=Intent.QUARANTINE),
)
"""Whatever is asked."""

READS = (
    Fact(
        what="400 to a query, as text",
        does=400,
        body=b"Supplied parameter 'ContactIds' cannot be parsed.",
        headers=HTML,
        error=BadRequestError,
        to_do=Intent.QUARANTINE,
    ),
    Fact(
        what="400 of the edge to a far too long address",
        does=400,
        body=b"<HTML><H1>Invalid URL</H1>",
        headers=HTML,
        xeros=False,
        error=BadRequestError,
        to_do=Intent.QUARANTINE,
    ),
    Fact(
        what="404 of Xero's to a list: the query is too long; it proves nothing",
        does=404,
        body=b"<html>",
        headers=HTML,
        error=BadRequestError,
        to_do=Intent.QUARANTINE,
    ),
)

WRITES = (
    Fact(
        what="400 with the rows refused",
        does=400,
        body=b'{"ErrorNumber":10,"Type":"ValidationException","Message":"A validation exception occurred",'
        b'"Elements":[{"ValidationErrors":[{"Message":"Account code is missing"}]}]}',
        error=InvalidRowsError,
        to_do=Intent.QUARANTINE,
    ),
    Fact(
        what="400: the key went out with another request",
        does=400,
        body=b'{"Title":"The Idempotency-Key has been used with a different request"}',
        error=KeyReusedError,
        to_do=Intent.QUARANTINE,
    ),
    Fact(
        what="200 with other rows than were sent",
        does=200,
        body=b'{"Invoices":[]}',
        error=RowsMismatchError,
        to_do=Intent.QUARANTINE,
    ),
)

TOKENS = (
    Fact(
        what="invalid_grant: rotated, expired or revoked",
        does=400,
        body=b'{"error":"invalid_grant"}',
        error=ReauthoriseError,
        to_do=Intent.REAUTHORISE,
    ),
    *(
        Fact(what=word, does=status, body=b'{"error":"%b"}' % word.encode(), error=ClientConfigError, to_do=Intent.STOP)
        for word, status in (("unauthorized_client", 400), ("invalid_client", 401), ("invalid_scope", 400))
    ),
    Fact(what="5xx: it may have happened", does=503, error=ServerError, to_do=Intent.RETRY),
    Fact(what="half an answer", does=200, body=b'{"acc', error=GarbledAnswerError, to_do=Intent.RETRY),
    Fact(what="429", does=429, error=RateLimitedError, to_do=Intent.PARK, limit=LimitKind.APP),
    Fact(what="no answer", does=httpx.ReadTimeout("late"), error=TimedOutError, to_do=Intent.RETRY),
    Fact(what="no connection", does=httpx.ConnectError("refused"), error=UnreachableError, to_do=Intent.RETRY),
    *map(moved, (301, 302, 307, 308)),
)

DISCONNECTS = (
    Fact(
        what="403: the id is a tenant's or a consent's",
        does=403,
        body=problem("Forbidden", "AuthenticationUnsuccessful"),
        error=NotAConnectionError,
        to_do=Intent.QUARANTINE,
    ),
)

ELSEWHERE: dict[type[XeroError], str] = {
    CodeLostError: "integration/xero_api/test_oauth.py",
    CodeRefusedError: "integration/xero_api/test_oauth.py",
    ConsentDeniedError: "integration/xero_api/test_oauth.py",
    ForgedCallbackError: "unit/xero_api/test_oauth_consent.py",
    InvalidRecordError: "unit/xero_api/test_unify.py",
    MissingFileError: "unit/xero_api/test_parts.py",
    PagingError: "unit/xero_api/test_passes.py",
    UnsendableError: "unit/xero_api/writes/test_requests.py",
}
"""What is no answer to one call, and where it is provoked."""


class Tokens:
    """Another one after each refusal."""

    async def token(self, app: AppName, tenant_id: TenantId) -> AccessToken:
        """The first."""
        del app, tenant_id
        return AccessToken(value="SECRET-1", grant_id=GrantId("g"))

    async def replacement(self, rejected: AccessToken) -> AccessToken:
        """The second."""
        return AccessToken(value="SECRET-2", grant_id=rejected.grant_id)


class Provoked:
    """A transport that does what the fact says, and remembers who was asked."""

    def __init__(self, fact: Fact) -> None:
        self.asked: list[httpx.Request] = []

        def answer(request: httpx.Request) -> httpx.Response:
            self.asked.append(request)
            if isinstance(fact.does, Exception):
                raise fact.does
            headers = (XEROS if fact.xeros else {}) | JSON | fact.headers
            return httpx.Response(fact.does, headers=headers, stream=httpx.ByteStream(fact.body))

        self.transport = httpx.MockTransport(answer)
        self.client = XeroClient(
            api_url="https://api.example",
            tokens=Tokens(),
            on_call=lambda _: None,
            timeout=5,
            transport=self.transport,
        )

    def judge(self, fact: Fact, error: XeroError) -> None:
        """The very type, what to do, how long; no token to another host, none in what is told."""
        assert type(error) is fact.error
        assert intent(error) is fact.to_do
        assert {(request.url.scheme, request.url.host) for request in self.asked} == {("https", "api.example")}
        assert len(self.asked) == fact.asked
        assert getattr(error, "limit", None) is fact.limit
        assert error.meta.retry_after == fact.wait
        assert error.sent is not isinstance(fact.does, httpx.ConnectError)
        told = f"{error!r} {error} {error.hint} {error.__cause__!r}"
        assert not [secret for secret in SECRETS if secret in told]


def facts(*tables: tuple[Fact, ...]) -> pytest.MarkDecorator:
    """One test for each row."""
    rows = [fact for table in tables for fact in table]
    return pytest.mark.parametrize("fact", rows, ids=[fact.what.replace(" ", "-") for fact in rows])


@facts(EVERY_CALL, READS)
async def test_a_read(fact: Fact) -> None:
    """A page of a list."""
    provoked = Provoked(fact)

    with pytest.raises(XeroError) as caught:
        await provoked.client.send(DEFAULT_APP, TENANT, get_page(INVOICES, None), lane=Lane.POLL)

    provoked.judge(fact, caught.value)


@facts(EVERY_CALL, WRITES)
async def test_a_write(fact: Fact) -> None:
    """Two rows; nothing is sent again by itself."""
    provoked = Provoked(fact)
    request = create(INVOICES, [{"Reference": "a"}, {"Reference": "b"}], key="k")

    with pytest.raises(XeroError) as caught:
        await provoked.client.write(DEFAULT_APP, TENANT, request)

    provoked.judge(fact, caught.value)


@facts(TOKENS)
@pytest.mark.parametrize("secret", ["CLIENT-SECRET", None], ids=["secret", "pkce"])
async def test_the_token_endpoint(fact: Fact, secret: str | None) -> None:
    """A refresh, of an app with a secret and of one without."""
    provoked = Provoked(fact)
    identity = IdentityClient(identity_url="https://api.example", transport=provoked.transport)
    tokens = TokenSet(
        kind=GrantKind.AUTHORIZATION_CODE,
        access_token="SECRET-1",
        expires_at=NOW,
        refreshed_at=NOW,
        refresh_token="REFRESH-TOKEN",
    )

    credentials = ClientCredentials(client_id="id", client_secret=secret)
    with pytest.raises(XeroError) as caught:
        await identity.refresh(credentials, tokens, "REFRESH-TOKEN", NOW)

    provoked.judge(fact, caught.value)
    assert ("authorization" in provoked.asked[0].headers) is (secret is not None)
    assert (b"client_id=id" in provoked.asked[0].content) is (secret is None)


@facts(DISCONNECTS)
async def test_a_disconnect(fact: Fact) -> None:
    """By another id than the connection's."""
    provoked = Provoked(fact)
    token = AccessToken(value="SECRET-1", grant_id=GrantId("g"))

    with pytest.raises(XeroError) as caught:
        await provoked.client.disconnect(DEFAULT_APP, token, TENANT)

    provoked.judge(fact, caught.value)


async def test_what_is_no_error() -> None:
    """A 404 of Xero's to one record says that it is not there; a 304 and a 204 to a list, that nothing changed."""

    async def answer(status: int, request: Request) -> Answer:
        provoked = Provoked(Fact(what="", does=status, error=XeroError, to_do=Intent.RETRY))
        return await provoked.client.send(DEFAULT_APP, TENANT, request, lane=Lane.POLL)

    assert (await answer(404, get_one(INVOICES, RecordId(TENANT)))).missing
    for status in (204, 304):
        assert (await answer(status, get_page(INVOICES, NOW))).records == ()


def test_every_error_is_in_a_table() -> None:
    """Or the file that provokes it is named."""
    tables = (*EVERY_CALL, *READS, *WRITES, *TOKENS, *DISCONNECTS)
    kinds = {kind for _, kind in inspect.getmembers(xero_api.errors, inspect.isclass) if issubclass(kind, XeroError)}
    ends = {kind for kind in kinds if not kind.__subclasses__()}
    tests = Path(__file__).parents[2]

    assert ends <= {fact.error for fact in tables} | ELSEWHERE.keys()
    for kind, place in ELSEWHERE.items():
        assert kind.__name__ in (tests / place).read_text(encoding="utf-8"), place
    assert {fact.limit for fact in tables if fact.limit} == set(LimitKind)
    assert {fact.to_do for fact in tables} == set(Intent)
