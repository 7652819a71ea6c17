"""``PUT /_sim/records``: any record with any fields, however wrong."""

import random
import re
from dataclasses import dataclass, replace

import orjson

from simulator.accounting_api.encoding import REMOVED
from simulator.accounting_api.facts import FACTS
from simulator.books.contact import Contact
from simulator.books.credit_note import CreditNoteType
from simulator.books.invoice import InvoiceType
from simulator.books.kinds import AnyRecord
from simulator.books.organisation import Organisation
from simulator.books.words import ContactStatus, Endpoint, RuleError
from simulator.control.raw_json import RawJsonError, members
from simulator.sample.records import draw_contact, draw_credit_note, draw_invoice
from simulator.spelling import folded, guid_of

_DATE = re.compile(r'"/Date\((-?\d+)(?:[+-]\d{4})?\)/"')
_SWITCHES = ("webhook", "stamp", "reset")


@dataclass(frozen=True, slots=True, kw_only=True)
class RawChange:
    """What a request asks for.

    Attributes:
        fields: name → JSON text; empty text takes a field away.
        webhook: whether Xero tells.
        stamp: whether ``UpdatedDateUTC`` moves.
        reset: drop what earlier requests set.
    """

    fields: dict[str, str]
    webhook: bool = True
    stamp: bool = True
    reset: bool = False


def read_raw_change(text: str) -> RawChange:
    """Decode ``{"fields": {…}, "remove": […], "webhook": true, "stamp": true, "reset": false}``.

    Raises:
        RawJsonError: it isn't that.
    """
    body = members(text)
    unknown = set(body) - {"fields", "remove", *_SWITCHES}
    if unknown:
        known = ", ".join(("fields", "remove", *_SWITCHES))
        raise RawJsonError(f"unknown: {', '.join(sorted(unknown))}; known: {known}")
    fields = members(body["fields"]) if "fields" in body else {}
    fields |= dict.fromkeys(orjson.loads(body.get("remove", "[]")), REMOVED)
    switches = {name: orjson.loads(body[name]) for name in _SWITCHES if name in body}
    if not all(isinstance(value, bool) for value in switches.values()):
        raise RawJsonError("webhook, stamp and reset are true or false")
    return RawChange(fields=fields, **switches)


def overridden(
    source: random.Random, organisation: Organisation, endpoint: Endpoint, record_id: str, raw: RawChange, now_ms: int
) -> AnyRecord:
    """The record with those fields; one that doesn't exist is drawn first.

    Raises:
        RuleError: the id isn't a GUID, or a new document finds no contact.
    """
    record: AnyRecord | None = organisation.shelf(endpoint).get(record_id)
    if record is None:
        record = _drawn(source, organisation, endpoint, record_id, now_ms)
    overrides = ({} if raw.reset else record.overrides) | raw.fields
    updated_ms = record.updated_ms
    stamp_text = _DATE.fullmatch(raw.fields.get("UpdatedDateUTC", ""))
    if stamp_text is not None:
        updated_ms = int(stamp_text[1])
    return replace(record, overrides=overrides, updated_ms=updated_ms)


def stamps(raw: RawChange) -> bool:
    """Whether the books' own stamp moves; a stamp among the fields stands as it is."""
    return raw.stamp and "UpdatedDateUTC" not in raw.fields


def _drawn(
    source: random.Random, organisation: Organisation, endpoint: Endpoint, record_id: str, now_ms: int
) -> AnyRecord:
    if guid_of(record_id) is None and FACTS[endpoint].fold is folded:
        raise RuleError(f"{record_id!r} is not a lower-case GUID")
    if endpoint is Endpoint.CONTACTS:
        contact = draw_contact(source, organisation.profile, place=len(organisation.contacts), now_ms=now_ms)
        return replace(contact, id=record_id)
    if endpoint not in (Endpoint.INVOICES, Endpoint.CREDIT_NOTES):
        raise RuleError(f"{endpoint} has no {record_id}, and new ones there are made by POST /_sim/edits")
    buyer = _customer(organisation)
    if endpoint is Endpoint.INVOICES:
        kind = InvoiceType.ACCREC
        number = organisation.next_number(kind)
        return replace(draw_invoice(source, organisation, buyer, kind, now_ms=now_ms, number=number), id=record_id)
    credit = CreditNoteType.ACCRECCREDIT
    number = organisation.next_number(credit)
    return replace(draw_credit_note(source, organisation, buyer, credit, now_ms=now_ms, number=number), id=record_id)


def _customer(organisation: Organisation) -> Contact:
    for contact in organisation.contacts:
        if contact.status is ContactStatus.ACTIVE and contact.is_customer:
            return contact
    raise RuleError("there is no active customer for a new document")
