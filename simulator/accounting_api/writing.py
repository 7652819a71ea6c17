"""Writing requests: which elements become which records, and the bytes of the answer.

A new kind of record needs a row in ``writers/table.py``; everything about one element of its own stays in its writer.
"""

from dataclasses import dataclass
from typing import Any

import orjson

from simulator.accounting_api.documents import attachment_row
from simulator.accounting_api.encoding import Encoder
from simulator.accounting_api.facts import FACTS
from simulator.accounting_api.parts import (
    NOT_ONLINE,
    PARTS,
    AttachmentStore,
    add_notes,
    allocate,
    attach,
    attachment_named,
    content_of,
    email,
    join,
    leave,
    online_invoice,
    take_back,
    write_option,
)
from simulator.accounting_api.reading import Moment
from simulator.accounting_api.validation import Fields, PostDataError, Problems, read_elements, refused_element
from simulator.accounting_api.view import Form
from simulator.accounting_api.write_context import WriteContext
from simulator.accounting_api.writers.table import WRITES, Verb, Writes
from simulator.books.words import Endpoint
from simulator.errors import not_found, not_modelled, unreadable
from simulator.reply import JSON, Reply
from simulator.spelling import folded

_READABLE = frozenset(
    {
        *("application/json", "text/json", "application/xml", "text/xml"),
        # What clients send that name no type: the body tells.
        *("", "application/octet-stream", "application/x-www-form-urlencoded", "text/plain"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteRequest:
    """A request to write, as it came.

    Attributes:
        method: PUT, POST or DELETE.
        endpoint: which records.
        record_id: of the address; None at the collection.
        part: what below the record, in lower case; None: the record itself.
        name: of the file, or the id of the allocation.
        summarize: ``summarizeErrors``: refused rows are the whole answer, and its status is 400.
        online: ``IncludeOnline`` of an attachment.
        content_type: of the body.
        body: its bytes.
    """

    method: str
    endpoint: Endpoint
    record_id: str | None = None
    part: str | None = None
    name: str | None = None
    summarize: bool = True
    online: bool = False
    content_type: str = "application/octet-stream"
    body: bytes = b""

    @property
    def words(self) -> str:
        """Method and address, without ids."""
        steps = ["/" + self.endpoint.value, *(["{id}"] if self.record_id else []), *([self.part] if self.part else [])]
        return f"{self.method} {'/'.join(steps)}"

    @property
    def media_type(self) -> str:
        """Of the body, without parameters."""
        return self.content_type.partition(";")[0].strip().lower()

    def elements(self, list_key: str) -> list[dict[str, Any]]:
        """The elements of the body.

        Raises:
            PostDataError: there are none.
        """
        return read_elements(self.body, list_key, xml=self.media_type.endswith("xml"))

    @property
    def verb(self) -> Verb | None:
        """What is to be done with the record, or the records; None: nothing that Xero knows."""
        at_record = self.record_id is not None
        known = {("PUT", False): Verb.PUT, ("POST", False): Verb.POST, ("POST", True): Verb.UPDATE}
        return (known | {("DELETE", True): Verb.DELETE}).get((self.method, at_record))


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteService:
    """Carries orders out on one organisation's books.

    Attributes:
        context: the books.
        papers: files and notes.
        encoder: shows records.
        moment: when.
    """

    context: WriteContext
    papers: AttachmentStore
    encoder: Encoder
    moment: Moment

    def carry_out(self, order: WriteRequest) -> Reply:
        """The answer to a request to write; what was changed is in the context's ``changes``."""
        record: Any = None
        if order.body and order.part != "attachments" and order.media_type not in _READABLE:
            return unreadable(order.media_type)
        if order.record_id is not None:
            record = self.context.organisation.shelf(order.endpoint).get(order.record_id)
            if record is None:
                return not_found()
        try:
            if order.part is not None:
                return self._below(order, record)
            writes = WRITES.get(order.endpoint)
            if writes is None or order.verb not in writes.verbs:
                return not_modelled(order.words)
            return self._write(order, writes) if order.verb is not Verb.DELETE else self._delete(order, writes)
        except PostDataError as error:
            body = {"ErrorNumber": 14, "Type": "PostDataInvalidException", "Message": f"{error}"}
            return Reply(status=400, body=orjson.dumps(body), content_type=JSON)

    def show(self, order: WriteRequest) -> Reply:
        """The answer to a request to read what is below a record."""
        record: Any = self.context.organisation.shelf(order.endpoint).get(order.record_id or "")
        if record is None or order.endpoint not in PARTS.get(order.part or "", ()):
            return not_found()
        if order.part == "onlineinvoice":
            url = online_invoice(record)
            return (
                _one_invalid(NOT_ONLINE) if url is None else self._listed("OnlineInvoices", [{"OnlineInvoiceUrl": url}])
            )
        path = f"{order.endpoint}/{record.id}"
        match order.part, order.name:
            case "attachments", None:
                return self._listed("Attachments", [attachment_row(one, path) for one in record.attachments])
            case "attachments", str(name):
                found = attachment_named(record, name)
                if found is not None:
                    return Reply(body=content_of(self.papers, found), content_type=found.mime_type)
            case "history", None:
                return self._listed("HistoryRecords", self.papers.notes.get(record.id, []))
            case _:
                pass
        return not_found()

    # -- records ------------------------------------------------------------------------------------------------------

    def _write(self, order: WriteRequest, writes: Writes) -> Reply:
        endpoint = order.endpoint
        by_row = order.verb in writes.rows
        elements = order.elements(endpoint.value)
        if len(elements) > 1 and not writes.many:
            raise PostDataError(f"{endpoint} take one element a request")  # (unconfirmed)
        rows: list[tuple[dict[str, Any], Problems, str | None]] = []
        for element in elements:
            problems = Problems()
            rows.append((element, problems, writes.write(self.context, Fields(element, problems), order.record_id)))
        refused = [_refused(order, writes, element, problems) for element, problems, _ in rows if problems]
        if refused and (order.summarize or not by_row):
            return _invalid(refused)
        bodies = [
            orjson.dumps(_refused(order, writes, element, problems))
            if problems
            else self._good(
                order, problems, str(done), told=by_row or (order.verb is Verb.UPDATE and bool(writes.rows))
            )
            for element, problems, done in rows
        ]
        return Reply(body=self._envelope(endpoint.value, b",".join(bodies)))

    def _delete(self, order: WriteRequest, writes: Writes) -> Reply:
        """DELETE: nothing is left to show, or the record with its last status."""
        assert writes.delete is not None
        assert order.record_id is not None
        problems = Problems()
        writes.delete(self.context, order.record_id, problems)
        if problems:
            return _one_invalid(problems.errors[0][1])
        if self.context.organisation.shelf(order.endpoint).get(order.record_id) is None:
            return Reply(status=204)
        return Reply(
            body=self._envelope(order.endpoint.value, self._good(order, problems, order.record_id, told=False))
        )

    def _good(self, order: WriteRequest, problems: Problems, record_id: str, *, told: bool) -> bytes:
        record = self.context.organisation.shelf(order.endpoint).get(record_id)
        assert record is not None
        shown = self.encoder.encode(
            record, Form.SINGLE, four_decimals=self.context.four_decimals, now_ms=self.moment.now_ms
        )
        if not told:
            return shown
        row: dict[str, Any] = {"StatusAttributeString": "WARNING" if problems.warnings else "OK"}
        if problems.warnings:
            row["Warnings"] = [{"Message": message} for message in problems.warnings]
        return shown[:-1] + b"," + orjson.dumps(row)[1:]

    # -- parts --------------------------------------------------------------------------------------------------------

    def _below(self, order: WriteRequest, record: Any) -> Reply:
        if order.endpoint not in PARTS.get(order.part or "", ()):
            return not_modelled(order.words)
        match order.method, order.part, order.name:
            case "PUT" | "POST", "attachments", str(name):
                reply = self._attach(order, record, name)
            case "PUT", "history", None:
                reply = self._notes(order, record.id)
            case "POST", "email", None:
                problem = email(self.context, record)
                reply = _one_invalid(problem) if problem else Reply(status=204)
            case "PUT", "allocations", None:
                reply = self._allocate(order, record)
            case "DELETE", "allocations", str(name):
                row = take_back(self.context, record, folded(name))
                reply = _one_invalid(row) if isinstance(row, str) else Reply(body=orjson.dumps(row))
            case "PUT", "contacts", None:
                rows, problems = join(self.context, record, order.elements("Contacts"))
                reply = _one_invalid(problems.errors[0][1]) if problems else self._listed("Contacts", rows)
            case "DELETE", "contacts", name:
                found = leave(self.context, record, folded(name) if name else None)
                reply = Reply(status=204) if found else not_found()
            case ("PUT", "options", None) | ("POST", "options", str()):
                (element, *_) = order.elements("Options")
                reply = self._option(order, record, element)
            case "DELETE", "options", str():
                reply = self._option(order, record, {"Status": "DELETED"})
            case _:
                reply = not_modelled(order.words)
        return reply

    def _attach(self, order: WriteRequest, record: Any, name: str) -> Reply:
        mime_type = order.content_type.partition(";")[0]
        done = attach(self.context, self.papers, record, name, mime_type, order.body, online=order.online)
        if isinstance(done, str):
            return _one_invalid(done)
        return self._listed("Attachments", [attachment_row(done, f"{order.endpoint}/{record.id}")])

    def _notes(self, order: WriteRequest, record_id: str) -> Reply:
        elements = order.elements("HistoryRecords")
        rows, problems = add_notes(self.papers, record_id, elements, self.context.now_ms)
        return _one_invalid(problems.errors[0][1]) if problems else self._listed("HistoryRecords", rows)

    def _option(self, order: WriteRequest, record: Any, element: dict[str, Any]) -> Reply:
        row = write_option(self.context, record, folded(order.name) if order.name else None, element)
        return _one_invalid(row) if isinstance(row, str) else self._listed("Options", [row])

    def _allocate(self, order: WriteRequest, record: Any) -> Reply:
        rows: list[dict[str, Any]] = []
        refused = []
        for element in order.elements("Allocations"):
            credit: Any = self.context.organisation.shelf(order.endpoint).get(record.id)
            row, problems = allocate(self.context, credit, element)
            if row is None:
                row = refused_element(element, "AllocationID", problems, flag="HasErrors", record_id=None)
                refused.append(row)
            rows.append(row)
        return _invalid(refused) if refused and order.summarize else self._listed("Allocations", rows)

    def _listed(self, list_key: str, rows: list[dict[str, Any]]) -> Reply:
        return Reply(body=self._envelope(list_key, orjson.dumps(rows)[1:-1]))

    def _envelope(self, list_key: str, rows: bytes) -> bytes:
        head: dict[str, Any] = {
            "Id": self.moment.answer_id,
            "Status": "OK",
            "ProviderName": "Xero Stream Simulator",
            "DateTimeUTC": f"/Date({self.moment.now_ms})/",
        }
        return orjson.dumps(head)[:-1] + f',"{list_key}":['.encode() + rows + b"]}"


def _refused(order: WriteRequest, writes: Writes, element: dict[str, Any], problems: Problems) -> dict[str, Any]:
    id_field = FACTS[order.endpoint].id_field
    return refused_element(element, id_field, problems, flag=writes.flag, record_id=order.record_id)


def _one_invalid(message: str) -> Reply:
    return _invalid([{"ValidationErrors": [{"Message": message}]}])


def _invalid(elements: list[dict[str, Any]]) -> Reply:
    """Only the rows refused: the valid ones beside them are written all the same (Stack Overflow 52706101)."""
    body = {
        "ErrorNumber": 10,
        "Type": "ValidationException",
        "Message": "A validation exception occurred",
        "Elements": elements,
    }
    return Reply(status=400, body=orjson.dumps(body), content_type=JSON)
