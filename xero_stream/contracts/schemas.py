"""The published schemas: generated from the contracts, checked for being current and compatible.

``python -m xero_stream.contracts.schemas --write schemas`` writes them, ``--check schemas`` fails with the names of files
that are stale, or that broke their readers within a version (against ``released/``, which ``--release`` fills).
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel, Field, create_model

from xero_stream.contracts.asyncapi import asyncapi, to_yaml
from xero_stream.contracts.change_event import ChangeEvent
from xero_stream.contracts.compatibility import breaks
from xero_stream.contracts.connect import CONNECT_DECIMAL, connect_change, connect_key, connect_latest
from xero_stream.contracts.dataschema import ENVELOPE_VERSION, change_schema, latest_schema, schema_urn
from xero_stream.contracts.dead_letter import DeadLetter, Stage
from xero_stream.contracts.names import STREAMED, EntityName
from xero_stream.contracts.records.account import Account
from xero_stream.contracts.records.bank_transaction import BankTransaction
from xero_stream.contracts.records.bank_transfer import BankTransfer
from xero_stream.contracts.records.batch_payment import BatchPayment
from xero_stream.contracts.records.common import Record
from xero_stream.contracts.records.contact import Contact
from xero_stream.contracts.records.credit_note import CreditNote
from xero_stream.contracts.records.invoice import Invoice
from xero_stream.contracts.records.item import Item
from xero_stream.contracts.records.journal import Journal
from xero_stream.contracts.records.latest import LatestRecord
from xero_stream.contracts.records.manual_journal import ManualJournal
from xero_stream.contracts.records.organisation import Organisation
from xero_stream.contracts.records.overpayment import Overpayment
from xero_stream.contracts.records.payment import Payment
from xero_stream.contracts.records.prepayment import Prepayment
from xero_stream.contracts.records.purchase_order import PurchaseOrder
from xero_stream.contracts.records.quote import Quote
from xero_stream.contracts.records.raw_record import (
    BrandingTheme,
    Budget,
    ContactGroup,
    Currency,
    LinkedTransaction,
    PaymentService,
    User,
)
from xero_stream.contracts.records.repeating_invoice import RepeatingInvoice
from xero_stream.contracts.records.tax_rate import TaxRate
from xero_stream.contracts.records.tracking_category import TrackingCategory
from xero_stream.contracts.topics import Topics
from xero_stream.contracts.webhook_event import WebhookEvent

RECORDS: dict[EntityName, type[Record]] = {
    EntityName.INVOICES: Invoice,
    EntityName.CONTACTS: Contact,
    EntityName.CREDIT_NOTES: CreditNote,
    EntityName.PAYMENTS: Payment,
    EntityName.BATCH_PAYMENTS: BatchPayment,
    EntityName.PREPAYMENTS: Prepayment,
    EntityName.OVERPAYMENTS: Overpayment,
    EntityName.BANK_TRANSACTIONS: BankTransaction,
    EntityName.BANK_TRANSFERS: BankTransfer,
    EntityName.ACCOUNTS: Account,
    EntityName.ITEMS: Item,
    EntityName.TAX_RATES: TaxRate,
    EntityName.TRACKING_CATEGORIES: TrackingCategory,
    EntityName.ORGANISATIONS: Organisation,
    EntityName.PURCHASE_ORDERS: PurchaseOrder,
    EntityName.QUOTES: Quote,
    EntityName.REPEATING_INVOICES: RepeatingInvoice,
    EntityName.MANUAL_JOURNALS: ManualJournal,
    EntityName.JOURNALS: Journal,
    EntityName.BRANDING_THEMES: BrandingTheme,
    EntityName.BUDGETS: Budget,
    EntityName.CONTACT_GROUPS: ContactGroup,
    EntityName.CURRENCIES: Currency,
    EntityName.LINKED_TRANSACTIONS: LinkedTransaction,
    EntityName.PAYMENT_SERVICES: PaymentService,
    EntityName.USERS: User,
}
"""The contract of each entity's records."""

RELEASED = "released"
CONNECT = "connect"
"""Folder of the schemas for Kafka Connect's JsonConverter."""
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_ASYNCAPI = "asyncapi.yaml"


