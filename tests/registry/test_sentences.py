"""What README, docs, help texts and settings say about what is announced and streamed, against the registry."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from receiver.parse import Category
from xero_api.registry import ENTITIES, by_name
from xero_stream.contracts.names import STREAMED, EntityName

ROOT = Path(__file__).parents[2]
ANNOUNCED = [entity.name for entity in ENTITIES if entity.webhook]
WORDS = [name.value.replace("-", " ") for name in STREAMED]
"""As people write them."""


def text_of(name: str) -> str:
    """A file with its lines joined: a sentence may break anywhere."""
    return " ".join((ROOT / name).read_text(encoding="utf-8").split())


def listed(words: list[str]) -> str:
    """``a, b and c``."""
    return f"{', '.join(words[:-1])} and {words[-1]}"


SENTENCES = {
    "README.md: what is streamed": (
        "README.md",
        "Streamed are the records that Xero announces by webhook: "
        + listed([f"{word} (bills included)" if word == "invoices" else word for word in WORDS])
        + ".",
    ),
    "README.md: what to choose in the portal": (
        "README.md",
        f"choose {listed([word.capitalize() for word in WORDS])} with the URL",
    ),
    "docs/consuming.md: the topics": (
        "docs/consuming.md",
        f"`<entity>` is one of {listed([f'`{name}`' for name in STREAMED])}, or those that `XERO_STREAM_ENTITIES` enables",
    ),
    ".env.example: the default": (".env.example", f"# XERO_STREAM_ENTITIES={','.join(STREAMED)}"),
    "docs/configuration.md: the default": (
        "docs/configuration.md",
        f"| `XERO_STREAM_ENTITIES` | `{','.join(STREAMED)}` |",
    ),
}
"""Sentences that name every streamed entity, as the registry makes them."""


def test_what_is_streamed_is_what_xero_announces() -> None:
    """The sentences below name one set; it is this one."""
    assert set(STREAMED) == set(ANNOUNCED)


@pytest.mark.parametrize(("file", "sentence"), SENTENCES.values(), ids=SENTENCES)
def test_the_sentence_is_what_the_registry_makes_of_it(file: str, sentence: str) -> None:
    """An entity more or less in the registry, and the sentence is wrong."""
    assert sentence in text_of(file)


def test_what_readme_says_is_missing_is_not_announced() -> None:
    """Its examples of entities without webhooks are entities, and have none."""
    found = re.search(r"Entities that Xero does not announce \(([^)…]+) …\) are not streamed yet", text_of("README.md"))

    assert found, "README.md no longer says which entities are not streamed"
    examples = [EntityName(word.strip().replace(" ", "-")) for word in found[1].split(",")]
    assert examples
    assert not [name for name in examples if by_name(name).webhook]


def test_the_receiver_counts_every_category_by_its_name() -> None:
    """Its metric has a word for each category of the registry, and one for what is not about an organisation."""
    known = {str(by_name(name).webhook).lower() for name in ANNOUNCED}

    assert {category.value for category in Category} == known | {"subscription", "other"}


PROSE = (  # the pages left out are made from code, and about every entity
    ROOT / "README.md",
    *(
        path
        for path in sorted(ROOT.glob("docs/*.md"))
        if path.name not in {"entities.md", "mapping.md", "metrics.md", "records.md"}
    ),
    *(
        path
        for folder in ("cli", "processors", "receiver", "xero_stream/settings")
        for path in (ROOT / folder).rglob("*.py")
    ),
    ROOT / "docker-compose.yml",
    ROOT / ".env.example",
)
_ANY = "|".join(rf"{name.value[:-1]}s?".replace("-", "[- ]") for name in EntityName)
_ITEM = rf"[`*]*(?:[a-z]+\.changes\.)?(?:{_ANY})[`*]*(?: \([^)]*\))?"
_LIST = re.compile(rf"{_ITEM}(?:(?:,| and| or|,? and| und)\s*{_ITEM}){{2,}}", re.IGNORECASE)
_ABOUT_SOMETHING_ELSE = "credit notes, prepayments and overpayments"
"""What has allocations."""


def lists(text: str) -> Iterator[str]:
    """The parts of a text that list three entities or more."""
    yield from (found[0] for found in _LIST.finditer(" ".join(text.split())))


def streamed_in(text: str) -> set[str]:
    """The streamed entities that a list names."""
    plain = text.lower().replace("-", " ")
    return {word for word in WORDS if re.search(rf"(?<!batch ){word[:-1]}s?\b", plain)}


def test_a_list_is_recognised() -> None:
    """However it is written."""
    sentence = "Topics: `xero.changes.invoices`, `xero.changes.contacts`, `xero.changes.credit-notes` (change events)"
    (found,) = lists(sentence)

    assert streamed_in(found) == {"invoices", "contacts", "credit notes"}
    assert [*lists("All of it: invoices and bills, contacts, credit notes, prepayments, overpayments.")]
    assert not [*lists("Contacts are merged; invoices move, and credit notes too.")]


def test_no_other_text_lists_some_of_what_is_streamed() -> None:
    """A list that names three of them names all, or is known to be about something else."""
    partial = [
        f"{path.relative_to(ROOT)}: {found}"
        for path in PROSE
        for found in lists(path.read_text(encoding="utf-8"))
        if 3 <= len(streamed_in(found)) < len(WORDS) and found != _ABOUT_SOMETHING_ELSE
    ]

    assert partial == []
