"""The facts: one row per kind of record. Checked against Xero's published OpenAPI by ``tests/registry``."""

from types import MappingProxyType
from typing import Any

from xero_api.entity import ByIds, Entity, Gone, Pages, Part, Scope, Stamp, UpdateAt, Whole, Writes
from xero_api.unify import (
    bank_transaction,
    bank_transfer,
    batch_payment,
    contact,
    credit_note,
    invoice,
    overpayment,
    payment,
    prepayment,
)
from xero_stream.contracts.names import EntityName
from xero_stream.contracts.records.bank_transaction import BankTransaction
from xero_stream.contracts.records.bank_transfer import BankTransfer
from xero_stream.contracts.records.batch_payment import BatchPayment
from xero_stream.contracts.records.contact import Contact
from xero_stream.contracts.records.credit_note import CreditNote
from xero_stream.contracts.records.invoice import Invoice
from xero_stream.contracts.records.overpayment import Overpayment
from xero_stream.contracts.records.payment import Payment
from xero_stream.contracts.records.prepayment import Prepayment

_GRANULAR = "the file names only the old broad scopes, which end 2027-09-13 (developer.xero.com, OAuth 2.0 scopes)"
_UNIT_DECIMALS = (
    "the file has unitdp for the list only; without it a single read would round prices that lists give in full"
)
_AS_BANK_TRANSACTION = Writes(create=None, update=None, many=1, delete=MappingProxyType({}), natural_key=None)
"""Made and deleted as bank transactions; only its allocations are written (developer.xero.com, Prepayments)."""

INVOICES = Entity(
    name=EntityName.INVOICES,
    path="Invoices",
    list_key="Invoices",
    id_field="InvoiceID",
    model=Invoice,
    unify=invoice.unify,
    stamp=Stamp.UPDATED,
    paging=Pages(sized=True),
    modified_since=True,
    by_ids=ByIds(parameter="IDs", limit=50),
    always=MappingProxyType({"includeArchived": "true", "unitdp": "4"}),
    on_single=MappingProxyType({"unitdp": "4"}),
    filters=frozenset({"where", "InvoiceNumbers", "ContactIDs", "Statuses", "createdByMyApp", "searchTerm"}),
    status_field="Status",
    gone=MappingProxyType({"DELETED": Gone.DELETED}),
    webhook="INVOICE",
    scope=Scope.INVOICES,
    parts=frozenset({Part.ATTACHMENTS, Part.EMAIL, Part.HISTORY}),
    writes=Writes(
        create="PUT",
        update="POST",
        many=50,
        delete=MappingProxyType({"DRAFT": "DELETED", "SUBMITTED": "DELETED", "AUTHORISED": "VOIDED"}),
        natural_key="InvoiceNumber",
        include_online=True,
    ),
    differs=MappingProxyType({"scope": _GRANULAR}),
)

CONTACTS = Entity(
    name=EntityName.CONTACTS,
    path="Contacts",
    list_key="Contacts",
    id_field="ContactID",
    model=Contact,
    unify=contact.unify,
    stamp=Stamp.UPDATED,
    paging=Pages(sized=True),
    modified_since=True,
    by_ids=ByIds(parameter="IDs", limit=50),
    always=MappingProxyType({"includeArchived": "true"}),
    on_single=MappingProxyType({}),
    filters=frozenset({"where", "searchTerm"}),
    status_field="ContactStatus",
    gone=MappingProxyType({"GDPRREQUEST": Gone.ERASED}),
    merged_into="MergedToContactID",
    webhook="CONTACT",
    scope=Scope.CONTACTS,
    parts=frozenset({Part.ATTACHMENTS, Part.HISTORY}),
    writes=Writes(
        create="PUT",
        update="POST",
        many=50,
        delete=MappingProxyType({"ACTIVE": "ARCHIVED"}),
        natural_key="ContactNumber",
    ),
)

