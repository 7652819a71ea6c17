"""The last screen."""

import ast

from cli.demo.ending import CONSUMER, final_screen
from cli.demo.tally import Picture
from cli.demo.verdict import Broken, judge
from tests.support.histories import good_log

PICTURE = Picture(running=30.0, p50=0.084, p99=0.312, events=412, calls=61)


def screen(left: list[str] | None = None) -> list[str]:
    """The screen of a good run, or of one that left something undone."""
    verdict = judge(good_log().history(), Broken(kills=3), left or [])
    return final_screen(
        verdict,
        PICTURE,
        bootstrap_servers="127.0.0.1:19092",
        topic="xero.changes.invoices",
        password_file="/data/kafka.password",
        data_dir="/data",
    )


def test_it_is_one_screen() -> None:
    """24 lines; only the honest line may be wider than 80 columns."""
    lines = screen()
    assert len(lines) <= 24
    assert max(map(len, lines[1:])) <= 80


def test_it_begins_with_the_truth() -> None:
    """What was broken, what was lost, what is equal; then the ratio and the times."""
    lines = screen()
    assert lines[0].startswith("3 kills · 3 webhooks acknowledged, 3 in the log · gaps 0 · duplicates 0")
    assert lines[1] == "412 events → 61 calls · webhook → change p50 84 ms, p99 312 ms"


def test_the_consumer_is_eleven_lines_of_python() -> None:
    """It can be pasted as it stands, and reads committed changes only."""
    text = CONSUMER.format(
        topic="xero.changes.invoices", servers="127.0.0.1:19092", user="xero_stream", file="/data/kafka.password"
    )
    ast.parse(text)
    assert len(text.splitlines()) == 11
    assert "read_committed" in text
    assert text in "\n".join(screen())


def test_a_disagreement_is_all_there_is_to_read() -> None:
    """The differences and where the logs are; nothing is sold after a failure."""
    lines = screen(["3 records to read"])
    assert "✗ not done in time: 3 records to read" in lines
    assert lines[-1] == "Logs and data: /data"
    assert not any("import" in line for line in lines)
