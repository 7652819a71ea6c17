"""The table of facts against Xero's published OpenAPI: every difference is explained, and every explanation needed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from xero_api.entity import Entity, Pages
from xero_api.registry import ENTITIES, by_name
from xero_stream.contracts.names import STREAMED, EntityName
from xero_stream.contracts.schemas import RECORDS

OPENAPI = Path(__file__).parents[2] / ".." / "shared" / "openapi" / "xero_accounting.yaml"
entities = pytest.mark.parametrize("entity", ENTITIES, ids=lambda entity: entity.name)


@pytest.fixture(scope="module")
def document() -> Any:
    """The file, if it lies beside the repository."""
    if not OPENAPI.is_file():
        pytest.skip("Xero's OpenAPI file is not at ../shared/openapi: nothing to compare the registry with")
    return yaml.load(OPENAPI.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


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


def _differences(document: Any, entity: Entity[Any]) -> Iterator[str]:  # noqa: C901, PLR0912 - a list of comparisons
    """The fields of the row that the file contradicts."""
    paths = document["paths"]
    collection, single = f"/{entity.path}", f"/{entity.path}/{{{entity.id_field}}}"
    if collection not in paths or single not in paths:
        yield "path"
        return
    listing, reading = paths[collection]["get"], paths[single]["get"]
    parameters, schema = _parameters(document, listing), _item_schema(document, entity)
    fields = schema["properties"]
    if entity.id_field not in fields:
        yield "id_field"
    if entity.stamp and entity.stamp not in fields:
        yield "stamp"
    if isinstance(entity.paging, Pages) and not (
        "page" in parameters and ("pageSize" in parameters) is entity.paging.sized
    ):
        yield "paging"
    if isinstance(entity.paging, Pages) and not entity.paging.drop_order and "order" not in parameters:
        yield "paging"
    if ("If-Modified-Since" in parameters) is not entity.modified_since:
        yield "modified_since"
    if entity.by_ids is not None and entity.by_ids.parameter not in parameters:
        yield "by_ids"
    if (entity.by_ids is None or entity.by_ids.parameter != "IDs") and "IDs" in parameters:
        yield "by_ids"
    if not entity.always.keys() <= parameters.keys():
        yield "always"
    if not entity.on_single.keys() <= _parameters(document, reading).keys():
        yield "on_single"
    if not entity.filters <= parameters.keys():
        yield "filters"
    statuses = set(fields.get(entity.status_field, {}).get("enum", ())) if entity.status_field else set()
    if not entity.gone.keys() <= statuses:
        yield "gone"
    if entity.merged_into and entity.merged_into not in fields:
        yield "merged_into"
    if {part for part in entity.parts if f"{single}/{part}" not in paths}:
        yield "parts"
    scopes = {scope for security in listing["security"] for scopes in security.values() for scope in scopes}
    if entity.scope not in scopes and f"{entity.scope}.read" not in scopes:
        yield "scope"
    if entity.writes is not None:
        writing = paths[collection]
        if {method.lower() for method in (entity.writes.create, entity.writes.update) if method} - writing.keys():
            yield "writes"
        if not {*entity.writes.delete, *entity.writes.delete.values()} <= statuses | {"*"}:
            yield "writes"
        if entity.writes.natural_key is not None and entity.writes.natural_key not in fields:
            yield "writes"


LEFT_OUT_OF: dict[EntityName, set[str]] = {
    EntityName.PAYMENTS: {
        # other ways to name the document and the account when a payment is created
        "InvoiceNumber", "CreditNoteNumber", "Code",
        # of the payments inside a batch, which shows them
        "BankAccountNumber", "Particulars", "Details",
        # follows from the account
        "HasAccount",
    },
    EntityName.BATCH_PAYMENTS: {"Amount"},  # of a batch that is created; what is read has TotalAmount
    EntityName.PREPAYMENTS: {"BrandingThemeID"},  # in single reads only
}  # fmt: skip
"""Fields of one kind of record that are not mapped, with the reason beside them."""


@entities
def test_every_difference_is_explained_and_every_explanation_needed(document: Any, entity: Entity[Any]) -> None:
    """A row contradicts the file only where ``differs`` says why; a reason without a difference is stale."""
    assert set(_differences(document, entity)) == set(entity.differs)


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

    known = set(_item_schema(document, entity)["properties"])
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

    unmapped = set(_item_schema(document, entity)["properties"]) - seen - left_out - {"UpdatedDateUTCString"}
    assert unmapped == LEFT_OUT_OF.get(entity.name, set())


def test_names_rows_and_contracts_are_the_same_set() -> None:
    """One row and one contract for every name; topics, schemas and rows can't drift apart."""
    assert {entity.name: entity.model for entity in ENTITIES} == RECORDS
    assert len({entity.name for entity in ENTITIES}) == len(ENTITIES)
    assert RECORDS.keys() >= set(STREAMED)
    assert all(by_name(name).webhook for name in STREAMED)


def test_webhook_categories_are_unique() -> None:
    """An event belongs to one row."""
    categories = [entity.webhook for entity in ENTITIES if entity.webhook]

    assert len(set(categories)) == len(categories)
