"""Writing, checking and releasing the published schemas."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from xero_stream.contracts.asyncapi import to_yaml
from xero_stream.contracts.names import STREAMED
from xero_stream.contracts.schemas import CONNECT, RECORDS, check, documents, main
from xero_stream.contracts.topics import Topics

REPOSITORY = Path(__file__).parents[4]


def read_yaml(text: str) -> Any:
    """What a YAML parser reads: the fast one, for a file of thousands of lines."""
    return yaml.load(text, yaml.CSafeLoader)


def test_the_committed_schemas_are_current() -> None:
    """What is in the repository is what the contracts say."""
    assert check(REPOSITORY / "schemas") == []


def test_what_is_written_passes_the_check(tmp_path: Path) -> None:
    """--write then --check agree, and leave with 0."""
    assert main(["--write", str(tmp_path)]) == 0
    assert main(["--check", str(tmp_path)]) == 0


def test_a_stale_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--check leaves with 1 and names each file that is stale, missing or left over."""
    main(["--write", str(tmp_path)])
    (tmp_path / "invoice.1.json").write_text("{}")
    (tmp_path / "asyncapi.yaml").unlink()
    (tmp_path / "banana.1.json").write_text("{}")

    assert main(["--check", str(tmp_path)]) == 1

    told = capsys.readouterr().err
    assert "invoice.1.json: stale" in told
    assert "asyncapi.yaml: stale" in told
    assert "banana.1.json: no longer generated" in told
    assert "contact.1.json" not in told


def test_writing_removes_what_is_left_over(tmp_path: Path) -> None:
    """A schema that is no longer generated goes; other files stay."""
    (tmp_path / "banana.1.json").write_text("{}")
    (tmp_path / "README.md").write_text("hello")

    main(["--write", str(tmp_path)])

    assert not (tmp_path / "banana.1.json").exists()
    assert (tmp_path / "README.md").exists()


def test_a_break_within_a_released_version_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Once released, a version must stay readable: a field that is gone since then fails the check."""
    main(["--write", str(tmp_path)])
    main(["--release", str(tmp_path)])
    released = tmp_path / "released" / "invoice.1.json"
    schema = json.loads(released.read_text())
    schema["properties"]["colour"] = {"type": "string"}
    released.write_text(json.dumps(schema))

    assert main(["--check", str(tmp_path)]) == 1

    assert "invoice.1.json: colour: removed; this needs a new version" in capsys.readouterr().err


def test_every_schema_is_a_schema() -> None:
    """Each file is valid JSON Schema of the dialect it names, with an id that says name and version."""
    checked: set[str] = set()
    for name, text in documents().items():
        if name.endswith(".json") and not name.startswith(CONNECT):
            schema = json.loads(text)
            for part in (*schema.pop("$defs", {}).values(), schema):
                if (told := json.dumps(part)) not in checked:  # most files share their parts
                    Draft202012Validator.check_schema(part)
                    checked.add(told)
            stem, version = name.removesuffix(".json").rsplit(".", 1)
            assert schema["$id"] == f"urn:xero-stream:schema:{stem}:{version}"


def test_amounts_are_numbers() -> None:
    """Consumers get JSON numbers for money, and generators learn that they are decimal."""
    schema = json.loads(documents()["invoice.1.json"])

    paid, total = schema["properties"]["amount_paid"], schema["properties"]["total"]
    assert (paid["type"], paid["format"]) == ("number", "decimal")
    assert (total["type"], total["format"]) == (["number", "null"], "decimal")


def test_readers_may_meet_fields_they_do_not_know() -> None:
    """No schema forbids further fields, so adding one breaks nobody."""
    assert '"additionalProperties": false' not in "".join(documents().values())


def test_every_field_of_a_record_is_described() -> None:
    """Each property, nested ones too, carries a description."""
    for model in RECORDS.values():
        schema = model.model_json_schema(mode="serialization")
        for holder in (schema, *schema.get("$defs", {}).values()):
            for name, field in holder.get("properties", {}).items():
                assert field.get("description"), f"{holder['title']}.{name}"


def _references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [found for value in node.values() for found in _references(value)]
    return [found for value in node for found in _references(value)] if isinstance(node, list) else []


def test_the_asyncapi_document_hangs_together() -> None:
    """Every reference leads somewhere; the topics of the enabled entities have channels, no others."""
    files = documents()
    document = read_yaml(files["asyncapi.yaml"])
    topics = Topics()

    for reference in _references(document):
        if reference.startswith("#/"):
            node = document
            for step in reference[2:].split("/"):
                node = node[step]
        else:
            assert reference in files

    assert document["asyncapi"] == "3.1.0"
    addresses = {channel["address"] for channel in document["channels"].values()}
    entity_topics = {name(entity) for entity in STREAMED for name in (topics.changes, topics.records)}
    assert addresses == {topics.webhook_events, topics.dead_letters, *entity_topics}


def test_the_examples_follow_their_schemas() -> None:
    """Every message with a JSON value has an example, which its schemas of headers and value accept."""
    files = documents()
    for name, message in read_yaml(files["asyncapi.yaml"])["components"]["messages"].items():
        if name == "DeadLetter":
            continue
        (example,) = message["examples"]
        Draft202012Validator(message["headers"]).validate(example["headers"])
        schema = json.loads(files[message["payload"]["$ref"]])
        Draft202012Validator(schema).validate(example["payload"])
        assert example["payload"].get("source", {}).get("entity", "") in {*STREAMED, ""}


def test_asyncapi_of_other_entities(tmp_path: Path) -> None:
    """--entities decides what AsyncAPI describes."""
    assert main(["--write", str(tmp_path), "--entities", "quotes, users"]) == 0

    channels = read_yaml((tmp_path / "asyncapi.yaml").read_text())["channels"]
    assert set(channels) == {
        "webhookEvents",
        "deadLetters",
        "changesQuotes",
        "recordsQuotes",
        "changesUsers",
        "recordsUsers",
    }


@pytest.mark.parametrize(
    "value", [{"a": [], "b": {}, "c-d": [1, {"e": None}], "f": ["x: y", "- z"], "g": {"h": [[1, 2]]}, "$i": True}]
)
def test_the_yaml_says_what_it_should(value: Any) -> None:
    """What is written is read back equal by a YAML parser."""
    assert read_yaml(to_yaml(value)) == value
