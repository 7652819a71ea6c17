"""The typed reader, over answers given in memory."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, assert_type, cast
from uuid import UUID

import pytest

from tests.support.xero_records import TENANT, example, forms
from xero_api.answers import Answer, decipher
from xero_api.decode import encode
from xero_api.entity import Entity, Form, Full, Offset
from xero_api.errors import InvalidRecordError, PagingError, TimedOutError, UnmappableAnswerError
from xero_api.paging import Done, Keyset
from xero_api.reading import Reader
from xero_api.registry import (
    ACCOUNTS,
    BUDGETS,
    CONTACTS,
    CREDIT_NOTES,
    CURRENCIES,
    ENTITIES,
    INVOICES,
    JOURNALS,
    QUOTES,
    TRACKING_CATEGORIES,
)
from xero_api.requests import Request
from xero_stream.contracts.names import RecordId
from xero_stream.contracts.records.invoice import Invoice

entities = pytest.mark.parametrize("entity", ENTITIES, ids=lambda entity: entity.name)
FROM_XERO = {"xero-correlation-id": "x"}


class Xero:
    """Answers each request from a function, and remembers what was asked."""

    def __init__(self, answer: Callable[[Request], list[dict[str, Any]] | None]) -> None:
        self.answer = answer
        self.asked: list[Request] = []
        self.reader = Reader(self.send, TENANT)

    async def send(self, request: Request) -> Answer:
        """What Xero would answer; None is a 404."""
        self.asked.append(request)
        records = self.answer(request)
        if records is None:
            return decipher(request, 404, FROM_XERO, b"")
        return decipher(request, 200, FROM_XERO, encode({request.entity.list_key: records}))

    @property
    def targets(self) -> list[str]:
        """What was asked, without the API's path."""
        return [request.target.removeprefix("/api.xro/2.0/") for request in self.asked]


def _id(number: int) -> RecordId:
    return RecordId(str(UUID(int=number + 1)))


def _all(entity: Entity[Any], numbers: range) -> list[dict[str, Any]]:
    return [{entity.id_field: _id(number), "Type": "ACCREC"} for number in numbers]


@entities
async def test_every_kind_of_record_is_listed_typed_and_with_what_xero_sent(entity: Entity[Any]) -> None:
    """Captured answers of all entities through the reader: models of the row, and nothing of Xero's lost."""

    async def send(request: Request) -> Answer:
        form = "one" if request.form is Form.ONE or entity.full is Full.SINGLY else "page"
        return decipher(request, 200, FROM_XERO, example(entity.name, form))

    pages = [page async for page in Reader(send, TENANT).pages(entity)]

    found = [one for page in pages for one in page.found]
    assert found
    assert "page" in forms(entity) or entity.full is Full.SINGLY
    assert all(type(one.record) is entity.model and one.record.id == entity.id_of(one.raw) for one in found)
    assert pages[-1].unmapped == ()
    assert isinstance(pages[-1].then, Done)


async def test_one_record_is_of_the_rows_type() -> None:
    """``get(INVOICES, id)`` is an ``Invoice`` for people and for mypy; amounts are exact."""
    xero = Xero(lambda _: [{"InvoiceID": _id(1), "Type": "ACCREC", "Total": 0.1}])

    invoice = await xero.reader.get(INVOICES, _id(1))

    assert_type(invoice, Invoice | None)
    assert invoice is not None
    assert invoice.total == Decimal("0.1")
    assert xero.targets == [f"Invoices/{_id(1)}?unitdp=4"]


async def test_one_record_that_is_not_there() -> None:
    """A 404 is None; another record in its place is an error, not a proof."""
    assert await Xero(lambda _: None).reader.get(INVOICES, _id(1)) is None
    with pytest.raises(UnmappableAnswerError, match="does not hold the record"):
        await Xero(lambda _: _all(INVOICES, range(7, 8))).reader.get(INVOICES, _id(1))


async def test_one_record_that_can_not_be_mapped() -> None:
    """The error says where."""
    xero = Xero(lambda _: [{"InvoiceID": _id(1), "Type": "ACCREC", "LineItems": "much"}])

    with pytest.raises(InvalidRecordError) as caught:
        await xero.reader.get(INVOICES, _id(1))

    assert caught.value.path == "LineItems"


async def test_one_record_of_a_list() -> None:
    """Where there is no single read the whole list is read: whether a record is in it is certain."""
    xero = Xero(lambda _: [{"Code": "NZD", "Description": "Dollar"}, {"Code": "EUR", "Description": 5.5}])

    currency = await xero.reader.get(CURRENCIES, RecordId("nzd"))

    assert currency is not None
    assert currency.name == "Dollar"
    assert await xero.reader.get(CURRENCIES, RecordId("xyz")) is None
    euro = await xero.reader.get(CURRENCIES, RecordId("eur"))
    assert euro is not None
    assert euro.name == "5.5"
    assert set(xero.targets) == {"Currencies"}


