"""Every error, limit and fault that Xero is known for, in tables: what it answers, what is raised, what to do about it.

Sources: https://developer.xero.com/documentation/api/accounting/responsecodes and /guides/oauth2/limits, and the threads
named in ``xero_api/answers.py`` and beside the rows. Provoked at a transport here; over HTTP, against the simulator, in
``tests/integration/xero_api``.
"""

import inspect
from dataclasses import KW_ONLY, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

import xero_api.errors
from tests.unit.xero_api.rig import TENANT, Xero
from xero_api.answers import Answer
from xero_api.call import Priority
from xero_api.calling.context import CallContext
from xero_api.errors import (
    BadRequestError,
    ClientConfigError,
    CodeLostError,
    CodeRefusedError,
    ConsentDeniedError,
    DisconnectedError,
    EncodedAnswerError,
    ForbiddenError,
    ForgedCallbackError,
    GarbledAnswerError,
    Intent,
    InterceptedError,
    InvalidRecordError,
    InvalidRowsError,
    KeyReusedError,
    LimitKind,
    MisdirectedError,
    MissingFileError,
    NotAConnectionError,
    OddStatusError,
    OfflineError,
    OverBudgetError,
    OversizedAnswerError,
    PagingError,
    RateLimitedError,
    ReauthoriseError,
    RowsMismatchError,
    ServerError,
    TamperedGrantError,
    TimedOutError,
    UnauthorisedError,
    UnfitFieldError,
    UnforeseenError,
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
from xero_stream.contracts.names import DEFAULT_APP, RecordId

XEROS = {"xero-correlation-id": "c0ffee", "date": "Sun, 22 Nov 2026 10:00:00 GMT"}
JSON = {"content-type": "application/json"}
HTML = {"content-type": "text/html"}
XML = {"content-type": "application/xml"}
SECRETS = ("SECRET-1", "SECRET-2", "CLIENT-SECRET", "REFRESH-TOKEN")
NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


def problem(title: str, detail: str) -> bytes:
    """The body of Xero's 401 and 403."""
    return b'{"Type":null,"Title":"%b","Status":0,"Detail":"%b","Instance":"i","Extensions":{}}' % (
        title.encode(),
        detail.encode(),
    )


@dataclass(frozen=True)
class Fact:
    """What Xero, or something on the way, does; what is raised; what to do about it."""

    what: str
    does: int | Exception
    error: type[XeroError]
    to_do: Intent
    body: bytes = b""
    _: KW_ONLY
    headers: dict[str, str] = field(default_factory=dict)
    xeros: bool = True
    limit: LimitKind | None = None
    wait: float | None = None
    asked: int = 1


def limited(what: str, says: str | None, limit: LimitKind, wait: str | None, seconds: float | None) -> Fact:
    """A 429."""
    headers = ({"x-rate-limit-problem": says} if says else {}) | ({"retry-after": wait} if wait else {})
    body = b"any body, or none"
    return Fact(what, 429, RateLimitedError, Intent.PARK, body, headers=headers, limit=limit, wait=seconds)


def moved(
    status: int, error: type[XeroError] = MisdirectedError, to_do: Intent = Intent.STOP, *, xeros: bool = True
) -> Fact:
    """A redirect."""
    headers = {"location": "https://elsewhere.example/api.xro/2.0/Invoices"}
    return Fact(f"{status} to another host, {error.__name__}", status, error, to_do, headers=headers, xeros=xeros)


def stranger(status: int, body: bytes = b"<html><title>Access Denied</title></html>") -> Fact:
    """A firewall, a proxy or a portal in Xero's place (XeroAPI/xero-php-oauth2#302, xero-node#486, Xero-NetStandard#425)."""
    what = f"{status} that is not Xero's"
    return Fact(what, status, InterceptedError, Intent.RETRY, body, headers=HTML, xeros=False)


REDIRECTS = (301, 302, 303, 307, 308)


UNSUCCESSFUL = problem("Forbidden", "AuthenticationUnsuccessful")

EVERY_CALL = (
    Fact("no connection", httpx.ConnectError("refused"), UnreachableError, Intent.RETRY),
    Fact("broken off", httpx.ReadError("reset"), UnreachableError, Intent.RETRY),
    Fact("no answer in time", httpx.ReadTimeout("late"), TimedOutError, Intent.RETRY),
    Fact(
        "401: a scope or a role is missing, however fresh the token",
        401, UnauthorisedError, Intent.REAUTHORISE, problem("Unauthorized", "AuthorizationUnsuccessful"), asked=2,
    ),
    Fact(
        "403: the organisation is disconnected, or the header is wrong",
        403, ForbiddenError, Intent.REAUTHORISE, UNSUCCESSFUL,
    ),
    Fact("403 in lower case", 403, ForbiddenError, Intent.REAUTHORISE, UNSUCCESSFUL.lower()),
    Fact("403 known by its body", 403, ForbiddenError, Intent.REAUTHORISE, UNSUCCESSFUL, xeros=False),
    *map(stranger, (304, 400, 401, 403, 404, 405, 406, 407, 412, 418, 429, 451, 511)),
    Fact("408", 408, ServerError, Intent.RETRY),
    Fact("412: a bad condition, or old TLS", 412, BadRequestError, Intent.QUARANTINE),
    Fact("414: the address is too long", 414, BadRequestError, Intent.QUARANTINE, b"<Error/>", headers=XML),
    limited("minute", "minute", LimitKind.MINUTE, "17", 17.0),
    limited("minute, as the old pages spell it", "Minute", LimitKind.MINUTE, "17", 17.0),
    limited("day", "day", LimitKind.DAY, "66975", 66_975.0),
    limited("day, as the old pages spell it", "Daily", LimitKind.DAY, "66975", 66_975.0),
    limited("day, until a time", "day", LimitKind.DAY, "Sun, 22 Nov 2026 11:00:00 GMT", 3_600.0),
    limited("the app's minute (its word is unconfirmed)", "appminute", LimitKind.APP, None, None),
    limited("five at once (its word is unconfirmed)", "concurrent", LimitKind.CONCURRENT, None, None),
    limited("a limit nobody has seen", "tea-time", LimitKind.CONCURRENT, None, None),
    limited("a limit without a word", None, LimitKind.CONCURRENT, None, None),
    Fact("500", 500, ServerError, Intent.RETRY, b"<html>", headers=HTML),
    Fact("501: no such method", 501, BadRequestError, Intent.QUARANTINE),
    Fact("502 from something between", 502, ServerError, Intent.RETRY, xeros=False),
    Fact("503: maintenance", 503, OfflineError, Intent.PARK, b"The Xero API is currently offline for maintenance"),
    Fact(
        "503: this organisation is offline (its text is unconfirmed)",
        503, OfflineError, Intent.PARK, b"The Organisation is offline",
    ),
    *(moved(status, OddStatusError, Intent.RETRY) for status in REDIRECTS),
    *(moved(status, InterceptedError, Intent.RETRY, xeros=False) for status in REDIRECTS),
    Fact("200 without a body", 200, GarbledAnswerError, Intent.RETRY),
    Fact("200, half a body", 200, GarbledAnswerError, Intent.RETRY, b'{"Invoices":[{'),
    Fact("200 of a proxy", 200, GarbledAnswerError, Intent.RETRY, b"<html>", headers=HTML),
    Fact("200 without the list", 200, UnmappableAnswerError, Intent.QUARANTINE, b"{}"),
    Fact("200 of a portal, in JSON", 200, InterceptedError, Intent.RETRY, b'{"login":"here"}', xeros=False),
)  # fmt: skip
"""Whatever is asked."""

READS = (
    Fact(
        "400 to a query, as text",
        400, BadRequestError, Intent.QUARANTINE, b"Supplied parameter 'ContactIds' cannot be parsed.", headers=HTML,
    ),
    Fact(
        "400 of the edge to a far too long address",
        400, InterceptedError, Intent.RETRY, b"<HTML><H1>Invalid URL</H1>", headers=HTML, xeros=False,
    ),
    Fact(
        "404 of Xero's to a list: the query is too long; it proves nothing",
        404, BadRequestError, Intent.QUARANTINE, b"<html>", headers=HTML,
    ),
)  # fmt: skip

WRITES = (
    Fact(
        "400 with the rows refused",
        400, InvalidRowsError, Intent.QUARANTINE,
        b'{"ErrorNumber":10,"Type":"ValidationException","Message":"A validation exception occurred",'
        b'"Elements":[{"ValidationErrors":[{"Message":"Account code is missing"}]}]}',
    ),
    Fact(
        "400: the key went out with another request",
        400, KeyReusedError, Intent.QUARANTINE,
        b'{"Title":"The Idempotency-Key has been used with a different request"}',
    ),
    Fact("200 with other rows than were sent", 200, RowsMismatchError, Intent.QUARANTINE, b'{"Invoices":[]}'),
)  # fmt: skip

TOKENS = (
    Fact(
        "invalid_grant: rotated, expired or revoked",
        400, ReauthoriseError, Intent.REAUTHORISE, b'{"error":"invalid_grant"}',
    ),
    *(
        Fact(word, status, ClientConfigError, Intent.STOP, b'{"error":"%b"}' % word.encode())
        for word, status in (("unauthorized_client", 400), ("invalid_client", 401), ("invalid_scope", 400))
    ),
    Fact("a firewall's page", 403, InterceptedError, Intent.RETRY, b"<html>Access Denied</html>"),
    Fact("an empty 400", 400, InterceptedError, Intent.RETRY),
    Fact("5xx: it may have happened", 503, ServerError, Intent.RETRY),
    Fact("half an answer", 200, GarbledAnswerError, Intent.RETRY, b'{"acc'),
    Fact("429", 429, RateLimitedError, Intent.PARK, limit=LimitKind.APP),
    Fact("no answer", httpx.ReadTimeout("late"), TimedOutError, Intent.RETRY),
    Fact("no connection", httpx.ConnectError("refused"), UnreachableError, Intent.RETRY),
    *map(moved, (301, 302, 307, 308)),
)  # fmt: skip

DISCONNECTS = (
    Fact("403: the id is a tenant's or a consent's", 403, NotAConnectionError, Intent.QUARANTINE, UNSUCCESSFUL),
)

ELSEWHERE: dict[type[XeroError], str] = {
    CodeLostError: "integration/xero_api/test_oauth.py",
    CodeRefusedError: "integration/xero_api/test_oauth.py",
    ConsentDeniedError: "integration/xero_api/test_oauth.py",
    ForgedCallbackError: "unit/xero_api/test_oauth_consent.py",
    EncodedAnswerError: "integration/xero_api/test_bombs.py",
    OversizedAnswerError: "integration/xero_api/test_bombs.py",
    DisconnectedError: "unit/xero_api/test_oauth_memory.py",
    InvalidRecordError: "unit/xero_api/test_unify.py",
    MissingFileError: "unit/xero_api/test_parts.py",
    OverBudgetError: "integration/xero_api/test_organisation.py",
    TamperedGrantError: "integration/processors/test_sealed_tokens.py",
    PagingError: "unit/xero_api/test_passes.py",
    UnfitFieldError: "unit/xero_api/writes/test_values.py",
    UnforeseenError: "unit/xero_api/test_unforeseen.py",
    UnsendableError: "unit/xero_api/writes/test_requests.py",
}
"""What is no answer to one call, and where it is provoked."""


class Provoked(Xero):
    """A Xero that does what the fact says."""

    def __init__(self, fact: Fact) -> None:
        def answer(request: httpx.Request) -> httpx.Response:
            del request
            if isinstance(fact.does, Exception):
                raise fact.does
            headers = (XEROS if fact.xeros else {}) | JSON | fact.headers
            return httpx.Response(fact.does, headers=headers, stream=httpx.ByteStream(fact.body))

        super().__init__(answer)

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
        await provoked.client.send(CallContext(DEFAULT_APP, TENANT, Priority.POLL), get_page(INVOICES, None))

    provoked.judge(fact, caught.value)


@facts(EVERY_CALL, WRITES)
async def test_a_write(fact: Fact) -> None:
    """Two rows; nothing is sent again by itself."""
    provoked = Provoked(fact)
    request = create(INVOICES, [{"Reference": "a"}, {"Reference": "b"}], key="k")

    with pytest.raises(XeroError) as caught:
        await provoked.client.write(CallContext(DEFAULT_APP, TENANT), request)

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
        provoked = Provoked(Fact("no error", status, XeroError, Intent.RETRY))
        return await provoked.client.send(CallContext(DEFAULT_APP, TENANT, Priority.POLL), request)

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
