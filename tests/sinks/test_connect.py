"""Kafka Connect with Debezium's JDBC sink: rows equal the simulator's books."""

import asyncio
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.structs import TopicPartition

from tests.sinks.conftest import Database
from tests.sinks.java import command, jars
from tests.sinks.tables import compared, differences, rows
from tests.support.pages import ROOT, snippets
from tests.support.published import Published
from tests.support.servers import run_apart
from tests.support.stack import free_port
from xero_stream.contracts.names import EntityName

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(1_200)]

SHOWN_FOLDER = "/etc/xero-stream/schemas/connect"
SCHEMAS = str(ROOT / "schemas/connect")
WORKER = """bootstrap.servers={kafka}
listeners=http://127.0.0.1:{port}
offset.storage.file.filename={folder}/offsets
offset.flush.interval.ms=500
key.converter=org.apache.kafka.connect.json.JsonConverter
value.converter=org.apache.kafka.connect.json.JsonConverter
"""


READ = (EntityName.INVOICES, EntityName.CONTACTS, EntityName.CREDIT_NOTES)


def test_rows_equal_the_books(published: Published, database: Database, tmp_path: Path) -> None:
    """From both kinds of topics every row arrives with every digit, and none is left that was deleted."""
    page = snippets("docs/sinks.md")
    worker = WORKER.format(kafka=published.bootstrap_servers, port=free_port(), folder=tmp_path)
    (tmp_path / "worker.properties").write_text(worker + page["connect-worker"].replace(SHOWN_FOLDER, SCHEMAS) + "\n")
    changes = _properties(page["connect-records"]) | _properties(page["connect-changes"])
    files = [_connector(tmp_path, database, entity, _properties(page["connect-records"]), "records") for entity in READ]
    files += [_connector(tmp_path, database, entity, changes, "changes") for entity in READ]
    argv = command(
        jars("connect"),
        "org.apache.kafka.connect.cli.ConnectStandalone",
        str(tmp_path / "worker.properties"),
        *map(str, files),
    )
    log = tmp_path / "log"
    with log.open("wb") as file:
        program = subprocess.Popen(argv, cwd=tmp_path, stdout=file, stderr=file)

    def failed() -> str | None:
        text = log.read_text(errors="replace")
        at = text.find("Task is being killed")
        if at < 0:
            return text[-8000:] if program.poll() is not None else None
        return text[max(0, at - 4000) : at + 6000]

    try:
        for entity in READ:
            run_apart(_all_written(published, published.topics.records(entity), failed))
            run_apart(_all_written(published, published.topics.changes(entity), failed))
    finally:
        program.send_signal(signal.SIGTERM)
        program.wait(60)

    for entity in READ:
        for kind, columns in (("records", 15), ("changes", 12)):
            found = rows(database.url, f"{entity}_{kind}")
            assert len(compared(found, published, entity)) > columns
            assert differences(found, published, entity) == [], kind
    assert "contact_id" in next(iter(rows(database.url, "invoices_records").values()))


def _properties(text: str) -> dict[str, str]:
    pairs = (line.partition("=") for line in text.splitlines() if line)
    return {name: value for name, _, value in pairs}


def _connector(folder: Path, database: Database, entity: EntityName, shown: dict[str, str], kind: str) -> Path:
    """The shown connector for an entity, with a table and a group of its own."""
    ours = {
        name: value.replace(SHOWN_FOLDER, SCHEMAS).replace("invoices", entity.value) for name, value in shown.items()
    }
    ours |= {
        "name": f"{kind}-{entity}",
        "collection.name.format": f"{entity}_{kind}",
        "connection.url": database.jdbc,
        "connection.username": database.user,
        "connection.password": database.password,
    }
    path = folder / f"{kind}-{entity}.properties"
    path.write_text("".join(f"{name}={value}\n" for name, value in ours.items() if value))
    return path


async def _all_written(published: Published, topic: str, failed: Callable[[], str | None]) -> None:
    """Wait until the topic's connector has committed the offset after the last message of each partition."""
    _, kind, entity = topic.split(".")
    last: dict[TopicPartition, int] = {}
    spots = [change.spot for change in published.changes] + [record.spot for record in published.records]
    for spot in spots:
        if spot.topic == topic:
            place = TopicPartition(topic, spot.partition)
            last[place] = max(last.get(place, 0), spot.offset + 1)
    admin = AIOKafkaAdminClient(bootstrap_servers=published.bootstrap_servers)
    await admin.start()
    try:
        async with asyncio.timeout(300):
            while True:
                committed = await admin.list_consumer_group_offsets(f"connect-{kind}-{entity}")
                if all(place in committed and committed[place].offset >= end for place, end in last.items()):
                    return
                why = failed()
                assert why is None, why
                await asyncio.sleep(0.5)
    finally:
        await admin.close()