async def test_a_journal_is_never_read_by_itself() -> None:
    """Refused before the network, naming both."""
    xero = Xero(lambda _: [])

    with pytest.raises(ValueError, match="journals can't be read one by one"):
        await xero.reader.get(JOURNALS, _id(1))
    with pytest.raises(ValueError, match="journals can't be read one by one"):
        await xero.reader.get_many(JOURNALS, [_id(1)])

    assert xero.asked == []


async def test_many_in_batches() -> None:
    """As many a call as the row says, each id once; what doesn't come is told."""
    xero = Xero(lambda request: _all(INVOICES, range(3, 60)) if len(request.asked or ()) > 20 else [])

    many = await xero.reader.get_many(INVOICES, [_id(number % 60) for number in range(80)])

    assert [len(request.asked or ()) for request in xero.asked] == [50, 10]
    assert set(many.found) == {_id(number) for number in range(3, 50)}
    assert many.absent == {_id(number) for number in (0, 1, 2, *range(50, 60))}


async def test_many_by_where_one_by_one_or_from_the_whole_list() -> None:
    """Credit notes twenty a call, quotes one by one, accounts all at once unless it is but one."""
    cases: list[tuple[Entity[Any], int, int]] = [
        (CREDIT_NOTES, 21, 2),
        (QUOTES, 3, 3),
        (ACCOUNTS, 9, 1),
        (ACCOUNTS, 1, 1),
    ]
    for entity, count, calls in cases:
        xero = Xero(lambda request: _all(request.entity, range(30)))

        many = await xero.reader.get_many(entity, [_id(number) for number in range(count)])

        assert len(many.found) == count
        assert len(xero.asked) == calls
    assert xero.targets == [f"Accounts/{_id(0)}"]


async def test_many_none() -> None:
    """Nothing asked, nothing sent."""
    xero = Xero(lambda _: [])

    assert (await xero.reader.get_many(INVOICES, [])).found == {}
    assert xero.asked == []


async def test_a_bad_record_costs_itself_only() -> None:
    """What can't be mapped, or is no record, comes beside the others."""
    bad: list[Any] = [{"InvoiceID": _id(1), "LineItems": 1}, 5, *_all(INVOICES, range(2, 4))]
    xero = Xero(lambda _: bad)

    (page,) = [page async for page in xero.reader.pages(INVOICES)]
    many = await xero.reader.get_many(INVOICES, [_id(1), _id(2)])

    assert [record.id for record in page.records] == [_id(2), _id(3)]
    assert [one.error.path for one in page.unmapped] == ["InvoiceID", "LineItems"]
    assert set(many.found) == {_id(2)}
    assert many.absent == frozenset()
    assert {one.error.path for one in many.unmapped} == {"InvoiceID", "LineItems"}


async def test_summaries_are_filled_by_single_reads() -> None:
    """A list of budgets lacks the lines; each is read by itself, for the months asked; one that went is left out."""

    def answer(request: Request) -> list[dict[str, Any]] | None:
        if request.form is Form.PAGE:
            return [{"BudgetID": _id(number), "BudgetLines": []} for number in (1, 2)]
        return [{"BudgetID": _id(1), "BudgetLines": [1]}] if _id(1) in (request.asked or ()) else None

    xero = Xero(answer)

    pages = [page async for page in xero.reader.pages(BUDGETS, filters={"DateFrom": "2026-01-01"})]

    assert [[record.raw["BudgetLines"] for record in page.records] for page in pages] == [[[1]]]
    assert xero.targets == [f"Budgets{which}?DateFrom=2026-01-01" for which in ("", f"/{_id(1)}", f"/{_id(2)}")]
    assert await xero.reader.get(BUDGETS, _id(2), DateTo="2026-02-28") is None


async def test_pages_shrink_while_answers_take_too_long() -> None:
    """1,000, 500, 250, 125, and 125 for the rest of the pass; what was read before is not read again."""

    def answer(request: Request) -> list[dict[str, Any]]:
        if request.page_size > 130:
            raise TimedOutError("slow")
        since = request.headers.get("If-Modified-Since")
        return [] if since else _changed(range(125))

    xero = Xero(answer)

    pages = [page async for page in xero.reader.pages(CONTACTS)]

    assert [request.page_size for request in xero.asked] == [1000, 500, 250, 125, 125]
    assert [len(page.records) for page in pages] == [125, 0]


