"""The table of facts against Xero's published OpenAPI: every difference is explained, and every explanation needed."""

from dataclasses import replace
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
import yaml

from xero_api.entity import ByIds, Entity, Full, Key, Offset, Pages, Part, Stamp, UpdateAt, Whole
from xero_api.registry import ENTITIES, by_name
from xero_stream.contracts.names import STREAMED, EntityName
from xero_stream.contracts.records.raw_record import RawRecord
from xero_stream.contracts.schemas import RECORDS

OPENAPI = Path(__file__).parents[2] / ".." / "shared" / "openapi" / "xero_accounting.yaml"
entities = pytest.mark.parametrize("entity", ENTITIES, ids=lambda entity: entity.name)

FIXED = {"unitdp", "includeArchived", "includeDeleted"}
"""Parameters that every read has, in ``always`` and ``on_single``: a record must not look different with each read."""

ELSEWHERE = {
    "page": "paging",
    "pageSize": "paging",
    "offset": "paging",
    "order": "paging: passes go from the oldest change to the newest, in no other order",
    "If-Modified-Since": "modified_since",
    "IDs": "by_ids",
    "summaryOnly": "never sent: every read brings whole records",
}
"""Parameters of lists that are no filters: which field of the row they are, or why there is none."""


@pytest.fixture(scope="module")
def document() -> Any:
    """The file, if it lies beside the repository."""
    if not OPENAPI.is_file():
        pytest.skip("Xero's OpenAPI file is not at ../shared/openapi: nothing to compare the registry with")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    accounting = yaml.load(OPENAPI.read_text(), Loader=loader)
    return {**accounting, "webhooks": yaml.load((OPENAPI.parent / "xero-webhooks.yaml").read_text(), Loader=loader)}


def _resolved(document: Any, node: Any) -> Any:
    while "$ref" in node:
        target = document
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        node = target
    return node


def _parameters(document: Any, operation: Any) -> dict[str, Any]:
    found = [_resolved(document, parameter) for parameter in operation.get("parameters", [])]
    return {parameter["name"]: parameter for parameter in found}


def _item_schema(document: Any, entity: Entity[Any]) -> Any:
    operation = document["paths"][f"/{entity.path}"]["get"]
    body = operation["responses"]["200"]["content"]["application/json"]["schema"]
    listed = _resolved(document, body)["properties"][entity.list_key]
    return _resolved(document, listed["items"])


def _webhook_categories(node: Any) -> set[str]:
    """Every ``const`` below an ``eventCategory``."""
    if isinstance(node, list):
        return {word for value in node for word in _webhook_categories(value)}
    if not isinstance(node, dict):
        return set()
    category = node.get("eventCategory")
    kinds = category.get("oneOf", [category]) if isinstance(category, dict) else []
    own = {kind["const"] for kind in kinds if "const" in kind}
    return own.union(*map(_webhook_categories, node.values()))


def _statuses(document: Any, entity: Entity[Any]) -> set[str]:
    fields = _item_schema(document, entity)["properties"]
    return set(_resolved(document, fields.get(entity.status_field, {})).get("enum", ()))


def _reading(document: Any, entity: Entity[Any]) -> dict[str, tuple[Any, Any]]:
    """Fields of the row that say how it is read: what they are, and what the file says."""
    paths = document["paths"]
    single = paths.get(f"/{entity.path}/{{{entity.id_field}}}", {}).get("get")
    asked = _parameters(document, paths[f"/{entity.path}"]["get"]).keys()
    fields = _item_schema(document, entity)["properties"]
    found: Pages | Offset | Whole = Whole()
    if "page" in asked:
        found = Pages(sized="pageSize" in asked, drop_order="order" not in asked)
    elif "offset" in asked:
        found = Offset(number_field=next((name for name in fields if name.endswith("Number")), ""))
    by_where = "where" if "where" in asked and isinstance(found, Pages) else None
    return {
        "id_field": (entity.id_field in fields, True),
        "key": (entity.key, Key.GUID if fields.get(entity.id_field, {}).get("format") == "uuid" else Key.WORD),
        "paging": (entity.paging, found),
        "modified_since": (entity.modified_since, "If-Modified-Since" in asked),
        "by_ids": (entity.by_ids and entity.by_ids.parameter, "IDs" if "IDs" in asked else by_where),
        "full": (entity.full, Full.EVERYWHERE if single else Full.LISTS),
        "always": (entity.always.keys(), asked & FIXED),
        "on_single": (entity.on_single.keys(), _parameters(document, single).keys() & FIXED if single else set()),
        "filters": (entity.filters, asked - FIXED - ELSEWHERE.keys()),
    }


