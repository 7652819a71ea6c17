"""Each documented program reads every change and every tombstone."""

from pathlib import Path

import pytest

from tests.consumers.packages import NODE, PYTHON, node_modules, python_with, running
from tests.support.pages import adapted, snippets
from tests.support.published import Published

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(900)]

PAGE = "docs/consuming.md"


@pytest.mark.parametrize("client", ["aiokafka", "confluent-kafka", "kafka-python", "faststream"])
def test_python_clients(published: Published, tmp_path: Path, client: str) -> None:
    """In an environment with that client alone."""
    program = tmp_path / "program.py"
    program.write_text(_shown(client, published))
    python = python_with(PYTHON[client], tmp_path / "venv")

    _assert_reads_all([python, str(program)], tmp_path, published)


def test_kafkajs(published: Published, tmp_path: Path) -> None:
    """With KafkaJS and a parser that keeps every digit."""
    folder = node_modules(NODE, tmp_path / "node")
    (folder / "program.js").write_text(_shown("kafkajs", published))

    _assert_reads_all(["node", "program.js"], folder, published)


def test_numbers_in_javascript(tmp_path: Path) -> None:
    """The two lines keep digits that ``JSON.parse`` rounds."""
    folder = node_modules({"lossless-json": NODE["lossless-json"]}, tmp_path / "node")
    exact = "90071992547409931.0123"
    message = f'const message = {{ value: Buffer.from(\'{{"after":{{"total":{exact}}}}}\') }}\n'
    ours = snippets(PAGE)["lossless-json"]
    said = "\nconsole.log(String(change.after.total))\nconsole.log(String(JSON.parse(message.value).after.total))\n"
    (folder / "program.js").write_text(message + ours + said)

    with running(["node", "program.js"], folder) as lines:
        assert next(lines).strip() == exact
        assert next(lines).strip() != exact


def _shown(name: str, published: Published) -> str:
    return adapted(snippets(PAGE)[name], published, group=f"group-of-{name}")


def _assert_reads_all(argv: list[str], folder: Path, published: Published) -> None:
    """It prints a line per message: every change with its op, every tombstone, every latest record."""
    wanted = {tuple(change.spot): (change.ref.record_id, change.event["op"]) for change in published.changes}
    for record in published.records:
        what = "deleted" if record.value is None else "latest"
        wanted[tuple(record.spot)] = (record.ref.record_id, what)
    assert {"c", "u", "d", "r", "latest", "deleted"} == {what for _, what in wanted.values()}
    found: dict[tuple[str, int, int], tuple[str, str]] = {}

    with running(argv, folder) as lines:
        while len(found) < len(wanted):
            words = next(lines).split()
            if len(words) != 5 or not words[0].startswith("xero."):
                continue  # a client's own log
            topic, partition, offset, record_id, what = words
            found[(topic, int(partition), int(offset))] = (record_id, what)

    assert found == wanted
