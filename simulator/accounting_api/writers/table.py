"""Which endpoints can be written, how, and by whom. Source: published OpenAPI; fact sheet, section 4.5."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from simulator.accounting_api.validation import Problems
from simulator.accounting_api.write_context import WriteContext, Writer
from simulator.accounting_api.writers import journals, payments, settings
from simulator.accounting_api.writers.bank import BANK_TRANSACTION
from simulator.accounting_api.writers.contacts import write_contact
from simulator.accounting_api.writers.documents import (
    CREDIT_NOTE,
    INVOICE,
    PURCHASE_ORDER,
    QUOTE,
    REPEATING_INVOICE,
    writer_of,
)
from simulator.books.words import Endpoint

Remover = Callable[[WriteContext, str, Problems], None]
"""Deletes the record of that id, or complains."""


class Verb(StrEnum):
    """Method, and whether the address names a record."""

    PUT = "PUT"  # creates
    POST = "POST"  # updates what it finds, or creates
    UPDATE = "POST id"
    DELETE = "DELETE id"


_ALL = frozenset({Verb.PUT, Verb.POST, Verb.UPDATE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Writes:
    """How an endpoint is written.

    Attributes:
        write: reads an element and writes it.
        verbs: what it answers; others are 501.
        rows: those that take ``summarizeErrors=false``, and tell ``StatusAttributeString``.
        delete: what DELETE does.
        many: whether a request may have more than one element.
        flag: what marks a refused element, where something does.
    """

    write: Writer
    verbs: frozenset[Verb] = _ALL
    rows: frozenset[Verb] = frozenset({Verb.PUT, Verb.POST})
    delete: Remover | None = None
    many: bool = True
    flag: str = ""


def _verbs(*verbs: Verb) -> frozenset[Verb]:
    return frozenset(verbs)


WRITES: Mapping[Endpoint, Writes] = {
    Endpoint.ACCOUNTS: Writes(
        write=settings.write_account,
        verbs=_verbs(Verb.PUT, Verb.UPDATE, Verb.DELETE),
        rows=_verbs(),
        delete=settings.delete_account,
        many=False,
    ),
    Endpoint.BANK_TRANSACTIONS: Writes(write=writer_of(BANK_TRANSACTION)),
    Endpoint.BANK_TRANSFERS: Writes(write=payments.write_transfer, rows=_verbs(Verb.POST)),
    Endpoint.BATCH_PAYMENTS: Writes(write=payments.write_batch, rows=_verbs(Verb.PUT)),
    Endpoint.CONTACTS: Writes(write=write_contact, flag="HasValidationErrors"),
    Endpoint.CONTACT_GROUPS: Writes(
        write=settings.write_contact_group,
        verbs=_verbs(Verb.PUT, Verb.UPDATE),
        rows=_verbs(),
        flag="HasValidationErrors",
    ),
    Endpoint.CREDIT_NOTES: Writes(write=writer_of(CREDIT_NOTE), flag="HasErrors"),
    Endpoint.CURRENCIES: Writes(write=settings.write_currency, verbs=_verbs(Verb.PUT), rows=_verbs(), many=False),
    Endpoint.INVOICES: Writes(write=writer_of(INVOICE), flag="HasErrors"),
    Endpoint.ITEMS: Writes(write=settings.write_item, verbs=_ALL | {Verb.DELETE}, delete=settings.delete_item),
    Endpoint.LINKED_TRANSACTIONS: Writes(
        write=journals.write_linked_transaction,
        verbs=_verbs(Verb.PUT, Verb.UPDATE, Verb.DELETE),
        rows=_verbs(),
        delete=journals.delete_linked_transaction,
    ),
    Endpoint.MANUAL_JOURNALS: Writes(write=journals.write_manual_journal),
    Endpoint.PAYMENTS: Writes(write=payments.write_payment, rows=_verbs(Verb.PUT), flag="HasValidationErrors"),
    Endpoint.PAYMENT_SERVICES: Writes(write=settings.write_payment_service, verbs=_verbs(Verb.PUT), rows=_verbs()),
    Endpoint.PURCHASE_ORDERS: Writes(write=writer_of(PURCHASE_ORDER), flag="HasErrors"),
    Endpoint.QUOTES: Writes(write=writer_of(QUOTE)),
    Endpoint.REPEATING_INVOICES: Writes(write=writer_of(REPEATING_INVOICE)),
    Endpoint.TAX_RATES: Writes(
        write=settings.write_tax_rate, verbs=_verbs(Verb.PUT, Verb.POST), rows=_verbs(), many=False
    ),
    Endpoint.TRACKING_CATEGORIES: Writes(
        write=settings.write_tracking_category,
        verbs=_verbs(Verb.PUT, Verb.UPDATE, Verb.DELETE),
        rows=_verbs(),
        delete=settings.delete_tracking_category,
        many=False,
    ),
}
"""Endpoint → how it is written. Those that aren't here are read only, in Xero too."""