def _meaning(document: Any, entity: Entity[Any]) -> dict[str, tuple[Any, Any]]:
    """Fields of the row that say what records mean: what they are, and what the file says."""
    paths, fields = document["paths"], _item_schema(document, entity)["properties"]
    single = f"/{entity.path}/{{{entity.id_field}}}"
    statuses = _statuses(document, entity)
    scopes = {scope for one in paths[f"/{entity.path}"]["get"]["security"] for named in one.values() for scope in named}
    updated = "UpdatedDateUTC" in fields
    created = entity.stamp is Stamp.CREATED and "CreatedDateUTC" in fields
    categories = _webhook_categories(document["webhooks"])
    return {
        "stamp": (entity.stamp, Stamp.UPDATED if updated else Stamp.CREATED if created else Stamp.NONE),
        "status_field": (entity.status_field in fields, bool(entity.status_field or "Status" in fields)),
        "gone": (entity.gone.keys(), statuses & {"DELETED", "GDPRREQUEST", "REMOVED"}),
        "merged_into": (entity.merged_into, next((name for name in fields if name.startswith("MergedTo")), None)),
        "webhook": (entity.webhook, entity.webhook if entity.webhook in categories else None),
        "parts": (entity.parts, {part for part in Part if f"{single}/{part}" in paths}),
        "scope": (bool({entity.scope.reading, entity.scope.writing} & scopes), True),
    }


def _writing(document: Any, entity: Entity[Any]) -> dict[str, tuple[Any, Any]]:
    """What the row says of writing, and what the file does."""
    writes, fields = entity.writes, _item_schema(document, entity)["properties"]
    collection = document["paths"][f"/{entity.path}"]
    if writes is None:
        return {"writes": (False, bool({"put", "post"} & collection.keys()))}
    statuses = _statuses(document, entity) | {"*"}
    updated = document["paths"].get(f"/{entity.path}/{{{entity.id_field}}}", {})
    right = (
        (writes.create or "").lower() == ("put" if "put" in collection else ""),
        not writes.update or writes.update.lower() in (updated if writes.update_at is UpdateAt.RECORD else collection),
        {*writes.delete, *writes.delete.values()} <= statuses,
        writes.natural_key is None or writes.natural_key in fields,
    )
    return {"writes": (all(right), True)}


def _differences(document: Any, entity: Entity[Any]) -> set[str]:
    """The fields of the row that the file contradicts."""
    compared = {**_reading(document, entity), **_meaning(document, entity), **_writing(document, entity)}
    return {name for name, (row, file) in compared.items() if row != file}


LEFT_OUT_OF: dict[EntityName, set[str]] = {
    EntityName.PAYMENTS: {
        # other ways to name the document and the account when a payment is created
        "InvoiceNumber", "CreditNoteNumber", "Code",
        # of the payments inside a batch, which shows them
        "BankAccountNumber", "Particulars", "Details",
        # follows from the account
        "HasAccount",
    },
    EntityName.TRACKING_CATEGORIES: {"TrackingOptionID", "Option"},  # of the categories on lines, one option each
    EntityName.ORGANISATIONS: {"APIKey"},  # who has it can send the organisation bills
    EntityName.REPEATING_INVOICES: {"ID"},  # the same as RepeatingInvoiceID
    EntityName.BATCH_PAYMENTS: {"Amount"},  # of a batch that is created; what is read has TotalAmount
    EntityName.PREPAYMENTS: {"BrandingThemeID"},  # in single reads only
}  # fmt: skip
"""Fields of one kind of record that are not mapped, with the reason beside them."""


LATER: dict[EntityName, dict[str, str]] = {
    EntityName.INVOICES: {"RoundingAmount": "19.0.0", "EnteredTotal": "19.0.0"},
    EntityName.ITEMS: {"QuantityAvailable": "16.2.0", "QuantityOnBackOrder": "16.2.0"},
    EntityName.ACCOUNTS: {"CreatedDateUTC": "20.0.0"},
}
"""Fields that are mapped and that the file, which is 16.1.0, does not have yet: the version of Xero's OpenAPI they came with.
Source: release notes of https://github.com/XeroAPI/Xero-OpenAPI."""


@entities
def test_every_difference_is_explained_and_every_explanation_needed(document: Any, entity: Entity[Any]) -> None:
    """A row contradicts the file only where ``differs`` says why; a reason without a difference is stale."""
    assert _differences(document, entity) == set(entity.differs)


def test_what_is_listed_as_later_is_not_in_the_file(document: Any) -> None:
    """A newer file makes entries of ``LATER`` stale."""
    for name, fields in LATER.items():
        assert not fields.keys() & _item_schema(document, by_name(name))["properties"].keys(), name


def test_a_wrong_row_is_noticed(document: Any) -> None:
    """Each fact that the file knows, changed in the row, is named."""
    row = by_name(EntityName.PURCHASE_ORDERS)
    wrong: dict[str, Any] = {
        "id_field": "PurchaseOrderGUID",
        "key": Key.WORD,
        "paging": Pages(sized=False),
        "modified_since": False,
        "by_ids": ByIds(parameter="where", limit=20),
        "full": Full.LISTS,
        "always": {"unitdp": "4"},
        "on_single": {"unitdp": "4"},
        "filters": row.filters | {"where"},
        "stamp": Stamp.NONE,
        "status_field": None,
        "gone": {},
        "merged_into": "MergedToContactID",
        "webhook": "PURCHASEORDER",
        "parts": row.parts - {Part.PDF},
        "writes": None,
    }
    for field, value in wrong.items():
        assert field in _differences(document, replace(row, **{field: value})), field


