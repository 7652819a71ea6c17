"""The control API as an OpenAPI document, from its routes and the models of its bodies."""

import re
from collections.abc import Sequence
from typing import Any

from pydantic.json_schema import models_json_schema

from simulator.control.exchange import Row

VERSION = "3.1.0"
_REFERENCE = "#/components/schemas/{model}"
_WHY = {"400": "The body isn't understood.", "404": "There is no such thing.", "409": "The books refuse it."}


def described(rows: Sequence[Row]) -> dict[str, Any]:
    """The document.

    Args:
        rows: every route.
    """
    models = sorted({row.body for row in rows if row.body is not None}, key=lambda model: model.__name__)
    _, schemas = models_json_schema([(model, "validation") for model in models], ref_template=_REFERENCE)
    mistake = {
        "type": "object",
        "required": ["error"],
        "properties": {"error": {"type": "string"}, "known": {"description": "The words that would be understood."}},
    }
    paths: dict[str, dict[str, Any]] = {}
    for row in rows:
        paths.setdefault(row.path, {})[row.method.lower()] = _operation(row)
    return {
        "openapi": VERSION,
        "info": {
            "title": "Control API of the simulator",
            "version": "1",
            "description": "What a test or a demo may do to the simulated Xero.",
        },
        "paths": paths,
        "components": {"schemas": schemas.get("$defs", {}) | {"Mistake": mistake}},
    }


def _operation(row: Row) -> dict[str, Any]:
    text = " ".join((row.handler.__doc__ or "").split())
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", row.path)
    ]
    parameters += [{"name": name, "in": "query", "schema": schema} for name, schema in row.query.items()]
    good: dict[str, Any] = {"description": "Done."}
    if row.status != 204:
        good["content"] = {"application/json": {"schema": {"type": "object"}}}
    mistake = {"application/json": {"schema": {"$ref": _REFERENCE.format(model="Mistake")}}}
    operation: dict[str, Any] = {
        "operationId": row.handler.__name__,
        "summary": text,
        "responses": {str(row.status): good}
        | {status: {"description": why, "content": mistake} for status, why in _WHY.items()},
    }
    if parameters:
        operation["parameters"] = parameters
    if row.body is not None:
        schema = {"$ref": _REFERENCE.format(model=row.body.__name__)}
        operation["requestBody"] = {"content": {"application/json": {"schema": schema}}}
    return operation
