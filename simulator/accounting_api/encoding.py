"""Records as Xero's JSON, in the three forms it answers: single, page, summary.

A document is encoded once per change and form, but for its contact, which is put in when it is shown: the embedded contact
is the contact as it is now: renaming one changes its documents without a stamp, as in Xero.
"""

from dataclasses import dataclass, field
from typing import Any

import orjson
from orjson import Fragment

from simulator.accounting_api.contacts import contact_core, contact_details, contact_persons, contact_roles
from simulator.accounting_api.documents import (
    attachments,
    credit_note_core,
    credit_note_extras,
    invoice_core,
    invoice_extras,
    line_fields,
    without_option_ids,
)
from simulator.accounting_api.encoders.table import ENCODERS
from simulator.accounting_api.view import Form, View
from simulator.books.amounts import DAY_MS
from simulator.books.contact import Contact
from simulator.books.credit_note import CreditNote
from simulator.books.invoice import Invoice
from simulator.books.kinds import AnyRecord, Document
from simulator.books.organisation import Organisation

_CONTACT = b'"Contact":'

_NEVER_LISTED = {"RoundingAmount", "EnteredTotal"}

REMOVED = ""
"""An override's text that takes the field away; no JSON value is empty."""


@dataclass(slots=True)
class _Rows:
    """A document's rows without its contact, by form, and whether prices have four decimals; made when they are first asked for.

    ``whole_cents`` is whether no price has more than two decimals: then both are the same.
    """

    record: Document
    whole_cents: bool
    heads: dict[tuple[Form, bool], bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _ContactPieces:
    """A contact's JSON members without braces, by which forms have them; ``mark`` is what else they depend on."""

    contact: Contact
    core: bytes
    roles: bytes
    details: bytes
    mark: tuple[int, int]


class Encoder:
    """Encodes one organisation's records; remembers the rows of documents and contacts until they change."""

    def __init__(self, organisation: Organisation) -> None:
        self._organisation = organisation
        self._rows: dict[str, _Rows] = {}
        self._contacts: dict[str, _ContactPieces] = {}
        self._embedded: dict[str, tuple[Contact, bytes, bytes]] = {}

    def encode(self, record: AnyRecord, form: Form, *, four_decimals: bool, now_ms: int) -> bytes:
        """One record.

        Args:
            record: the record, or an earlier version of it.
            form: how much of it.
            four_decimals: ``unitdp=4``: unit amounts aren't rounded to cents.
            now_ms: the time; contacts' overdue balances depend on the day.
        """
        if isinstance(record, Contact):
            return self._contact(record, form, now_ms)
        if not isinstance(record, Invoice | CreditNote):
            return self._whole(record, form, four_decimals, now_ms)
        head = self._head(record, form, four_decimals=four_decimals)
        if head.endswith(b"}"):
            return head  # its contact was overridden
        return head + self._contact_inside(record.contact_id, form) + b"}"

    def _whole(self, record: AnyRecord, form: Form, four_decimals: bool, now_ms: int) -> bytes:
        view = View(
            books=self._organisation,
            form=form,
            four_decimals=four_decimals,
            now_ms=now_ms,
            contact=lambda contact_id, form: Fragment(self._contact_inside(contact_id, form)[len(_CONTACT) :]),
            whole=lambda other: Fragment(self.encode(other, Form.PAGE, four_decimals=four_decimals, now_ms=now_ms)),
        )
        fields = ENCODERS[type(record)](record, view)
        if form is not Form.SINGLE and not self._organisation.company().lists_option_ids:
            fields = without_option_ids(fields)
        _override(record.overrides, fields)
        return orjson.dumps(fields)

    def forget(self) -> None:
        """The organisation's forms changed: encode everything again."""
        self._rows.clear()
        self._contacts.clear()

    # -- documents --------------------------------------------------------------------------------------------------

    def _head(self, record: Document, form: Form, *, four_decimals: bool) -> bytes:
        """A row up to its contact, which is the contact as it is now; all of it where the contact was overridden."""
        rows = self._rows.get(record.id)
        if rows is None or rows.record is not record:
            rows = _Rows(record, not any(line.unit_amount % 100 for line in record.lines))
            if self._organisation.shelf_of(record).get(record.id) is record:
                self._rows[record.id] = rows
        key = (form, four_decimals or rows.whole_cents)
        head = rows.heads.get(key)
        if head is None:
            head = rows.heads[key] = self._cut(record, form, four_decimals=four_decimals)
        return head

    def _cut(self, record: Document, form: Form, *, four_decimals: bool) -> bytes:
        single, company = form is Form.SINGLE, self._organisation.company()
        rounded = single and company.rounds
        if isinstance(record, Invoice):
            core, extras = invoice_core(record, rounded=rounded), invoice_extras(record, self._organisation)
        else:
            core, extras = credit_note_core(record), credit_note_extras(record, self._organisation)
        lines: dict[str, Any] = {"LineItems": [line_fields(line, record, four_decimals) for line in record.lines]}
        files, contact = attachments(record), {"Contact": None}
        overrides = record.overrides
        if company.rounds and not single and isinstance(record, Invoice):
            overrides = {name: text for name, text in overrides.items() if name not in _NEVER_LISTED}
        if not single and not company.lists_option_ids and "LineItems" not in overrides:
            lines = without_option_ids(lines)
        _override(overrides, core, extras, lines, files, contact)
        members = [_members(core)]
        if form is not Form.SUMMARY_ONLY:
            members += [_members(extras), b'"LineItems":[]' if form is Form.SUMMARY else _members(lines)]
        if single:
            members.append(_members(files))
        if "Contact" in overrides:
            members.append(_members(contact))
        row = b"{" + b",".join(filter(None, members))
        return row + (b"}" if "Contact" in overrides else b",")

    def _contact_inside(self, contact_id: str, form: Form) -> bytes:
        contact = self._organisation.contacts.get(contact_id)
        if contact is None:
            return _CONTACT + b"{}"
        known = self._embedded.get(contact.id)
        if known is None or known[0] is not contact:
            core, roles, persons = contact_core(contact), contact_roles(contact), contact_persons(contact)
            _override(contact.overrides, core, roles, persons)
            brief: dict[str, Any] = {
                "ContactID": contact.id,
                "Name": core.get("Name"),
                "Addresses": [],
                "Phones": [],
                "ContactGroups": [],
                "ContactPersons": [],
                "HasValidationErrors": False,
            }
            known = (
                contact,
                _CONTACT + orjson.dumps(brief),
                _CONTACT + orjson.dumps(core | roles | persons),
            )
            self._embedded[contact.id] = known
        return known[2] if form is Form.SINGLE else known[1]

    # -- contacts ---------------------------------------------------------------------------------------------------

    def _contact(self, record: Contact, form: Form, now_ms: int) -> bytes:
        mark = (self._organisation.balance_mark(record.id), now_ms // DAY_MS)
        pieces = self._contacts.get(record.id)
        if pieces is None or pieces.contact is not record or pieces.mark != mark:
            core, roles = contact_core(record), contact_roles(record)
            details = contact_details(record, self._organisation.balances(record.id, now_ms))
            _override(record.overrides, core, roles, details)
            pieces = _ContactPieces(
                contact=record, core=_members(core), roles=_members(roles), details=_members(details), mark=mark
            )
            if self._organisation.contacts.get(record.id) is record:
                self._contacts[record.id] = pieces
        members = [pieces.core]
        if form is not Form.SUMMARY_ONLY:
            members.append(pieces.roles)
        if form in (Form.SINGLE, Form.PAGE):
            members.append(pieces.details)
        return b"{" + b",".join(filter(None, members)) + b"}"


def _override(overrides: dict[str, str], *groups: dict[str, Any]) -> None:
    """Put raw JSON in place of fields, each in the group that has it, new ones in the first."""
    for name, text in overrides.items():
        group = next((group for group in groups if name in group), groups[0])
        if text == REMOVED:
            group.pop(name, None)
        else:
            group[name] = Fragment(text.encode())


def _members(values: dict[str, Any]) -> bytes:
    return orjson.dumps(values)[1:-1]