async def test_a_list_that_can_not_shrink_says_so() -> None:
    """There is a smallest page, and lists without one: then the time-out is the caller's."""

    def never(_: Request) -> list[dict[str, Any]]:
        raise TimedOutError("slow")

    cases: list[tuple[Entity[Any], int]] = [(CONTACTS, 6), (ACCOUNTS, 1), (QUOTES, 1)]
    for entity, calls in cases:
        xero = Xero(never)
        with pytest.raises(TimedOutError):
            _ = [page async for page in xero.reader.pages(entity)]
        assert len(xero.asked) == calls


async def test_a_pass_goes_on_where_it_was_left() -> None:
    """``Page.then`` begins another reader's pass."""
    xero = Xero(lambda request: [] if "If-Modified-Since" in request.headers else _changed(range(1000)))
    pages = xero.reader.pages(CONTACTS)
    first = await anext(pages)
    await pages.aclose()
    assert isinstance(first.then, Keyset)

    rest = [page async for page in xero.reader.pages(CONTACTS, start=first.then)]

    assert len(xero.asked) == 2
    assert isinstance(rest[-1].then, Done)
    assert rest[-1].then.reached == datetime(2026, 1, 1, 0, 16, 39, tzinfo=UTC)


async def test_what_can_not_be_asked_is_refused_before_the_network() -> None:
    """Since and filters the row lacks."""
    xero = Xero(lambda _: [])

    with pytest.raises(ValueError, match="tracking-categories can't be read since"):
        await anext(xero.reader.pages(TRACKING_CATEGORIES, since=datetime(2026, 1, 1, tzinfo=UTC)))
    with pytest.raises(ValueError, match="quotes has no filter where"):
        await anext(xero.reader.pages(QUOTES, filters={"where": "x"}))

    assert xero.asked == []


async def test_journals_by_offset() -> None:
    """A hundred a call, on from the highest number; an offset that Xero ignores ends the pass with an error."""

    def journals(request: Request) -> list[dict[str, Any]]:
        offset = int(dict(request.params)["offset"])
        return [{"JournalID": _id(n), "JournalNumber": n} for n in range(offset + 1, min(offset + 101, 251))]

    xero = Xero(journals)
    numbers = [record.number async for page in xero.reader.pages(JOURNALS) for record in page.records]

    assert numbers == list(range(1, 251))
    assert isinstance(JOURNALS.paging, Offset)
    assert xero.targets == [f"Journals?offset={offset}" for offset in (0, 100, 200)]
    stuck = Xero(lambda _: [{"JournalID": _id(n), "JournalNumber": n} for n in range(1, 101)])
    with pytest.raises(PagingError):
        _ = [page async for page in stuck.reader.pages(JOURNALS)]


def _changed(numbers: range) -> list[dict[str, Any]]:
    start = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1000)
    return [{"ContactID": _id(number), "UpdatedDateUTC": f"/Date({start + number * 1000})/"} for number in numbers]


async def test_a_pass_that_is_done_is_not_taken_up_again() -> None:
    """It would read nothing and say nothing; the error says how the next one begins."""
    xero = Xero(lambda _: [])
    page = await anext(xero.reader.pages(INVOICES))
    done: Any = page.then

    with pytest.raises(ValueError, match=r"since=done\.reached"):
        await anext(xero.reader.pages(INVOICES, start=done))

    assert len(xero.asked) == 1


@pytest.mark.parametrize("entity", [INVOICES, JOURNALS, ACCOUNTS], ids=lambda entity: entity.name)
async def test_since_has_a_zone(entity: Entity[Any]) -> None:
    """Without one nobody knows which moment is meant: nothing is asked, however the list is cut."""
    xero = Xero(lambda _: [])

    with pytest.raises(ValueError, match="since has no time zone"):
        await anext(xero.reader.pages(entity, since=datetime.fromisoformat("2026-01-01")))

    assert not xero.asked


async def test_one_id_is_not_taken_for_many() -> None:
    """A str would be read letter by letter."""
    xero = Xero(lambda _: [])

    with pytest.raises(TypeError, match=r"\[record_id\]"):
        await xero.reader.get_many(INVOICES, cast("Any", _id(1)))

    assert not xero.asked


@pytest.mark.parametrize("entity", [INVOICES, CONTACTS, ACCOUNTS, CURRENCIES], ids=lambda entity: entity.name)
async def test_what_is_no_id_is_never_said_to_be_absent(entity: Entity[Any]) -> None:
    """Wherever the records come from, the list included; nothing is asked."""
    xero = Xero(lambda _: [])

    for bad, error in ((UUID(int=1), TypeError), ("NO ID", ValueError)):
        with pytest.raises(error, match="an id of"):
            await xero.reader.get_many(entity, [cast("Any", bad), cast("Any", bad), RecordId("x")])

    assert not xero.asked