@entities
def test_what_the_mapping_reads_exists(document: Any, entity: Entity[Any]) -> None:
    """The mapping touches only fields the file knows (or their ...String companions)."""

    class Watched(dict[str, Any]):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            self.read: set[str] = set()

        def get(self, key: Any, default: Any = None) -> Any:
            self.read.add(key)
            return super().get(key, default)

    raw = Watched({entity.id_field: "a", "Type": "ACCREC"})

    entity.unify(raw)

    known = set(_item_schema(document, entity)["properties"]) | LATER.get(entity.name, {}).keys()
    companions = {name for name in raw.read if name.endswith("String") and name.removesuffix("String") in known}
    assert raw.read - known - companions == set()


@entities
def test_every_field_of_the_file_is_mapped_or_left_out_for_a_reason(document: Any, entity: Entity[Any]) -> None:
    """A field that Xero adds to its file shows up here, to be mapped or listed with a reason."""
    left_out = {
        # about a write, not about the record
        "HasErrors", "HasValidationErrors", "StatusAttributeString", "ValidationErrors", "Warnings",
        # fetched by themselves; lists don't carry them
        "Attachments",
        # not known to be in all three forms of a read
        "InvoiceAddresses",
        # follows from the amounts
        "IsDiscounted",
        # in a nested credit note only
        "AppliedAmount",
        # moves without the contact's stamp moving
        "Balances",
        # who has it can send the contact bills
        "XeroNetworkKey",
        # elements of the tracking lists, listed once more by the file
        "TrackingCategoryName", "TrackingCategoryOption",
    }  # fmt: skip
    seen: set[str] = set()

    class Watched(dict[str, Any]):
        def get(self, key: Any, default: Any = None) -> Any:
            seen.add(key)
            return super().get(key, default)

    entity.unify(Watched({entity.id_field: "a", "Type": "ACCREC"}))

    if issubclass(entity.model, RawRecord):
        return  # all of it is in ``raw``
    unmapped = set(_item_schema(document, entity)["properties"]) - seen - left_out - {"UpdatedDateUTCString"}
    assert unmapped == LEFT_OUT_OF.get(entity.name, set())


VOCABULARIES = [
    *((entity.name, entity.status_field, "status") for entity in ENTITIES if not issubclass(entity.model, RawRecord)),
    (EntityName.ACCOUNTS, "Type", "type"),
    (EntityName.ACCOUNTS, "Class", "classification"),
    (EntityName.ACCOUNTS, "BankAccountType", "bank_account_type"),
    (EntityName.JOURNALS, "SourceType", "source_type"),
    (EntityName.ORGANISATIONS, "Edition", "edition"),
    (EntityName.QUOTES, "LineAmountTypes", "tax_inclusion"),
    (EntityName.REPEATING_INVOICES, "Type", "type"),
]


@pytest.mark.parametrize(("name", "key", "ours"), VOCABULARIES)
def test_every_word_of_the_file_has_its_word_in_the_contract(
    document: Any, name: EntityName, key: str | None, ours: str
) -> None:
    """Closed sets are closed: no word Xero documents is carried as an unknown one."""
    entity = by_name(name)
    fields = _item_schema(document, entity)["properties"]

    for word in filter(None, _resolved(document, fields.get(key, {})).get("enum", ())):
        record = entity.model.model_validate(
            entity.unified("t", {entity.id_field: "a", "Type": "ACCREC", str(key): word})
        )
        assert isinstance(getattr(record, ours), Enum), word


def test_names_rows_and_contracts_are_the_same_set() -> None:
    """One row and one contract for every name; topics, schemas and rows can't drift apart."""
    assert {entity.name for entity in ENTITIES} == set(EntityName)
    assert len(ENTITIES) == len(EntityName)
    assert {entity.name: entity.model for entity in ENTITIES} == RECORDS
    assert set(STREAMED) == {entity.name for entity in ENTITIES if entity.webhook}


def test_webhook_categories_are_unique() -> None:
    """An event belongs to one row."""
    categories = [entity.webhook for entity in ENTITIES if entity.webhook]

    assert len(set(categories)) == len(categories)


def test_every_webhook_category_has_its_row(document: Any) -> None:
    """But for App Store subscriptions, which are about the app."""
    categories = _webhook_categories(document["webhooks"])

    assert categories - {"SUBSCRIPTION"} == {"CONTACT", "INVOICE", "CREDITNOTE"}
    assert categories - {"SUBSCRIPTION"} <= {entity.webhook for entity in ENTITIES}
