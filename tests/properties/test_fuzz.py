"""Hostile bytes on the whole way: what anybody may post to the receiver, and what may come back in Xero's place.

Seconds in every run; ``XERO_STREAM_FUZZ_MINUTES=60 make soak ARGS='-k fuzz'`` draws new examples for an hour. Nothing but typed errors,
dead letters and quarantine may come of any of it.
"""

import asyncio
import gzip
import json
import os
import random
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import orjson
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from processors.intake.fold import Arrived, Folded, fold
from processors.intake.place import Place, home_of
from processors.intake.subject import Subjects
from processors.recorder.diff import changed_fields
from processors.recorder.envelope import Draft, Placement, encode_change
from processors.recorder.policy import FieldPolicy
from processors.recorder.read import read_answer
from receiver.parse import Unreadable, parse
from receiver.records import LARGEST_VALUE, Receipt, Shaper
from receiver.signature import verify
from tests.support.examples import examples
from tests.support.webhooks import KEY, shaped, sign
from tests.unit.xero_api.rig import TENANT, Tokens
from xero_api.answers import Answer
from xero_api.call import Priority
from xero_api.calling.context import CallContext
from xero_api.client import XeroClient
from xero_api.decode import decode
from xero_api.entity import Entity
from xero_api.errors import XeroError
from xero_api.oauth.identity import IdentityClient
from xero_api.oauth.source import AccessToken, GrantId
from xero_api.oauth.token import ClientCredentials
from xero_api.registry import BANK_TRANSACTIONS, CONTACTS, ENTITIES, INVOICES, ORGANISATIONS
from xero_api.requests import Request, get_all, get_one, get_page
from xero_stream.contracts.change_event import ChangeEvent, Op, Trigger
from xero_stream.contracts.names import DEFAULT_APP, AppName, RecordId
from xero_stream.contracts.partition import partition_of
from xero_stream.contracts.topics import Topics

MINUTES = float(os.environ.get("XERO_STREAM_FUZZ_MINUTES", "0"))
PARTS = 4
PARTITIONS = 3
NOW = datetime(2026, 11, 30, tzinfo=UTC)
GUID = "23c89873-9b5c-4a5e-8b0f-0f9f5f9f5f9f"


def fuzz(check: Callable[..., None], *, count: int, **strategies: st.SearchStrategy[Any]) -> None:
    """Draw some examples, or new ones until the part's share of the minutes is over.

    Args:
        check: fails for a bad one.
        count: how many at a time.
        strategies: its arguments.
    """
    ends = time.monotonic() + 60 * MINUTES / PARTS
    while True:
        drawn = given(**strategies)(check)
        if MINUTES:
            drawn = seed(random.SystemRandom().getrandbits(64))(drawn)
        settings(max_examples=examples(count), derandomize=not MINUTES, database=None)(drawn)()
        if time.monotonic() >= ends:
            return


nasty = st.sampled_from([
    *("", " ", "\x00", "\ud83d", "\u202e", "\x1b[2J", "a" * 5_000, "null", "0", "-1", "../../../connections", "%2e%2e%2f", "..\\", "?", "#"),
    *("' OR 1=1 --", "{}", "[]", "\uff10", "é", "e\u0301", "ﬃ", "İ", "ß", "\u2028", "/api.xro/2.0/Invoices/x", "//evil.test", "\r\nX: y"),
    *(GUID, GUID.upper(), "{" + GUID + "}", GUID.replace("-", ""), f" {GUID}\n", f"urn:uuid:{GUID}", GUID[:-1] + "g", GUID + "0", GUID + "\x00"),
    *("INVOICE", "invoice", "İNVOICE", "CONTACT", "CREATE", "UPDATE", "0001-01-01T00:00:00", "9999-12-31T23:59:59.999-14:00", "2026-02-30T00:00:00"),
])  # fmt: skip
texts = nasty | st.text(st.characters(codec=None), max_size=30)
numbers = st.sampled_from([0, -1, 2**31, 2**53 + 1, 2**63, 2**64, -(2**63) - 1, 1e308, -0.0, 1e-320]) | st.integers()
scalars = st.none() | st.booleans() | numbers | texts
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=6
)
raw_literals = st.sampled_from([
    *("1e999999999", "-1e-999999999", "NaN", "Infinity", "1" * 5_000, "0e999999999", "9" * 400, "-", "1.", "01", "+1", "0x10", "1_0", "'a'"),
    *(r'"\ud83d"', r'"\ud83d\ude00"', r'"\u0000"', '"\x00"', '"\\x"', '"', '"a', "{", "[", "}", "[1,]", '{"a":1,}', '{"a":1,"a":2}', "//"),
    *("[" * 2_000, "[" * 300 + "]" * 300, '{"a":' * 1_100 + "1" + "}" * 1_100, '{"a":' * 260 + "1" + "}" * 260, "\ufeff{}", "tru", "nul"),
])  # fmt: skip


