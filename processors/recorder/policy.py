"""What of a record must not be passed on: fields are dropped, hashed or cut before anything else sees them. Pure.

Applied where a record is read, so that the store, comparisons, changes and topics hold the treated record only. A rule
names a field by its path in our record, through lists too (``persons.email``). Settings: ``XERO_STREAM_FIELD_POLICY``.
"""

import hmac
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType, NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from xero_api.decode import decode
from xero_stream.contracts.names import EntityName
from xero_stream.settings.base import SettingsError

SETTING = "XERO_STREAM_FIELD_POLICY"
SHORTEST_KEY = 32
"""Characters: with fewer, hashes of names and addresses are guessed too easily."""

UNTOUCHABLE = frozenset({"tenant_id", "id", "updated_at", "status"})
"""What keys, versions and events are made of."""

_TRUNCATE = re.compile(r"truncate:([1-9][0-9]{0,5})", re.ASCII)
Act = Callable[[Any], Any]
"""What is done to the value of a field."""


@dataclass(frozen=True, slots=True)
class Branch:
    """The treated fields of an object: an act, or a further branch."""

    fields: "Mapping[str, Act | Branch]"

    def treated(self, value: Any) -> Any:
        """A copy of the value in which the fields are treated; what shares nothing with the rules stays as it is.

        Args:
            value: JSON: an object, a list of such, or nothing.
        """
        if isinstance(value, list | tuple):
            return [self.treated(item) for item in value]
        if not isinstance(value, dict):
            return value
        return {name: self._field(name, item) for name, item in value.items()}

    def _field(self, name: str, value: Any) -> Any:
        rule = self.fields.get(name)
        if rule is None:
            return value
        return rule.treated(value) if isinstance(rule, Branch) else rule(value)


@dataclass(frozen=True, slots=True)
class FieldPolicy:
    """What is done to the fields of each kind of record.

    Attributes:
        branches: by entity.
    """

    branches: Mapping[EntityName, Branch] = field(default_factory=lambda: MappingProxyType({}))

    def covers(self, entity: EntityName) -> bool:
        """Whether records of that kind are treated. Then Xero's own JSON of them is not passed on: it has the fields too."""
        return entity in self.branches

    def treated(self, entity: EntityName, unified: dict[str, Any]) -> dict[str, Any]:
        """The record that may be passed on.

        Args:
            unified: the unified record; it is not changed.
        """
        branch = self.branches.get(entity)
        if branch is None:
            return unified
        found: dict[str, Any] = branch.treated(unified)
        return found


NO_POLICY = FieldPolicy()
"""Everything is passed on."""


def read_policy(text: str | None, key: str | None, models: Mapping[EntityName, type[BaseModel]]) -> FieldPolicy:
    """The policy, from the settings.

    Args:
        text: JSON: entity → path of a field → ``drop``, ``hash`` or ``truncate:N``.
        key: what hashes are made with.
        models: the contract of each kind of record that is read.

    Raises:
        SettingsError: an entity, a field or an action does not exist, or can't be had for that field.
    """
    if not text:
        return NO_POLICY
    try:
        document = decode(text.encode())
    except ValueError:
        raise SettingsError(f"{SETTING} is not valid JSON") from None
    if not isinstance(document, dict) or not all(isinstance(rules, dict) for rules in document.values()):
        raise SettingsError(f'{SETTING} is not like {{"contacts": {{"email": "hash"}}}}')
    known = {entity.value: entity for entity in models}
    branches: dict[EntityName, Branch] = {}
    for name, rules in document.items():
        if name not in known:
            raise SettingsError(f"{SETTING}: {name!r} is not read here; read are {', '.join(sorted(known))}")
        branches[known[name]] = _branch(name, rules, key, models[known[name]])
    return FieldPolicy(branches=MappingProxyType(branches))


