"""The facts: one row per kind of record. Checked against Xero's published OpenAPI by ``tests/registry``."""

from types import MappingProxyType
from typing import Any

from xero_api.entity import ByIds, Entity, Gone, Pages, Part, Scope, Stamp, Writes
from xero_api.unify import contact, credit_note, invoice
from xero_stream.contracts.names import EntityName
from xero_stream.contracts.records.contact import Contact
from xero_stream.contracts.records.credit_note import CreditNote
from xero_stream.contracts.records.invoice import Invoice

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
    differs=MappingProxyType(
        {
            "scope": "the file names only the old broad scopes, which end 2027-09-13 (developer.xero.com, OAuth 2.0 scopes)"
        }
    ),
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
    differs=MappingProxyType(
        {
            "scope": "the file names only the old broad scopes, which end 2027-09-13 (developer.xero.com, OAuth 2.0 scopes)"
        }
    ),
)

ENTITIES: tuple[Entity[Any], ...] = (INVOICES, CONTACTS, CREDIT_NOTES)
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