@st.composite
def documents(draw: st.DrawFn, top: st.SearchStrategy[Any]) -> bytes:
    """JSON, or what was JSON before somebody had at it: literals put in, bytes flipped, cut, another encoding, packed around."""
    text = json.dumps(draw(top), ensure_ascii=draw(st.booleans()), allow_nan=True)
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(raw_literals) + text[at + draw(st.integers(0, 4)) :]
    encoding = draw(st.sampled_from(["utf-8"] * 6 + ["utf-16", "utf-32", "latin-1", "utf-7", "utf-8-sig", "shift-jis"]))
    body = bytearray(text.encode(encoding, draw(st.sampled_from(["replace", "ignore", "backslashreplace"]))))
    if encoding == "utf-8":
        body = bytearray(text.encode("utf-8", "surrogatepass"))
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 3]))):
        if body:
            body[draw(st.integers(0, len(body) - 1))] = draw(st.integers(0, 255))
    if draw(st.integers(0, 9)) == 0:
        del body[draw(st.integers(0, len(body))) :]
    return bytes(body)


events = st.dictionaries(
    st.sampled_from(
        ["tenantId", "resourceId", "eventCategory", "eventType", "eventDateUtc", "resourceUrl", "tenantType", "x"]
    ),
    values,
    max_size=8,
)
good_event = st.builds(
    lambda changes: {
        "tenantId": GUID,
        "resourceId": GUID,
        "eventCategory": "INVOICE",
        "eventType": "UPDATE",
        "eventDateUtc": "2026-11-29T10:00:00.000",
        "resourceUrl": f"https://api.xero.com/api.xro/2.0/Invoices/{GUID}",
        **changes,
    },
    events,
)
deliveries = st.fixed_dictionaries(
    {"events": st.lists(good_event | events | values, max_size=4) | values},
    optional={"firstEventSequence": values, "lastEventSequence": values, "entropy": values, "\ud800": values},
)


def _folded(value: bytes, key: bytes | None, partition: int) -> Folded:
    """What intake makes of a record: never an exception, and nothing that PostgreSQL refuses."""
    home_of(value, PARTITIONS)
    folded = fold(
        [Arrived(offset=1, key=key, value=value, appended_at=NOW)],
        Subjects.of(ENTITIES),
        Place(partition=partition, partitions=PARTITIONS, owners={}),
    )
    assert len(folded.marks) + len(folded.refused) + sum(folded.ignored.values()) + sum(folded.disabled.values()) == 1
    for mark in folded.marks:
        kept = [mark.app, mark.tenant_id, mark.record_id, mark.entity, *mark.deliveries, mark.traceparent or ""]
        for text in kept:
            assert "\x00" not in text
            text.encode()
        assert str(UUID(mark.tenant_id)) == mark.tenant_id
        assert str(UUID(mark.record_id)) == mark.record_id
        assert mark.event_at.tzinfo is not None
        assert partition_of(mark.tenant_id, PARTITIONS) == partition
    for refused in folded.refused:
        refused.error.encode()
    for category in folded.ignored:
        category.encode()
    for first, last in ((first, last) for _, first, last in folded.ranges):
        assert 0 <= first <= last < 2**63
    return folded


def test_fuzz_of_webhook_bodies() -> None:
    """Every event of a signed body is appended, or the body is a dead letter; intake marks it, refuses it or counts it."""
    shaper = Shaper(topics=Topics(prefix="xero"), partitions=PARTITIONS, keep_deliveries=True)

    def check(body: bytes) -> None:
        _, flaw = verify(body, [sign(body)], [KEY.encode()])
        assert flaw is None
        delivery = parse(body)
        records, unreadable = shaped(shaper, Receipt(AppName("default"), body, sign(body), 1, "00-a-b-01"))
        of_topic = {
            name: [one for one in records if one.topic.endswith(name)] for name in ("events", "letters", "deliveries")
        }
        assert [one.value for one in of_topic["deliveries"]] == [body]
        assert len(of_topic["letters"]) == (unreadable is not None)
        if unreadable not in {Unreadable.TOO_DEEP, Unreadable.TOO_LARGE}:
            assert len(of_topic["events"]) == len(delivery.events)
        for one in of_topic["events"]:
            assert len(one.value) <= LARGEST_VALUE
            orjson.loads(one.value)
            _folded(one.value, one.key, one.partition)

    fuzz(check, count=60, body=documents(deliveries | values))