EXAMPLES = Path(__file__).with_name("examples.json")
"""Published messages, one for each kind: headers and payload by message name."""


@cache
def documents(entities: tuple[EntityName, ...] = STREAMED, *, amounts_as_text: bool = False) -> Mapping[str, str]:
    """Every published file by name, as text.

    Args:
        entities: those that have topics; AsyncAPI describes no others.
        amounts_as_text: as ``XERO_STREAM_AMOUNTS=string`` makes them.
    """
    schemas = dict(_schemas())
    headers = {name: _without_document_keys(schema) for name, schema in _header_schemas().items()}
    schemas |= {f"{CONNECT}/{file}": schema for file, schema in _connect_schemas().items()}
    if amounts_as_text:
        schemas = {file: _with_text_amounts(schema) for file, schema in schemas.items()}
    files = {file: _text(schema) for file, schema in schemas.items()}
    values = {"WebhookEvent": _file("webhook-event", ENVELOPE_VERSION)}
    for entity, model in RECORDS.items():
        title = model.__name__
        values[f"{title}Change"] = _file(*change_schema(entity, model.version))
        values[f"{title}Latest"] = _file(*latest_schema(entity, model.version))
        headers[f"{title}Change"], headers[f"{title}Latest"] = headers["Change"], headers["Latest"]
    examples = json.loads(EXAMPLES.read_text(encoding="utf-8"))
    document = asyncapi(entities, values, headers, examples, f"{ENVELOPE_VERSION}.0.0")
    return MappingProxyType({**files, _ASYNCAPI: to_yaml(document)})


@cache
def _schemas() -> Mapping[str, dict[str, Any]]:
    return dict(_each_schema())


def _each_schema() -> Iterator[tuple[str, dict[str, Any]]]:
    yield _document("webhook-event", ENVELOPE_VERSION, WebhookEvent)
    yield _document("change-event", ENVELOPE_VERSION, ChangeEvent)
    for entity, model in RECORDS.items():
        yield _document(entity.singular, model.version, model)
        yield _document(*change_schema(entity, model.version), _change_of(model))
        yield _document(*latest_schema(entity, model.version), _latest_of(model))
    letter = _header_schemas()["DeadLetter"]
    file = _file("dead-letter-headers", ENVELOPE_VERSION)
    yield file, _named("dead-letter-headers", ENVELOPE_VERSION, letter)


@cache
def _connect_schemas() -> Mapping[str, dict[str, Any]]:
    return dict(_each_connect_schema())


def _each_connect_schema() -> Iterator[tuple[str, dict[str, Any]]]:
    topics = Topics()
    yield "key.json", connect_key(topics)
    for entity, model in RECORDS.items():
        name = model.__name__
        yield f"{entity}-changes.json", connect_change(_change_of(model), name, topics.changes(entity))
        yield f"{entity}-records.json", connect_latest(_latest_of(model), name, topics.records(entity))


def _with_text_amounts(node: Any) -> Any:
    if isinstance(node, list):
        return [_with_text_amounts(item) for item in node]
    if not isinstance(node, dict):
        return node
    if node.get("format") == "decimal":
        kinds = node["type"] if isinstance(node["type"], list) else [node["type"]]
        words = ["string" if kind == "number" else kind for kind in kinds]
        return {**node, "type": words if len(words) > 1 else words[0]}
    if node.get("name") == CONNECT_DECIMAL:
        return {"field": node["field"], "type": "string", "optional": node["optional"]}
    return {key: _with_text_amounts(value) for key, value in node.items()}


