"""A table has one owner: every statement that writes it is in ``xero_stream/store/<table>.py``."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PACKAGES = ("cli", "processors", "receiver", "verify", "xero_api", "xero_stream")
STORE = Path("xero_stream") / "store"
MIGRATIONS = STORE / "migrations"

_WRITES = re.compile(
    r"(?:INSERT\s+INTO|(?<!FOR\s)(?<!DO\s)(?<!NO KEY\s)\bUPDATE(?:\s+ONLY)?|DELETE\s+FROM(?:\s+ONLY)?|MERGE\s+INTO|TRUNCATE(?:\s+TABLE)?|COPY)"
    r"\s+(?P<table>[A-Za-z_{\"][\w.\"]*)"
)
_CREATED = re.compile(r"CREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?(\w+)(?!\w|\s+PARTITION\s+OF)", re.IGNORECASE)


def texts(source: str) -> Iterator[str]:
    """The strings of a module, f-strings with ``{`` where a value goes; no docstrings."""
    tree = ast.parse(source)
    described = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(
                part.value if isinstance(part, ast.Constant) and isinstance(part.value, str) else "{"
                for part in node.values
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in described | inside:
            yield node.value


def written(source: str) -> set[str]:
    """The tables that a module's statements write; ``{`` for one that only running it would tell."""
    return {match["table"] for text in texts(source) for match in _WRITES.finditer(text)} - {"SET", "OF"}


def tables() -> set[str]:
    """Every table that the migrations make."""
    found = {name for path in (ROOT / MIGRATIONS).rglob("*.sql") for name in _CREATED.findall(path.read_text("utf-8"))}
    assert len(found) > 15
    return found


def modules() -> dict[Path, set[str]]:
    """What each module writes, those of the migrations left out."""
    return {
        path.relative_to(ROOT): written(path.read_text("utf-8"))
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
        if not path.relative_to(ROOT).is_relative_to(MIGRATIONS)
    }


@pytest.mark.parametrize(
    ("source", "tables"),
    [
        ('sql = "INSERT INTO dirty (a) VALUES (1) ON CONFLICT DO UPDATE SET a = 2"', {"dirty"}),
        ('sql = "UPDATE passes SET a = 1 " "WHERE b"', {"passes"}),
        ('sql = "SELECT 1 FROM leases FOR UPDATE OF leases SKIP LOCKED"', set()),
        ('sql = f"WITH x AS (DELETE FROM {table} RETURNING 1) UPDATE calls c SET a = 1"', {"{", "calls"}),
        ('def f():\n    """UPDATE dirty by hand."""', set()),
    ],
)
def test_what_a_module_writes_is_read_from_its_statements(source: str, tables: set[str]) -> None:
    """Also inside of other statements, and where the table is only known when it runs."""
    assert written(source) == tables


def test_every_statement_that_writes_a_table_is_in_its_module() -> None:
    """Whoever changes a table finds all that writes it in one file."""
    known = tables()

    strays = [
        f"{path} writes {table}"
        for path, found in modules().items()
        for table in found
        if path != STORE / f"{table}.py" and (table in known or not table.isidentifier())
    ]

    assert strays == []


def test_every_table_has_an_owner() -> None:
    """A table that nothing writes is dead; one that is written under another name is not checked."""
    found = {table for written_by in modules().values() for table in written_by}

    assert tables() - found - {"alembic_version"} == set()


def test_queries_only_read() -> None:
    """Joins are shared by features; a statement that writes belongs to a table."""
    assert {path: found for path, found in modules().items() if path.parent == STORE / "queries" and found} == {}
