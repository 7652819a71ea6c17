"""The reference of the unified records in ``docs/records.md``: tables made from the models.

``python -m xero_stream.contracts.reference docs/records.md`` writes them between the markers.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from xero_stream.contracts.schemas import RECORDS

BEGIN = "<!-- made by xero_stream.contracts.reference: begin -->"
END = "<!-- made by xero_stream.contracts.reference: end -->"


def reference() -> str:
    """The tables, as Markdown."""
    shown: set[str] = set()
    lines: list[str] = []
    for model in RECORDS.values():
        schema = model.model_json_schema(mode="serialization")
        parts = schema.get("$defs", {})
        lines += _table(f"{model.__name__}, version {model.version}", schema, parts, "##")
        for name, part in parts.items():
            if part["type"] == "object" and name not in shown:
                shown.add(name)
                lines += _table(name, part, parts, "###")
    return "\n".join(lines)


def renewed(page: str) -> str:
    """The page with current tables.

    Args:
        page: the page, with both markers.

    Raises:
        ValueError: a marker is missing.
    """
    return between(page, BEGIN, END, reference())


def between(page: str, begin: str, end: str, tables: str) -> str:
    """The page with these tables between its markers.

    Args:
        begin: the marker before them.
        end: the marker after them.
        tables: Markdown.

    Raises:
        ValueError: a marker is missing.
    """
    before, _, rest = page.partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise ValueError("the page lacks its markers")
    return f"{before}{begin}\n\n{tables}\n{end}{after}"


def _table(title: str, schema: dict[str, Any], parts: dict[str, Any], level: str) -> Iterator[str]:
    yield f"{level} {title}"
    yield ""
    yield _markdown(schema["description"].splitlines()[0])
    yield ""
    yield "| field | type | meaning |"
    yield "| --- | --- | --- |"
    for name, field in schema["properties"].items():
        yield f"| `{name}` | {_type(field, parts)} | {_markdown(field['description'])} |"
    yield ""


def _type(field: dict[str, Any], parts: dict[str, Any]) -> str:
    if "anyOf" in field:
        kinds = [_type(branch, parts) for branch in field["anyOf"]]
        open_words = any(kind.startswith("`") for kind in kinds)  # a known word, or any other: the words say it all
        return " or ".join(kind for kind in kinds if not (open_words and kind == "string"))
    if "$ref" in field:
        name = field["$ref"].rsplit("/", 1)[-1]
        part = parts[name]
        return ", ".join(f"`{word}`" for word in part["enum"]) if "enum" in part else f"[{name}](#{name.lower()})"
    if field["type"] == "array":
        return f"list of {_type(field['items'], parts)}"
    formats = {"date": "date", "date-time": "moment"}
    return formats.get(field.get("format", ""), str(field["type"]))


def _markdown(docstring: str) -> str:
    return " ".join(docstring.split()).replace("``", "`")


def main(arguments: list[str]) -> int:
    """Renew the page named.

    Args:
        arguments: the page's path.
    """
    page = Path(arguments[0])
    page.write_text(renewed(page.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