CREDIT_NOTES = Entity(
    name=EntityName.CREDIT_NOTES,
    path="CreditNotes",
    list_key="CreditNotes",
    id_field="CreditNoteID",
    model=CreditNote,
    unify=credit_note.unify,
    stamp=Stamp.UPDATED,
    paging=Pages(sized=True),
    modified_since=True,
    by_ids=ByIds(parameter="where", limit=20),
    always=MappingProxyType({"unitdp": "4"}),
    on_single=MappingProxyType({"unitdp": "4"}),
    filters=frozenset({"where"}),
    status_field="Status",
    gone=MappingProxyType({"DELETED": Gone.DELETED}),
    webhook="CREDITNOTE",
    scope=Scope.INVOICES,
    parts=frozenset({Part.ALLOCATIONS, Part.ATTACHMENTS, Part.HISTORY}),
    writes=Writes(
        create="PUT",
        update="POST",
        many=50,
        delete=MappingProxyType({"DRAFT": "DELETED", "SUBMITTED": "DELETED", "AUTHORISED": "VOIDED"}),
        natural_key="CreditNoteNumber",
        include_online=True,
    ),
    differs=MappingProxyType({"scope": _GRANULAR}),
)

PAYMENTS = Entity(
    name=EntityName.PAYMENTS,
    path="Payments",
    list_key="Payments",
    id_field="PaymentID",
    model=Payment,
    unify=payment.unify,
    stamp=Stamp.UPDATED,
    paging=Pages(sized=True),
    modified_since=True,
    by_ids=ByIds(parameter="where", limit=20),  # IDs= is ignored here: everything comes back (calcinai/xero-php#775)
    filters=frozenset({"where"}),
    status_field="Status",
    gone=MappingProxyType({"DELETED": Gone.DELETED}),
    scope=Scope.PAYMENTS,
    parts=frozenset({Part.HISTORY}),
    writes=Writes(
        create="PUT",
        update=None,  # POST creates too; a payment is deleted and made anew
        many=50,
        delete=MappingProxyType({"AUTHORISED": "DELETED"}),
        natural_key=None,
        update_at=UpdateAt.RECORD,
        summarizes=frozenset({"PUT"}),
    ),
    differs=MappingProxyType({"scope": _GRANULAR}),
)

BATCH_PAYMENTS = Entity(
    name=EntityName.BATCH_PAYMENTS,
    path="BatchPayments",
    list_key="BatchPayments",
    id_field="BatchPaymentID",
    model=BatchPayment,
    unify=batch_payment.unify,
    stamp=Stamp.UPDATED,
    paging=Whole(),
    modified_since=True,
    filters=frozenset({"where"}),
    status_field="Status",
    gone=MappingProxyType({"DELETED": Gone.DELETED}),
    scope=Scope.PAYMENTS,
    parts=frozenset({Part.HISTORY}),
    writes=Writes(
        create="PUT",
        update=None,
        many=50,
        delete=MappingProxyType({"AUTHORISED": "DELETED"}),
        natural_key=None,
        update_at=UpdateAt.RECORD,
        summarizes=frozenset({"PUT"}),
    ),
    differs=MappingProxyType({"scope": _GRANULAR}),
)

PREPAYMENTS = Entity(
    name=EntityName.PREPAYMENTS,
    path="Prepayments",
    list_key="Prepayments",
    id_field="PrepaymentID",
    model=Prepayment,
    unify=prepayment.unify,
    stamp=Stamp.UPDATED,
    paging=Pages(sized=True),
    modified_since=True,
    by_ids=ByIds(parameter="where", limit=20),  # seen with payments; here it is unconfirmed
    always=MappingProxyType({"unitdp": "4"}),
    on_single=MappingProxyType({"unitdp": "4"}),
    filters=frozenset({"where", "InvoiceNumbers"}),
    status_field="Status",
    webhook="PREPAYMENT",
    scope=Scope.PAYMENTS,
    parts=frozenset({Part.ALLOCATIONS, Part.HISTORY}),
    writes=_AS_BANK_TRANSACTION,
    differs=MappingProxyType({"scope": _GRANULAR, "on_single": _UNIT_DECIMALS}),
)

