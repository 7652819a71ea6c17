"""Flink SQL reads both kinds of topics: rows equal the simulator's books."""

from pathlib import Path

import pytest

from tests.sinks.conftest import Database
from tests.sinks.java import jars, run, source_command
from tests.sinks.tables import compared, differences, execute, rows
from tests.support.pages import snippets
from tests.support.published import Published
from xero_stream.contracts.names import EntityName

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(1_200)]

SHOWN = "127.0.0.1:9092"
"""Kafka's address on the page."""
COLUMNS = (
    "tenant_id text, id text, number text, status text, contact_id text, contact_name text, issue_date text, currency text, "
    "exchange_rate numeric, sub_total numeric, total_tax numeric, total numeric, amount_due numeric, "
    "sent_to_contact boolean, updated_at text, PRIMARY KEY (tenant_id, id)"
)
SINK = """CREATE TABLE sink_{table} (
  tenant_id STRING, id STRING, number STRING, status STRING, contact_id STRING, contact_name STRING, issue_date STRING,
  currency STRING, exchange_rate DECIMAL(38, 10), sub_total DECIMAL(38, 10), total_tax DECIMAL(38, 10),
  total DECIMAL(38, 10), amount_due DECIMAL(38, 10), sent_to_contact BOOLEAN, updated_at STRING,
  PRIMARY KEY (tenant_id, id) NOT ENFORCED
) WITH ('connector' = 'jdbc', 'url' = '{jdbc}', 'username' = '{user}', 'password' = '{password}', 'table-name' = '{table}');
"""
FIELDS = (
    "number", "status", "contact.id", "contact.name", "issue_date", "currency", "exchange_rate", "sub_total", "total_tax",
    "total", "amount_due", "sent_to_contact", "updated_at",
)  # fmt: skip
SOURCE = Path(__file__).with_name("RunSql.java")


def _insert(table: str, source: str, prefix: str) -> str:
    selected = ", ".join(".".join(f"`{step}`" for step in (prefix + field).split(".")) for field in FIELDS)
    return f"INSERT INTO sink_{table} SELECT tenant_id, id, {selected} FROM {source};\n"


@pytest.mark.parametrize(
    ("snippet", "source", "prefix"),
    [("flink-changes", "invoice_changes", ""), ("flink-records", "invoice_records", "record.")],
)
def test_rows_equal_the_books(
    published: Published, database: Database, tmp_path: Path, snippet: str, source: str, prefix: str
) -> None:
    """Every row is there with every digit, none is left that was deleted."""
    table = source
    execute(database.url, f"CREATE TABLE {table} ({COLUMNS})")
    declared = snippets("docs/sinks.md")[snippet].replace(SHOWN, published.bootstrap_servers)
    declared = declared.replace("\n);", ",\n  'scan.bounded.mode' = 'latest-offset'\n);")
    sink = SINK.format(table=table, jdbc=database.jdbc, user=database.user, password=database.password)
    script = tmp_path / "script.sql"
    script.write_text(f"{declared}\n{sink}{_insert(table, source, prefix)}", encoding="utf-8")

    said = run(source_command(jars("flink"), SOURCE, str(script)), folder=tmp_path, seconds=600)

    assert "all statements are done" in said
    found = rows(database.url, table)
    assert len(compared(found, published, EntityName.INVOICES)) >= len(FIELDS)
    assert differences(found, published, EntityName.INVOICES) == []
