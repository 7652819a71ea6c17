"""What the table says about writing against Xero's published OpenAPI."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from xero_api.entity import Entity, Part, UpdateAt
from xero_api.registry import ENTITIES
from xero_api.writes.requests import LONGEST_KEY
from xero_api.writes.values import AMOUNTS, COUNTS, DATES, FLAGS, PRICES, RATES

OPENAPI = Path(__file__).parents[2] / ".." / "shared" / "openapi" / "xero_accounting.yaml"
written = pytest.mark.parametrize(
    "entity", [one for one in ENTITIES if one.writes is not None], ids=lambda entity: entity.name
)


@pytest.fixture(scope="module")
def document() -> Any:
    """The file, if it lies beside the repository."""
    if not OPENAPI.is_file():
        pytest.skip("Xero's OpenAPI file is not at ../shared/openapi: nothing to compare the registry with")
    return yaml.load(OPENAPI.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def _takes(document: Any, path: str, method: str) -> set[str]:
    operation = document["paths"].get(path, {}).get(method.lower())
    if operation is None:
        return set()
    named = [
        one["$ref"].rpartition("/")[2] if "$ref" in one else one["name"] for one in operation.get("parameters", [])
    ]
    return {document["components"]["parameters"].get(name, {}).get("name", name) for name in named} | {"exists"}


def _below(document: Any, entity: Entity[Any], part: str) -> str:
    start = f"/{entity.path}/{{"
    return next((path for path in document["paths"] if path.startswith(start) and path.endswith(part)), "")


@written
def test_parameters_are_sent_where_the_file_has_them(document: Any, entity: Entity[Any]) -> None:
    """Rows answer for themselves and take a key on every write of the collection, unitdp exactly where reads of one record take it."""
    assert entity.writes is not None
    collection = f"/{entity.path}"
    methods = [method for method in (entity.writes.create, entity.writes.update) if method]

    for method in methods:
        if method == entity.writes.update and entity.writes.update_at is UpdateAt.RECORD:
            continue
        takes = _takes(document, collection, method)
        assert {"exists", "Idempotency-Key"} <= takes
        assert ("summarizeErrors" in takes) is (method in entity.writes.summarizes)
        assert ("unitdp" in takes) is ("unitdp" in entity.on_single)


@written
def test_one_record_is_updated_where_the_table_says(document: Any, entity: Entity[Any]) -> None:
    """The address of one record takes POST unless updates go to the collection only; it never summarises."""
    assert entity.writes is not None
    takes = _takes(document, f"/{entity.path}/{{{entity.id_field}}}", "POST")

    if entity.writes.update and entity.writes.update_at is not UpdateAt.COLLECTION:
        assert "exists" in takes
    assert "summarizeErrors" not in takes
    assert ("exists" in _takes(document, f"/{entity.path}/{{{entity.id_field}}}", "DELETE")) is entity.writes.removed


@pytest.mark.parametrize("entity", ENTITIES, ids=lambda entity: entity.name)
def test_parts_take_what_is_sent(document: Any, entity: Entity[Any]) -> None:
    """Each part's method exists and takes a key; IncludeOnline is offered where the file has it."""
    parts = {
        Part.ATTACHMENTS: ("/Attachments/{FileName}", "PUT"),
        Part.HISTORY: ("/History", "PUT"),
        Part.EMAIL: ("/Email", "POST"),
        Part.ALLOCATIONS: ("/Allocations", "PUT"),
    }

    for part in entity.parts - {Part.PDF}:
        takes = _takes(document, _below(document, entity, parts[part][0]), parts[part][1])
        assert {"exists", "Idempotency-Key"} <= takes, part
        if part is Part.ATTACHMENTS and entity.writes is not None:
            assert ("IncludeOnline" in takes) is entity.writes.include_online


@pytest.mark.parametrize("entity", ENTITIES, ids=lambda entity: entity.name)
def test_parts_can_be_read(document: Any, entity: Entity[Any]) -> None:
    """Lists, files by id and by name, and PDFs, exactly where the table has them."""
    reads = {
        Part.ATTACHMENTS: ("/Attachments", "/Attachments/{AttachmentID}", "/Attachments/{FileName}"),
        Part.HISTORY: ("/History",),
        Part.PDF: ("/pdf",),
    }

    for part, ends in reads.items():
        for end in ends:
            assert bool(_takes(document, _below(document, entity, end), "GET")) is (part in entity.parts), end


def test_the_longest_key_is_the_files(document: Any) -> None:
    """128 characters."""
    assert str(LONGEST_KEY) in document["components"]["parameters"]["idempotencyKey"]["description"]


READ_ONLY = {
    # Xero counts or knows these itself
    *("FinancialYearEndDay", "FinancialYearEndMonth", "JournalNumber", "ErrorNumber", "ContentLength", "HasErrors", "HasValidationErrors"),
    *("QuantityOnHand", "TotalCostPool", "Outstanding", "Overdue", "IsDemoCompany", "PaysTax", "IsSubscriber"),
    *("SalesTaxCodeId", "TaxPercentage", "TaxableAmount", "NonTaxableAmount", "ExemptAmount"),
    *("CreatedDateUTC", "DateUTC", "UpdatedDateUTC", "FullyPaidOnDate", "EndOfYearLockDate", "PeriodLockDate", "JournalDate"),
}  # fmt: skip
"""Numbers, flags and dates of the file that nobody writes."""


def _fields(document: Any, node: Any, seen: set[str]) -> Iterator[tuple[str, Any]]:
    """Every field of a schema and of what it holds."""
    name = node.get("$ref", "").rpartition("/")[2]
    if name in seen:
        return
    seen.add(name)
    node = document["components"]["schemas"].get(name, node)
    for field, value in node.get("properties", {}).items():
        yield field, value
        for inner in (value, value.get("items", {})):
            if "$ref" in inner:
                yield from _fields(document, inner, seen)


@written
def test_numbers_flags_and_dates_are_checked_before_they_are_sent(document: Any, entity: Entity[Any]) -> None:
    """Each field of those kinds that the file has is in the tables of ``xero_api.writes.values``."""
    listed = document["components"]["schemas"][entity.list_key]["properties"][entity.list_key]["items"]
    kinds: dict[str, frozenset[str]] = {
        "number": PRICES | AMOUNTS | RATES,
        "integer": COUNTS | {"DueDate"},
        "boolean": FLAGS,
        "date": DATES | {"Period"},
    }

    def kind(field: Any) -> str:
        return "date" if any(sign.startswith("x-is-msdate") for sign in field) else str(field.get("type"))

    written = [(name, kind(field)) for name, field in _fields(document, listed, set()) if not field.get("readOnly")]
    assert [(name, of) for name, of in written if name not in kinds.get(of, {name}) | READ_ONLY] == []