def test_fuzz_of_records_by_others() -> None:
    """Who may write to the topic can write anything: intake refuses it."""

    def check(value: bytes, key: bytes | None, partition: int) -> None:
        folded = _folded(value, key, partition)
        assert not folded.marks or key == folded.marks[0].tenant_id.encode()

    envelopes = st.fixed_dictionaries(
        {"event": good_event | values, "app": texts | values, "delivery_id": texts | values},
        optional={"first_event_sequence": values, "last_event_sequence": values, "version": values},
    )
    fuzz(
        check,
        count=60,
        value=documents(envelopes | values),
        key=st.none() | st.binary(max_size=40) | st.just(GUID.encode()),
        partition=st.integers(0, PARTITIONS - 1),
    )


HEADERS = ("content-type", "content-encoding", "date", "xero-correlation-id", "retry-after", "x-rate-limit-problem", "etag",
           "x-minlimit-remaining", "x-daylimit-remaining", "x-appminlimit-remaining", "location", "set-cookie")  # fmt: skip
header_values = st.sampled_from([
    *("application/json", "text/html", "gzip", "gzip, gzip", "br", "c", "0", "-1", "1e9", "9" * 400, "NaN", "minute", "day", "\x80\xff"),
    *("Mon, 30 Nov 2026 00:00:00 GMT", "Mon, 99 Foo 0000 99:99:99 XXX", "Fri, 31 Dec 9999 23:59:59 GMT", "http://evil.test/", "a=b; Domain=xero.com"),
])  # fmt: skip
headers = st.dictionaries(st.sampled_from(HEADERS), header_values, max_size=5)
statuses = st.sampled_from(
    [200] * 8 + [100, 201, 204, 206, 301, 304, 400, 401, 403, 404, 407, 408, 429, 500, 501, 503, 511, 599]
)
REQUESTS: Sequence[tuple[Entity[Any], Request]] = [
    (INVOICES, get_page(INVOICES, None)),
    (INVOICES, get_one(INVOICES, RecordId(GUID))),
    (CONTACTS, get_page(CONTACTS, NOW)),
    (BANK_TRANSACTIONS, get_page(BANK_TRANSACTIONS, None)),
    (ORGANISATIONS, get_all(ORGANISATIONS)),
    (INVOICES, get_page(INVOICES, NOW)),
]
FIELDS = ("InvoiceID", "ContactID", "BankTransactionID", "OrganisationID", "Type", "Status", "Contact", "LineItems", "Payments", "Total", "SubTotal",
          "UpdatedDateUTC", "DateString", "Date", "CurrencyRate", "Phones", "Addresses", "PaymentTerms", "CreditNotes", "ValidationErrors", "Name",
          "HasErrors", "StatusAttributeString", "MergedToContactID", "Quantity", "Tracking", "AccountCode", "x")  # fmt: skip
records = st.recursive(
    st.dictionaries(st.sampled_from(FIELDS), values, max_size=6),
    lambda inner: st.dictionaries(st.sampled_from(FIELDS), inner | st.lists(inner, max_size=2) | values, max_size=4),
    max_leaves=4,
).map(lambda record: {"InvoiceID": GUID, "ContactID": GUID, **record})
answers = st.dictionaries(
    st.sampled_from(
        [
            "Invoices",
            "Contacts",
            "BankTransactions",
            "Organisations",
            "pagination",
            "DateTimeUTC",
            "Id",
            "Type",
            "Message",
            "Elements",
        ]
    ),
    st.lists(records | values, max_size=3) | values,
    max_size=5,
)


def _answering(status: int, given_headers: Mapping[str, str], body: bytes, packed: bool) -> httpx.MockTransport:
    sent = gzip.compress(body) if packed else body
    raw = [(name.encode(), value.encode("latin-1", "replace")) for name, value in given_headers.items()]
    if packed:
        raw = [*(pair for pair in raw if pair[0] != b"content-encoding"), (b"content-encoding", b"gzip")]
    return httpx.MockTransport(lambda _: httpx.Response(status, headers=raw, stream=httpx.ByteStream(sent)))


