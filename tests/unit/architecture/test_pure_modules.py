"""Pure modules are found by their own mark."""

import grimp
import pytest

from tests.support.import_contracts import chains, docstring_on_disk, mark_of, pure_modules

ROOTS = ("cli", "console", "processors", "receiver", "simulator", "verify", "xero_api", "xero_stream")
FORBIDDEN = {"asyncio", "asyncpg", "random", "time"}


@pytest.mark.parametrize(
    ("docstring", "marked"),
    [
        ("Which call comes next. Pure.", True),
        ("Pure: a state machine.", True),
        ("When to try again. Pure; ``now`` is an argument.", True),
        ("Two lines.\n\nPure and total.", True),
        ("The sense is in pure modules.", False),
        ("Purely a shell.", False),
        ("", False),
    ],
)
def test_a_mark_is_a_sentence_that_begins_with_the_word(docstring: str, *, marked: bool) -> None:
    """A shell that only speaks of pure modules is none."""
    assert (mark_of(docstring) is not None) is marked


def test_a_package_marks_what_lies_in_it() -> None:
    """A new module of a pure package is checked without a mark of its own."""
    said = {"a": "Pure.", "a.b": "Something.", "c": "Something."}

    assert pure_modules(set(said), said.__getitem__).keys() == {"a", "a.b"}


def test_an_indirect_import_is_found_and_a_random_source_may_be_an_argument() -> None:
    """What a pure module reaches through another one counts; only randomness can be passed in as an object of its module."""
    graph = grimp.ImportGraph()
    for importer, imported in (("a", "b"), ("b", "asyncio"), ("c", "random"), ("d", "random")):
        graph.add_import(importer=importer, imported=imported)

    found = chains(graph, {"a": "Pure", "c": "Pure; the random source is an argument", "d": "Pure"}, FORBIDDEN)

    assert found == [("a", "b", "asyncio"), ("d", "random")]


def test_the_marks_of_the_code_base_are_found() -> None:
    """The contract that `make lint` checks covers what decides, in every package."""
    modules = set(grimp.build_graph(*ROOTS).modules)

    pure = pure_modules(modules, docstring_on_disk)

    assert {
        "processors.recorder.decide",
        "receiver.signature",
        "simulator.books.ledger",
        "verify.promises",
        "xero_api.registry",
        "xero_api.errors",
        "xero_stream.kafka.partition_queue",
    } <= pure.keys()
    assert len(pure) > 150
