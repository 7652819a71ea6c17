"""The seeded source of ids and choices."""

import random
import uuid

from simulator.chance import Chance, draw_letters, draw_uuid


def test_the_same_seed_boot_and_name_give_the_same_stream() -> None:
    """Two simulators of one seed draw the same numbers."""
    first, second = Chance(seed=7).stream("ids"), Chance(seed=7).stream("ids")

    assert [first.random() for _ in range(5)] == [second.random() for _ in range(5)]


def test_another_seed_boot_or_name_gives_another_stream() -> None:
    """Streams don't depend on each other, and a reopened simulator draws no id twice."""
    streams = [
        Chance(seed=7).stream("ids"),
        Chance(seed=8).stream("ids"),
        Chance(seed=7, boot=1).stream("ids"),
        Chance(seed=7).stream("edits"),
    ]

    assert len({stream.random() for stream in streams}) == len(streams)


def test_drawn_ids_are_version_4_uuids() -> None:
    """Ids look as Xero's do."""
    source = random.Random(1)

    for _ in range(200):
        text = draw_uuid(source)
        parsed = uuid.UUID(text)
        assert (parsed.version, parsed.variant, str(parsed)) == (4, uuid.RFC_4122, text)


def test_entropy_is_capital_letters() -> None:
    """Twenty capital letters, as captured from Xero."""
    text = draw_letters(random.Random(1), 20)

    assert len(text) == 20
    assert text.isalpha()
    assert text.isupper()