def _branch(entity: str, rules: Mapping[str, Any], key: str | None, model: type[BaseModel]) -> Branch:
    tree: dict[str, Any] = {}
    for path, action in rules.items():
        try:
            act = _act(action, _leaf(path, model), key)
        except _UnfitError as error:
            raise SettingsError(f"{SETTING}: {entity}.{path}: {error}") from None
        *above, last = path.split(".")
        place = tree
        for name in above:
            place = place.setdefault(name, {})
            if not isinstance(place, dict):
                raise SettingsError(f"{SETTING}: {entity}.{path}: there is a rule for the whole of {name} already")
        if last in place:
            raise SettingsError(f"{SETTING}: {entity}.{path}: there is a rule for a part of it already")
        place[last] = act
    return _freeze(tree)


def _freeze(tree: Mapping[str, Any]) -> Branch:
    return Branch(
        MappingProxyType({name: _freeze(rule) if isinstance(rule, dict) else rule for name, rule in tree.items()})
    )


class _UnfitError(Exception):
    """A rule can't be followed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """What a field may hold."""

    nullable: bool
    many: bool
    text: bool
    free: bool
    model: type[BaseModel] | None


_ANYTHING = _Kind(nullable=True, many=False, text=True, free=True, model=None)
"""What is below Xero's own JSON, where a record carries it."""


def _leaf(path: str, model: type[BaseModel]) -> _Kind:
    """The kind of the field at the end of a path."""
    names = path.split(".")
    if names[0] in UNTOUCHABLE:
        raise _UnfitError("ids, times and statuses identify records and versions, and can't be treated")
    place: type[BaseModel] | None = model
    kind: _Kind | None = None
    for name in names:
        if kind is not None and kind.free:
            return _ANYTHING
        fields = place.model_fields if place is not None else {}
        if name not in fields:
            raise _UnfitError(f"no field {name!r}; known fields: {', '.join(sorted(fields)) or 'none'}")
        parts = list(_parts(fields[name].annotation))
        bare = not fields[name].metadata
        kind = _Kind(
            nullable=NoneType in parts,
            many=any(get_origin(part) is tuple for part in parts),
            text=bare and set(parts) <= {str, NoneType},
            free=any(get_origin(part) is dict for part in parts),
            model=next(filter(None, map(_model, parts)), None),
        )
        place = kind.model
    return kind or _ANYTHING


def _parts(annotation: Any) -> Iterator[Any]:
    """The members of a union, and those of its annotated members that are no constraint on text."""
    if get_origin(annotation) in {Union, UnionType}:
        for member in get_args(annotation):
            yield from _parts(member)
    else:
        yield annotation


def _model(part: Any) -> type[BaseModel] | None:
    inner = next(iter(get_args(part)), None) if get_origin(part) in {tuple, Annotated} else part
    return inner if isinstance(inner, type) and issubclass(inner, BaseModel) else None


def _act(action: Any, kind: _Kind, key: str | None) -> Act:
    cut = _TRUNCATE.fullmatch(action) if isinstance(action, str) else None
    if action == "drop":
        if not (kind.nullable or kind.many):
            raise _UnfitError("it always has a value, so it can't be dropped")
        return _nothing if kind.many else _null
    if action != "hash" and cut is None:
        raise _UnfitError("use drop, hash or truncate:N, with N at least 1")
    if not kind.text:
        raise _UnfitError("only free text can be hashed or truncated; drop it, or treat a field inside it")
    if cut is not None:
        most = int(cut[1])
        return lambda value: value[:most] if isinstance(value, str) else value
    if key is None or len(key) < SHORTEST_KEY:
        raise _UnfitError(f"set {SETTING}_KEY to at least {SHORTEST_KEY} random characters: hashes are made with it")
    return _Hash(key.encode())


@dataclass(frozen=True, slots=True)
class _Hash:
    """HMAC-SHA-256 in hex: the same for the same text, wherever it stands."""

    key: bytes = field(repr=False)

    def __call__(self, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return hmac.digest(self.key, value.encode("utf-8", "surrogatepass"), "sha256").hex()


def _null(_: Any) -> None:
    return None


def _nothing(_: Any) -> list[Any]:
    return []
