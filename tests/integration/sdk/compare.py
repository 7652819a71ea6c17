"""Whether a model of the SDK says what Xero's JSON says, field by field."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from enum import Enum
from typing import Any

NOT_IN_SDK = frozenset(
    {
        "Attachments",
        "CreatedDateUTC",  # of accounts: newer than the SDK
        "CreatedDateUTCString",
        "DateString",
        "DeliveryDateString",
        "DueDateString",
        "HasErrors",
        "HasValidationErrors",
        "ID",
        "IsActive",
        "IsArchived",
        "IsDeleted",
        "IsDiscounted",
        "Status",
        "Type",
        "ValidationErrors",
    }
)
"""Fields of Xero's own examples that some of the SDK's models drop; where a model has the field, it is compared."""

MADE_UP = frozenset({"HasAccount", "HasAttachments", "HasValidationErrors"})
"""Fields that the SDK's models say are false where Xero says nothing."""

_PRICES = frozenset({"UnitAmount", "UnitPrice"})
_WRAPPED = re.compile(r"/Date\((-?\d+)(?:[+-]\d{4})?\)/")


@dataclass(slots=True, kw_only=True)
class Compare:
    """How to compare.

    Attributes:
        summaries: objects within the record may lack fields, as in Xero's lists; what they have must be right.
        sparse: any object may lack fields, at any depth, as what is sent does.
        cents: prices were asked for without ``unitdp=4``.
        dropped: fields met that a model of the SDK has no place for.
    """

    summaries: bool = False
    sparse: bool = False
    cents: bool = False
    dropped: set[str] = field(default_factory=set)

    def differences(self, model: Any, raw: Any, path: str = "") -> Iterator[str]:
        """What differs, each with its place; nothing if the model says the same.

        Args:
            model: the SDK's, or a value in it.
            raw: Xero's JSON, or a value in it; numbers as Decimal or as float.
            path: where we are.
        """
        if hasattr(model, "attribute_map") and isinstance(raw, Mapping):
            yield from self._of_models(model, raw, path)
        elif isinstance(model, list) and isinstance(raw, list):
            if len(model) != len(raw):
                yield f"{path}: {len(model)} elements, in truth {len(raw)}"
            for one, other in zip(model, raw, strict=False):
                yield from self.differences(one, other, f"{path}[]")
        elif not _same(model, raw):
            yield f"{path}: {model!r}, in truth {raw!r}"

    def _of_models(self, model: Any, raw: Mapping[str, Any], path: str) -> Iterator[str]:
        named = {key: getattr(model, name) for name, key in model.attribute_map.items()}
        unknown = raw.keys() - named.keys()
        self.dropped |= unknown & NOT_IN_SDK
        for key in sorted(unknown - NOT_IN_SDK):
            yield f"{path}.{key}: the SDK has no such field"
        may_lack = self.sparse or (self.summaries and path != "" and not path.endswith("[]"))
        for key, value in named.items():
            if may_lack and (value is None or value is False or value == []):
                continue
            if key in raw:
                exact = raw[key]
                yield from self.differences(
                    value, _rounded(exact) if self.cents and key in _PRICES else exact, f"{path}.{key}"
                )
            elif value is not None and not (value is False and key in MADE_UP):
                yield f"{path}.{key}: {value!r}, not in truth"


def _rounded(price: Any) -> Decimal:
    return Decimal(str(price)).quantize(Decimal("0.01"), ROUND_HALF_UP)


def _same(value: Any, raw: Any) -> bool:
    match value:
        case Enum():
            return bool(value.value == raw)
        case bool() | None:
            return value is raw
        case datetime():
            return (value.replace(tzinfo=UTC) if value.tzinfo is None else value) == _moment(raw)
        case date():
            found = _moment(raw)
            return found is not None and found.date() == value
        case int() | float() | Decimal():
            number = isinstance(raw, int | float | Decimal) and not isinstance(raw, bool)
            return number and Decimal(str(value)) == Decimal(str(raw))
        case _:
            return bool(value == raw)


def _moment(raw: Any) -> datetime | None:
    wrapped = _WRAPPED.fullmatch(raw) if isinstance(raw, str) else None
    if wrapped:
        return datetime.fromtimestamp(int(wrapped[1]) / 1000, UTC)
    try:
        found = datetime.fromisoformat(raw)
    except (TypeError, ValueError):
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found
