"""An answer on which our code fails costs the record that spoils it, not its neighbours."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

import xero_api.salvage
from tests.unit.xero_api.rig import TENANT, Xero
from xero_api import client as client_module
from xero_api.answers import Answer
from xero_api.call import Priority
from xero_api.calling.context import CallContext
from xero_api.decode import decode, encode
from xero_api.errors import Intent, UnforeseenError, intent
from xero_api.registry import INVOICES
from xero_api.requests import Request, get_ids, get_one, get_page
from xero_stream.contracts.names import DEFAULT_APP, RecordId
from xero_stream.unforeseen import described

IDS = [RecordId(f"{number:08d}-0000-4000-8000-000000000000") for number in range(30)]
SPOILT = IDS[7]


class _NobodyForesawError(Exception):
    """Neither a ValueError nor an error of Xero's."""


def _decoding(text: bytes) -> Any:
    """Decode; fail where the spoilt record's total is, as no input can make it fail."""
    if b"SPOILT" in text:
        raise _NobodyForesawError(text)
    return decode(text)


def _failing(*_: object) -> Iterator[None]:
    raise _NobodyForesawError("SECRET")
    yield


@pytest.fixture(autouse=True)
def _fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "decipher_in_steps", _failing)
    monkeypatch.setattr(xero_api.salvage, "decode", _decoding)


def _invoice(record_id: str) -> dict[str, Any]:
    lines = [{"Description": 'a "quoted\\" {thing}] ,', "Nested": {"deep": [[], {}, ["]"]]}}]
    return {"InvoiceID": record_id, "Reference": "SPOILT" if record_id == SPOILT else "good", "LineItems": lines}


def _body(record_ids: list[RecordId]) -> bytes:
    return encode(
        {
            "Id": "x",
            "DateTimeUTC": "/Date(1764000000000)/",
            "pagination": {"page": 1, "pageSize": 1000, "pageCount": 1, "itemCount": len(record_ids)},
            "Invoices": [_invoice(record_id) for record_id in record_ids],
        }
    )


async def _answer(request: Request, body: bytes) -> Answer:
    headers = {"xero-correlation-id": "c"}
    xero = Xero(lambda _: httpx.Response(200, headers=headers, stream=httpx.ByteStream(body)))
    return await xero.client.send(CallContext(DEFAULT_APP, TENANT, Priority.POLL), request)


async def test_a_page_is_read_record_by_record() -> None:
    """Twenty-nine records, their order, paging and times; the spoilt one by its id, with its bytes and the class."""
    answer = await _answer(get_page(INVOICES, None), _body(IDS))

    assert [raw["InvoiceID"] for raw in answer.records] == [one for one in IDS if one != SPOILT]
    assert answer.records[0] == _invoice(IDS[0])
    (broken,) = answer.unreadable
    assert (broken.index, broken.record_id) == (7, SPOILT)
    assert decode(broken.value) == _invoice(SPOILT)
    assert broken.broke is not None
    assert broken.broke.startswith("_NobodyForesawError in xero_api/salvage.py:")
    assert answer.pagination is not None
    assert answer.pagination.item_count == 30
    assert answer.server_time is not None


async def test_a_batch_tells_the_spoilt_one_from_an_absent_one() -> None:
    """Absent means to ask alone at once; the spoilt one counts."""
    answer = await _answer(get_ids(INVOICES, IDS[5:10]), _body(IDS[5:9]))

    assert [raw["InvoiceID"] for raw in answer.records] == [IDS[5], IDS[6], IDS[8]]
    assert [one.record_id for one in answer.unreadable] == [SPOILT]
    assert answer.absent == {IDS[9]}


async def test_one_record_alone() -> None:
    """It is told by its id, and is not missing."""
    answer = await _answer(get_one(INVOICES, SPOILT), _body([SPOILT]))

    assert answer.records == ()
    assert [one.record_id for one in answer.unreadable] == [SPOILT]
    assert not answer.missing
    assert answer.absent == frozenset()


async def test_what_can_not_be_taken_apart_is_a_typed_error() -> None:
    """With its bytes, its class and place, and nothing of its words."""
    with pytest.raises(UnforeseenError) as caught:
        await _answer(get_page(INVOICES, None), b"[1]")

    assert intent(caught.value) is Intent.QUARANTINE
    assert caught.value.body == b"[1]"
    assert "_NobodyForesawError" in str(caught.value)
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize(
    "body", [b"{", b'{"Invoices":[{"a', b'{"Invoices":[{]}', b'{"Invoices":{"a":[', b"{}}}}", b'{"']
)
async def test_broken_bodies_end_in_a_typed_error(body: bytes) -> None:
    """Taking apart never fails by itself."""
    with pytest.raises(Exception) as caught:  # noqa: PT011 - any typed one
        await _answer(get_page(INVOICES, None), body)

    assert type(caught.value).__module__ == "xero_api.errors"


def test_an_exception_is_called_by_class_and_place() -> None:
    """The innermost place in our code; never its message."""
    with pytest.raises(ValueError, match="SECRET") as caught:
        raise ValueError("SECRET")
    assert described(caught.value) == "ValueError"

    with pytest.raises(TypeError) as inside:
        encode({"a": object()})
    assert described(inside.value).startswith("TypeError in xero_api/decode.py:")
