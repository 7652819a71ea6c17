"""The table of facts against Xero's own SDK, newer than the OpenAPI file: what reads may ask, to the last parameter."""

import inspect
import re
from functools import cache
from typing import Any

import pytest
from xero_python.accounting import AccountingApi

from xero_api.entity import Entity, Full, Offset, Pages
from xero_api.registry import ENTITIES

entities = pytest.mark.parametrize("entity", ENTITIES, ids=lambda entity: entity.name)


@cache
def _sent() -> dict[str, set[str]]:
    """The parameters of each of the SDK's reads by path: of the query, and If-Modified-Since."""
    found: dict[str, set[str]] = {}
    for name, method in inspect.getmembers(AccountingApi, inspect.isfunction):
        source = inspect.getsource(method) if name.startswith("get_") else ""
        path = re.search(r'get_resource_url\("(.+?)"\)', source)
        if path:
            since = {"If-Modified-Since"} if 'header_params["If-Modified-Since"]' in source else set()
            found.setdefault(path[1], set()).update({*re.findall(r'query_params\.append\(\("(\w+)"', source), *since})
    return found


def _named(entity: Entity[Any]) -> set[str]:
    """The parameters of a list that the row names."""
    named = {*entity.filters, *entity.always}
    if isinstance(entity.paging, Pages):
        named |= {"page", "pageSize"} if entity.paging.sized else {"page"}
    if isinstance(entity.paging, Offset):
        named.add("offset")
    if entity.modified_since:
        named.add("If-Modified-Since")
    if entity.by_ids and entity.by_ids.parameter != "where":
        named.add(entity.by_ids.parameter)
    return named


@entities
def test_lists_take_what_the_sdk_sends(entity: Entity[Any]) -> None:
    """No parameter more, none less; but passes have their own order, whole records are read, and ids may be no way to them."""
    explained = {"IDs"} if "by_ids" in entity.differs else set()

    assert _sent()[f"/{entity.path}"] - {"order", "summaryOnly"} - explained == _named(entity)


@entities
def test_single_reads_take_what_the_sdk_sends(entity: Entity[Any]) -> None:
    """Where there are any; what the row asks for beyond that is explained."""
    months = entity.filters - {"where"} if entity.full is Full.SINGLY else frozenset()
    named = entity.on_single.keys() | months
    sent = _sent().get(f"/{entity.path}/{{{entity.id_field}}}")

    if sent is None:
        assert entity.full is Full.LISTS
    elif "on_single" in entity.differs:
        assert sent < named
    else:
        assert sent == named
