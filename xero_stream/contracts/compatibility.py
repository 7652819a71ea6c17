"""Whether a JSON Schema changed in a way that breaks readers of the same version. Pure.

Readers must ignore fields they don't know; so fields may be added, if they aren't required (messages written before
lack them). Everything else needs a new version: a field that goes or may be absent, a type that narrows (stored messages
no longer fit) or widens (readers meet what they don't expect), a word that leaves a closed set.
"""

from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]


def breaks(old: Schema, new: Schema) -> list[str]:
    """What a reader of the old schema can't cope with, one sentence each; empty if nothing.

    Args:
        old: the schema as released.
        new: the schema as it is.
    """
    return list(_compare("", old, new, _Definitions(old), _Definitions(new)))


class _Definitions:
    """Resolves references within one document."""

    def __init__(self, document: Schema) -> None:
        self._definitions: dict[str, Schema] = document.get("$defs", {})

    def branches(self, node: Schema) -> list[Schema]:
        """The node as a list of alternatives without references."""
        if "$ref" in node:
            return self.branches(self._definitions[node["$ref"].rsplit("/", 1)[-1]])
        if isinstance(node.get("type"), list):
            return [{**node, "type": kind} if kind != "null" else {"type": kind} for kind in node["type"]]
        alternatives = node.get("anyOf") or node.get("oneOf")
        if alternatives:
            return [branch for alternative in alternatives for branch in self.branches(alternative)]
        return [node]


def _compare(path: str, old: Schema, new: Schema, before: _Definitions, after: _Definitions) -> Iterator[str]:
    olds, news = before.branches(old), after.branches(new)
    where = path or "the value"
    if _types(olds) != _types(news):
        yield f"{where}: its type was {_words(_types(olds))}, is {_words(_types(news))}"
        return
    if _form(olds) != _form(news):
        yield f"{where}: its form changed"
    gone = _enumerated(olds) - _enumerated(news)
    if gone:
        yield f"{where}: no longer {_words(gone)}"
    if _open(olds) and not _open(news):
        yield f"{where}: other words are no longer allowed"
    yield from _compare_objects(path, _only(olds, "object"), _only(news, "object"), before, after)
    for old_list, new_list in zip(_only(olds, "array"), _only(news, "array"), strict=False):
        yield from _compare(f"{path}[]", old_list.get("items", {}), new_list.get("items", {}), before, after)


def _compare_objects(
    path: str, olds: list[Schema], news: list[Schema], before: _Definitions, after: _Definitions
) -> Iterator[str]:
    for old, new in zip(olds, news, strict=False):
        old_fields, new_fields = old.get("properties", {}), new.get("properties", {})
        old_required, new_required = set(old.get("required", ())), set(new.get("required", ()))
        for name in old_fields:
            inner = f"{path}.{name}".removeprefix(".")
            if name not in new_fields:
                yield f"{inner}: removed"
                continue
            if name in old_required - new_required:
                yield f"{inner}: may be absent now"
            yield from _compare(inner, old_fields[name], new_fields[name], before, after)
        for name in sorted(new_required - old_required):
            yield f"{path}.{name}".removeprefix(".") + ": required now, but messages written before may lack it"


def _types(branches: list[Schema]) -> set[str]:
    found: set[str] = set()
    for branch in branches:
        kind = branch.get("type", "anything")
        found |= set(kind) if isinstance(kind, list) else {kind}
    return found


def _enumerated(branches: list[Schema]) -> set[str]:
    return {
        str(word) for branch in branches for word in branch.get("enum", [branch["const"]] if "const" in branch else [])
    }


def _form(branches: list[Schema]) -> set[tuple[str, str]]:
    rules = ("pattern", "format", "minimum", "maximum", "minLength", "maxLength")
    return {(rule, str(branch[rule])) for branch in branches for rule in rules if rule in branch}


def _open(branches: list[Schema]) -> bool:
    return any(branch.get("type") == "string" and not {"enum", "const"} & branch.keys() for branch in branches)


def _only(branches: list[Schema], kind: str) -> list[Schema]:
    return [branch for branch in branches if branch.get("type") == kind]


def _words(words: set[str]) -> str:
    return ", ".join(sorted(words))
