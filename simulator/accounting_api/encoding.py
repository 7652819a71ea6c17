"""Records as Xero's JSON, in the three forms it answers: single, page, summary.

A record is encoded once per change, in pieces that all forms share; a form is the pieces joined. The embedded contact
is the contact as it is now: renaming one changes its documents without a stamp, as in Xero.
"""

from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pieces:
    """JSON members without braces, by which forms have them; empty where there are none.

    ``contact`` is set only where it was overridden: else the contact's own form is put in. ``mark`` is what else the
    pieces depend on. ``single_core`` and ``listed_lines`` are what single reads and lists have instead of ``core`` and
    ``lines``, in an organisation whose forms differ.
    """

    record: AnyRecord
    core: bytes
    extras: bytes
    lines: bytes
    single: bytes = b""
    contact: bytes | None = None
    single_core: bytes | None = None
    listed_lines: bytes | None = None
    mark: tuple[int, int] = (0, 0)


class Encoder:
    """Encodes one organisation's records; remembers the pieces of each until it changes."""

    def __init__(self, organisation: Organisation) -> None:
        self._organisation = organisation
        self._pieces: dict[str, _Pieces] = {}
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
        pieces = self._document_pieces(record, four_decimals=four_decimals)
        single = form is Form.SINGLE
        members = [pieces.single_core if single and pieces.single_core is not None else pieces.core]
        if form is Form.SUMMARY:
            members += [pieces.extras, b'"LineItems":[]']
        elif form is not Form.SUMMARY_ONLY:
            listed = not single and pieces.listed_lines is not None
            members += [pieces.extras, pieces.listed_lines or b"" if listed else pieces.lines]
        if single:
            members.append(pieces.single)
        members.append(self._contact_inside(record.contact_id, form) if pieces.contact is None else pieces.contact)
        return b"{" + b",".join(filter(None, members)) + b"}"

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
        """The organisation's forms changed: encode everything anew."""
        self._pieces.clear()

    # -- documents --------------------------------------------------------------------------------------------------

    def _document_pieces(self, record: Document, *, four_decimals: bool) -> _Pieces:
        if not four_decimals and any(line.unit_amount % 100 for line in record.lines):
            return self._cut(record, four_decimals=False)
        pieces = self._pieces.get(record.id)
        if pieces is None or pieces.record is not record:
            pieces = self._cut(record, four_decimals=True)
            if self._organisation.shelf_of(record).get(record.id) is record:
                self._pieces[record.id] = pieces
        return pieces

    def _cut(self, record: Document, *, four_decimals: bool) -> _Pieces:
        if isinstance(record, Invoice):
            core, extras = invoice_core(record), invoice_extras(record, self._organisation)
        else:
            core, extras = credit_note_core(record), credit_note_extras(record, self._organisation)
        lines: dict[str, Any] = {"LineItems": [line_fields(line, record, four_decimals) for line in record.lines]}
        single, contact = attachments(record), {"Contact": None}
        company = self._organisation.company()
        rounded = invoice_core(record, rounded=True) if isinstance(record, Invoice) and company.rounds else None
        alike = company.lists_option_ids or "LineItems" in record.overrides
        listed = None if alike else without_option_ids(lines)
        in_lists = dict(record.overrides)
        if rounded is not None:
            _override(record.overrides, rounded, extras, lines, single, contact)
            in_lists = {name: text for name, text in in_lists.items() if name not in _NEVER_LISTED}
        _override(in_lists, core, extras, lines, single, contact)
        return _Pieces(
            record=record,
            core=_members(core),
            single_core=None if rounded is None else _members(rounded),
            listed_lines=None if listed is None else _members(listed),
            extras=_members(extras),
            lines=_members(lines),
            single=_members(single),
            contact=_members(contact) if "Contact" in record.overrides else None,
        )

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
        pieces = self._pieces.get(record.id)
        if pieces is None or pieces.record is not record or pieces.mark != mark:
            core, roles = contact_core(record), contact_roles(record)
            details = contact_details(record, self._organisation.balances(record.id, now_ms))
            _override(record.overrides, core, roles, details)
            pieces = _Pieces(
                record=record, core=_members(core), extras=_members(roles), lines=_members(details), mark=mark
            )
            if self._organisation.contacts.get(record.id) is record:
                self._pieces[record.id] = pieces
        members = [pieces.core]
        if form is not Form.SUMMARY_ONLY:
            members.append(pieces.extras)
        if form in (Form.SINGLE, Form.PAGE):
            members.append(pieces.lines)
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