def _text(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


_DESCRIBED = {"use_attribute_docstrings": False}
"""For models made here: each field has its description already, and looking for docstrings in their source is slow."""


@cache
def _change_of(model: type[Record]) -> type[BaseModel]:
    before, after = ChangeEvent.model_fields["before"], ChangeEvent.model_fields["after"]
    fields: dict[str, Any] = {
        "before": (model | None, Field(description=before.description)),
        "after": (model | None, Field(description=after.description)),
    }
    name = model.__name__
    doc = f"One change of one {name}."
    return create_model(f"{name}Change", __base__=ChangeEvent, __doc__=doc, __cls_kwargs__=_DESCRIBED, **fields)


@cache
def _latest_of(model: type[Record]) -> type[BaseModel]:
    record = LatestRecord.model_fields["record"]
    fields: dict[str, Any] = {"record": (model, Field(description=record.description))}
    return create_model(
        f"{model.__name__}Latest",
        __base__=LatestRecord,
        __doc__=LatestRecord.__doc__,
        __cls_kwargs__=_DESCRIBED,
        **fields,
    )


def _document(name: str, version: int, model: type[BaseModel]) -> tuple[str, dict[str, Any]]:
    schema = model.model_json_schema(mode="serialization")
    return _file(name, version), _named(name, version, _tidied(schema))


def _file(name: str, version: int) -> str:
    return f"{name}.{version}.json"


def _named(name: str, version: int, schema: dict[str, Any]) -> dict[str, Any]:
    return {"$schema": _DIALECT, "$id": schema_urn(name, version), **schema}


def _without_document_keys(schema: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if not key.startswith("$")}


def _tidied(node: Any) -> Any:
    """Without the titles pydantic makes of names, and open for fields to come: readers ignore what they don't know.

    A scalar or null is written as two types, not as two alternatives: generators make a type with a poor name, or none, of
    alternatives.
    """
    if isinstance(node, list):
        return [_tidied(item) for item in node]
    if not isinstance(node, dict):
        return node
    tidied = {key: _tidied(value) for key, value in node.items() if key not in {"title", "properties", "$defs"}}
    if tidied.get("additionalProperties") is False:
        del tidied["additionalProperties"]
    if isinstance(node.get("title"), str) and (node.get("type") == "object" or "enum" in node):
        tidied = {"title": node["title"], **tidied}
    for key in ("properties", "$defs"):  # their keys are names, not words of JSON Schema
        if key in node:
            tidied[key] = {name: _tidied(value) for name, value in node[key].items()}
    return _nullable(tidied)


def _nullable(node: dict[str, Any]) -> dict[str, Any]:
    alternatives = node.get("anyOf", [])
    rest = [one for one in alternatives if one != {"type": "null"}]
    if len(rest) != 1 or len(rest) == len(alternatives) or not isinstance(rest[0].get("type"), str):
        return node
    others = {key: value for key, value in node.items() if key != "anyOf"}
    return {**rest[0], "type": [rest[0]["type"], "null"], **others}


def _header_schemas() -> dict[str, dict[str, Any]]:
    common = {
        "ce_specversion": "CloudEvents version, `1.0`.",
        "ce_id": "Id of the event: the same event always has the same id.",
        "ce_source": "Which deployment and app or organisation it comes from.",
        "ce_type": "What happened, e.g. `io.xerostream.invoice.updated`.",
        "content-type": "`application/json`.",
    }
    trace = {"traceparent": "W3C trace context."}
    customer = {"customer_ref": "The operator's reference of the customer."}
    change = {
        "ce_subject": "Entity and record id, e.g. `invoices/a03ffcd2-…`.",
        "ce_time": "When it was recorded, ISO 8601 with `Z`.",
        "ce_dataschema": "`$id` of the value's schema, e.g. `urn:xero-stream:schema:invoice-change:1`.",
    }
    latest = {
        **common,
        **change,
        "ce_id": "Id of the message: another one than that of the change behind it.",
        "ce_type": "`io.xerostream.<entity>.latest`, e.g. `io.xerostream.invoice.latest`.",
    }
    absent = {name: f"{latest.pop(name)} A tombstone has none." for name in ("ce_dataschema", "content-type")}
    sample = DeadLetter(
        id="", stage=Stage.INTAKE, reason="", error="", attempts=0, key=None, value=b"", source="", traceparent="-"
    )
    letter = {name: _DEAD_LETTER_WORDS[name] for name, _ in sample.headers()}
    return {
        "WebhookEvent": _strings(common, trace),
        "Change": _strings({**common, **change}, {**trace, **customer}),
        "Latest": _strings(latest, {**absent, **trace, **customer}),
        "DeadLetter": _strings(
            {k: v for k, v in letter.items() if k not in trace},
            {**trace, "xs_cut_from": "How many bytes there were, where the value holds only the first of them."},
        ),
    }


_DEAD_LETTER_WORDS = {
    "xs_id": "Deterministic id: the same failure of the same bytes has the same id.",
    "xs_stage": f"Where it went wrong: {', '.join(Stage)}.",
    "xs_reason": "A word for it, e.g. `invalid_json`.",
    "xs_error": "One sentence for an operator.",
    "xs_attempts": "How often it was tried.",
    "xs_source": "Where it came from.",
    "traceparent": "W3C trace context.",
}


def _strings(required: dict[str, str], optional: dict[str, str]) -> dict[str, Any]:
    properties = {name: {"type": "string", "description": text} for name, text in {**required, **optional}.items()}
    return {"type": "object", "properties": properties, "required": list(required)}


def write(folder: Path, entities: tuple[EntityName, ...] = STREAMED, *, amounts_as_text: bool = False) -> None:
    """Write every file, and remove those no longer generated.

    Args:
        entities: those that have topics.
        amounts_as_text: as ``XERO_STREAM_AMOUNTS=string`` makes them.
    """
    (folder / CONNECT).mkdir(parents=True, exist_ok=True)
    files = documents(entities, amounts_as_text=amounts_as_text)
    for path in _generated(folder):
        if str(path.relative_to(folder)) not in files:
            path.unlink()
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")


def release(folder: Path) -> None:
    """Freeze what is generated now: from here on it may only change compatibly within its version.

    Args:
        folder: where the schemas are.
    """
    released = folder / RELEASED
    released.mkdir(parents=True, exist_ok=True)
    for name, text in documents().items():
        if name != _ASYNCAPI and not name.startswith(CONNECT):
            (released / name).write_text(text, encoding="utf-8")


def check(folder: Path) -> list[str]:
    """What is wrong, one line each; empty if all is well.

    Args:
        folder: where the schemas are.
    """
    files = documents()
    problems = [
        f"{folder / name}: stale, run `make schemas`" for name, text in files.items() if not _same(folder / name, text)
    ]
    problems += [
        f"{path}: no longer generated" for path in _generated(folder) if str(path.relative_to(folder)) not in files
    ]
    for path in sorted((folder / RELEASED).glob("*.json")):
        if path.name in files:
            old, new = json.loads(path.read_text(encoding="utf-8")), json.loads(files[path.name])
            problems += [f"{folder / path.name}: {broken}; this needs a new version" for broken in breaks(old, new)]
    return problems


def _generated(folder: Path) -> list[Path]:
    return sorted([*folder.glob("*.json"), *folder.glob(f"{CONNECT}/*.json"), *folder.glob(_ASYNCAPI)])


def _same(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


def main(arguments: list[str] | None = None) -> int:
    """The command line.

    Args:
        arguments: without the program's name; the process's own when None.

    Returns:
        0, or 1 when ``--check`` found something.
    """
    parser = argparse.ArgumentParser(prog="python -m xero_stream.contracts.schemas", description="Published schemas.")
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--write", metavar="DIR", type=Path, help="write them there")
    action.add_argument("--check", metavar="DIR", type=Path, help="fail if they are stale or broke their readers")
    action.add_argument("--release", metavar="DIR", type=Path, help="freeze them as what readers rely on")
    parser.add_argument(
        "--entities",
        metavar="NAMES",
        type=_entities,
        default=STREAMED,
        help="with --write: what AsyncAPI describes, as in XERO_STREAM_ENTITIES",
    )
    parser.add_argument(
        "--amounts",
        choices=("number", "string"),
        default="number",
        help="with --write: how amounts are written, as in XERO_STREAM_AMOUNTS",
    )
    options = parser.parse_args(arguments)
    if options.write:
        write(options.write, options.entities, amounts_as_text=options.amounts == "string")
    elif options.release:
        release(options.release)
    else:
        problems = check(options.check)
        sys.stderr.writelines(f"{problem}\n" for problem in problems)
        return 1 if problems else 0
    return 0


def _entities(text: str) -> tuple[EntityName, ...]:
    return tuple(EntityName(word.strip()) for word in text.split(","))


if __name__ == "__main__":
    raise SystemExit(main())
