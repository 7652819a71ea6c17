"""The page that sets our names beside others' can't name what we don't have."""

import re
from pathlib import Path

from xero_stream.contracts.records.common import LineItem, Part
from xero_stream.contracts.schemas import RECORDS

PAGE = Path(__file__).parents[2] / "docs" / "mapping.md"
MODELS: list[type[Part]] = [*RECORDS.values(), LineItem]


def test_every_field_named_exists() -> None:
    """Each section is one of our models, and the first column of its table names its fields."""
    _, *sections = re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    named = {section.split("\n", 1)[0]: set(re.findall(r"`(\w+)`", _first_column(section))) for section in sections}

    fields_of = {model.__name__: model.model_fields.keys() for model in MODELS}

    assert named
    for model, fields in named.items():
        assert fields, model
        assert fields <= fields_of[model], model


def _first_column(section: str) -> str:
    return " ".join(line.split("|")[1] for line in section.splitlines() if line.startswith("|"))
