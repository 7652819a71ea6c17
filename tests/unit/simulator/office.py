"""Books that take requests to write, without a network."""

import itertools
from typing import Any

import orjson

from simulator.accounting_api.encoding import Encoder
from simulator.accounting_api.parts import AttachmentStore
from simulator.accounting_api.reading import Moment
from simulator.accounting_api.write_context import WriteContext
from simulator.accounting_api.writing import WriteRequest, WriteService
from simulator.books.organisation import Change, Organisation
from simulator.books.words import Endpoint
from simulator.reply import Reply
from tests.unit.simulator import builders
from tests.unit.simulator.builders import NOW, guid


class Office:
    """Books that take orders, one millisecond after the other."""

    def __init__(self, *records: Any, **more: Any) -> None:
        self.books: Organisation = builders.organisation(*records, **more)
        self.papers = AttachmentStore()
        self.changes: list[Change] = []
        self._now = itertools.count(NOW + 1)
        self._ids = (guid(number) for number in itertools.count(7000))

    def order(
        self,
        method: str,
        endpoint: Endpoint,
        body: Any,
        record_id: str | None = None,
        *,
        four: bool = True,
        **more: Any,
    ) -> Reply:
        """Carry an order out."""
        now_ms = next(self._now)
        context = WriteContext(
            organisation=self.books,
            now_ms=now_ms,
            new_id=lambda: next(self._ids),
            creates=method == "PUT",
            four_decimals=four,
        )
        service = WriteService(
            context=context,
            papers=self.papers,
            encoder=Encoder(self.books),
            moment=Moment(now_ms=now_ms, answer_id=guid(1)),
        )
        raw = body if isinstance(body, bytes) else orjson.dumps(body)
        order = WriteRequest(
            method=method, endpoint=endpoint, record_id=record_id, body=raw, **({"summarize": False} | more)
        )
        reply = service.show(order) if method == "GET" else service.carry_out(order)
        self.changes = context.changes
        return reply

    def rows(self, method: str, endpoint: Endpoint, *elements: Any, **more: Any) -> list[dict[str, Any]]:
        """Write elements; the rows of the answer."""
        reply = self.order(method, endpoint, {endpoint.value: elements}, **more)
        assert reply.status == 200, reply.body
        found: list[dict[str, Any]] = orjson.loads(reply.body)[endpoint.value]
        return found

    def refusal(self, method: str, endpoint: Endpoint, element: Any, **more: Any) -> set[str]:
        """Write one element that is refused; what is said, and nothing changed."""
        (row,) = self.rows(method, endpoint, element, **more)
        assert row["StatusAttributeString"] == "ERROR", row
        assert self.changes == []
        return {one["Message"] for one in row["ValidationErrors"]}


def one(office: Office, element: Any, endpoint: Endpoint = Endpoint.INVOICES, method: str = "PUT", **more: Any) -> Any:
    """Write an element that is taken; its row."""
    (row,) = office.rows(method, endpoint, element, **more)
    assert row.get("StatusAttributeString", "OK") == "OK", row
    return row
