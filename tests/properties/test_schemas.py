"""The published schemas describe what is published, and the check for compatibility is no formality."""

import copy
import json
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tests.support.examples import examples
from tests.support.xero_records import STRATEGIES, TENANT, wire
from xero_api.decode import decode, encode
from xero_api.entity import Entity
from xero_api.registry import ENTITIES
from xero_stream.contracts.compatibility import breaks
from xero_stream.contracts.schemas import CONNECT, documents

entities = pytest.mark.parametrize("entity", ENTITIES, ids=lambda entity: entity.name)


@cache
def schemas() -> dict[str, Any]:
    """Every schema by its file, made when a test asks: whoever runs others does not wait for them."""
    return {
        name: json.loads(text)
        for name, text in documents().items()
        if name.endswith(".json") and not name.startswith(CONNECT)
    }


names = st.deferred(lambda: st.sampled_from(sorted(schemas())))


@entities
@settings(max_examples=examples(3))
@given(data=st.data())
def test_every_published_record_is_valid(entity: Entity[Any], data: st.DataObject) -> None:
    """The JSON we write, amounts as numbers, validates against the entity's JSON Schema."""
    raw = decode(wire(data.draw(STRATEGIES[entity.name])))
    schema = schemas()[f"{entity.name.singular}.1.json"]

    published = json.loads(encode(entity.unified(TENANT, raw)))

    Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(published)


def _paths(node: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    if isinstance(node, dict):
        inner = [found for key, value in node.items() for found in _paths(value, (*path, key))]
    elif isinstance(node, list):
        inner = [found for index, value in enumerate(node) for found in _paths(value, (*path, index))]
    else:
        inner = []
    return [path, *inner]


def _at(node: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        node = node[step]
    return node


@given(data=st.data(), name=names)
def test_taking_a_field_away_is_always_noticed(data: st.DataObject, name: str) -> None:
    """Whichever property of whichever part goes, the check says so and names it."""
    old = schemas()[name]
    holders = [path for path in _paths(old) if path and path[-1] == "properties" and _at(old, path)]
    holder = data.draw(st.sampled_from(holders))
    field = data.draw(st.sampled_from(sorted(_at(old, holder))))
    new = copy.deepcopy(old)

    del _at(new, holder)[field]

    assert any(problem.endswith(f"{field}: removed") for problem in breaks(old, new))


@given(data=st.data(), name=names)
def test_adding_an_optional_field_breaks_nobody(data: st.DataObject, name: str) -> None:
    """A new property that isn't required is no break, wherever it is added."""
    old = schemas()[name]
    holder = data.draw(st.sampled_from([path for path in _paths(old) if path and path[-1] == "properties"]))
    new = copy.deepcopy(old)

    _at(new, holder)["brand_new"] = {"type": "string"}

    assert breaks(old, new) == []