def _recorded(entity: Entity[Any], answer: Answer) -> None:
    """What was read becomes changes that can be sent; what can't be read is kept with its bytes."""

    async def read() -> list[Any]:
        slices = read_answer(answer, tenant_id=TENANT, keep_raw=True, policy=FieldPolicy({}), size=50)
        return [one async for one in slices]

    for reading in asyncio.run(read()):
        for kept in reading.bad:
            kept.error.encode()
            assert isinstance(kept.value, bytes)
        for one in reading.reads:
            assert "\x00" not in one.record_id
            one.record_id.encode()
            if one.body is not None:
                _changed(entity, one.record_id, one.body, one.raw)


def _changed(entity: Entity[Any], record_id: RecordId, body: bytes, raw: bytes | None) -> None:
    draft = Draft(
        op=Op.CREATE,
        entity=entity.name,
        tenant_id=TENANT,
        record_id=record_id,
        before=None,
        after=body,
        changed_fields=changed_fields(None, decode(body)),
        updated_at=None,
        trigger=Trigger.POLL,
        raw=raw,
    )
    placement = Placement(
        incarnation=UUID(int=1),
        prefix="xero",
        topic="t",
        partition=0,
        position=2,
        previous=1,
        recorded_at=NOW,
        customer_ref=None,
    )
    value = encode_change(draft, placement).value
    json.loads(value)
    ChangeEvent.model_validate(decode(value))


def test_fuzz_of_answers() -> None:
    """The client gives an answer or a typed error; of an answer every record is read, or kept with its bytes."""

    async def ask(request: Request, transport: httpx.MockTransport) -> Answer | None:
        client = XeroClient(api_url="https://api.example", tokens=Tokens(), timeout=10, transport=transport)
        try:
            return await client.send(CallContext(DEFAULT_APP, TENANT, Priority.POLL), request)
        except XeroError as error:
            str(error).encode()
            return None
        finally:
            await client.aclose()

    def check(which: int, status: int, given_headers: dict[str, str], body: bytes, packed: bool) -> None:
        entity, request = REQUESTS[which]
        answer = asyncio.run(ask(request, _answering(status, given_headers, body, packed)))
        if answer is not None:
            _recorded(entity, answer)

    fuzz(
        check,
        count=60,
        which=st.integers(0, len(REQUESTS) - 1),
        status=statuses,
        given_headers=headers,
        body=documents(answers | values),
        packed=st.booleans(),
    )


def test_fuzz_of_connections_and_tokens() -> None:
    """The same of the token endpoint and of ``/connections``."""
    secret = ClientCredentials(client_id="i", client_secret="s")
    token = AccessToken(value="t", grant_id=GrantId("g"))

    async def ask(transport: httpx.MockTransport) -> None:
        client = XeroClient(api_url="https://api.example", tokens=Tokens(), timeout=10, transport=transport)
        identity = IdentityClient(identity_url="https://identity.example", transport=transport)
        for call in (
            client.connections(DEFAULT_APP, token),
            client.own_connection(DEFAULT_APP, token),
            client.disconnect(DEFAULT_APP, token, GUID),
            identity.client_credentials(secret, NOW),
            identity.revoke(secret, "t"),
        ):
            try:
                await call
            except XeroError as error:
                str(error).encode()
        await client.aclose()
        await identity.aclose()

    def check(status: int, given_headers: dict[str, str], body: bytes, packed: bool) -> None:
        asyncio.run(ask(_answering(status, given_headers, body, packed)))

    rows = st.dictionaries(
        st.sampled_from(
            ["id", "tenantId", "tenantType", "authEventId", "tenantName", "createdDateUtc", "updatedDateUtc"]
        ),
        values,
        max_size=7,
    ).map(lambda row: {"id": GUID, "tenantId": GUID, "tenantType": "ORGANISATION", **row})
    tokens = st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(
            (
                "access_token",
                "refresh_token",
                "expires_in",
                "scope",
                "id_token",
                "token_type",
                "error",
                "error_description",
            ),
            values,
        ),
    )
    fuzz(
        check,
        count=40,
        status=statuses,
        given_headers=headers,
        body=documents(st.lists(rows | values, max_size=3) | tokens | values),
        packed=st.booleans(),
    )