OVERPAYMENTS = Entity(
    name=EntityName.OVERPAYMENTS,
    path="Overpayments",
    list_key="Overpayments",
    id_field="OverpaymentID",
    model=Overpayment,
    unify=overpayment.unify,
    stamp=Stamp.UPDATED,
    paging=Pages(sized=True),
    modified_since=True,
    by_ids=ByIds(parameter="where", limit=20),  # seen with payments; here it is unconfirmed
    always=MappingProxyType({"unitdp": "4"}),
    on_single=MappingProxyType({"unitdp": "4"}),
    filters=frozenset({"where", "References"}),
    status_field="Status",
    webhook="OVERPAYMENT",
    scope=Scope.PAYMENTS,
    parts=frozenset({Part.ALLOCATIONS, Part.HISTORY}),
    writes=_AS_BANK_TRANSACTION,
    differs=MappingProxyType({"scope": _GRANULAR, "on_single": _UNIT_DECIMALS}),
)

BANK_TRANSACTIONS = Entity(
    name=EntityName.BANK_TRANSACTIONS,
    path="BankTransactions",
    list_key="BankTransactions",
    id_field="BankTransactionID",
    model=BankTransaction,
    unify=bank_transaction.unify,
    stamp=Stamp.UPDATED,
    paging=Pages(sized=True),
    modified_since=True,
    by_ids=ByIds(parameter="where", limit=20),  # seen with payments; here it is unconfirmed
    always=MappingProxyType({"unitdp": "4"}),
    on_single=MappingProxyType({"unitdp": "4"}),
    filters=frozenset({"where"}),
    status_field="Status",
    gone=MappingProxyType({"DELETED": Gone.DELETED}),
    scope=Scope.BANK_TRANSACTIONS,
    parts=frozenset({Part.ATTACHMENTS, Part.HISTORY}),
    writes=Writes(
        create="PUT",
        update="POST",
        many=50,
        delete=MappingProxyType({"AUTHORISED": "DELETED"}),
        natural_key=None,
    ),
    differs=MappingProxyType({"scope": _GRANULAR}),
)

BANK_TRANSFERS = Entity(
    name=EntityName.BANK_TRANSFERS,
    path="BankTransfers",
    list_key="BankTransfers",
    id_field="BankTransferID",
    model=BankTransfer,
    unify=bank_transfer.unify,
    stamp=Stamp.CREATED,  # a deletion doesn't move it: whether If-Modified-Since shows one is unconfirmed
    paging=Whole(),
    modified_since=True,
    always=MappingProxyType({"includeDeleted": "true"}),
    filters=frozenset({"where"}),
    status_field="Status",
    gone=MappingProxyType({"DELETED": Gone.DELETED}),
    scope=Scope.BANK_TRANSACTIONS,
    parts=frozenset({Part.ATTACHMENTS, Part.HISTORY}),
    writes=Writes(
        create="PUT",
        update=None,
        many=1,  # creating takes no summarizeErrors
        delete=MappingProxyType({"AUTHORISED": "DELETED"}),
        natural_key=None,
        update_at=UpdateAt.RECORD,
        summarizes=frozenset({"POST"}),
    ),
    differs=MappingProxyType({"scope": _GRANULAR}),
)

ENTITIES: tuple[Entity[Any], ...] = (
    INVOICES,
    CONTACTS,
    CREDIT_NOTES,
    PAYMENTS,
    BATCH_PAYMENTS,
    PREPAYMENTS,
    OVERPAYMENTS,
    BANK_TRANSACTIONS,
    BANK_TRANSFERS,
)
"""Every row."""


def by_name(name: EntityName) -> Entity[Any]:
    """The row of an entity.

    Args:
        name: its name.
    """
    return _BY_NAME[name]


def by_webhook_category(category: str) -> Entity[Any] | None:
    """The row an event is about, or None for a category we don't process.

    Args:
        category: ``eventCategory`` in any letter case (Xero's documentation and its events don't agree on it).
    """
    return _BY_CATEGORY.get(category.upper())


_BY_NAME = {entity.name: entity for entity in ENTITIES}
_BY_CATEGORY = {entity.webhook: entity for entity in ENTITIES if entity.webhook}
