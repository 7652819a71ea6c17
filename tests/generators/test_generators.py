"""Four generators turn the published schemas into types that compile, with good names."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.consumers.packages import node_modules, python_with
from tests.support.pages import ROOT
from xero_stream.contracts.names import STREAMED
from xero_stream.contracts.schemas import RECORDS

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(1_200)]

SCHEMAS = ROOT / "schemas"
DATAMODEL = ("datamodel-code-generator==0.89.0", "pydantic==2.13.4")
NODE = {"json-schema-to-typescript": "16.0.0", "quicktype": "26.0.0", "typescript": "5.9.3"}
GO_JSONSCHEMA = "github.com/atombender/go-jsonschema@v0.24.1"
QUIET = ("--moduleResolution", "node", "--skipLibCheck")
"""So that the compiler looks at our types alone, not at those of packages that the generators brought along."""
NAMES = [f"{entity.singular}-change.1.json" for entity in STREAMED]
MODELS = [RECORDS[entity].__name__ for entity in STREAMED]


def run(*argv: str, folder: Path) -> str:
    """Run a program to its end; what it printed."""
    done = subprocess.run(argv, cwd=folder, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, f"{argv}: {done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def test_datamodel_code_generator(tmp_path: Path) -> None:
    """Python: amounts are Decimal, words are enums or any other word, the names are the contract's."""
    python = python_with(DATAMODEL, tmp_path / "venv")
    for name, model in zip(NAMES, MODELS, strict=True):
        module = tmp_path / f"{model.lower()}.py"
        run(
            *(python, "-m", "datamodel_code_generator", "--input", str(SCHEMAS / name), "--output", str(module)),
            *("--input-file-type", "jsonschema", "--output-model-type", "pydantic_v2.BaseModel"),
            *("--target-python-version", "3.11", "--use-union-operator", "--use-standard-collections"),
            folder=tmp_path,
        )
        run(python, "-W", "error", "-c", f"import {module.stem}", folder=tmp_path)
        text = module.read_text()
        classes = set(re.findall(r"^class (\w+)\(", text, re.MULTILINE))
        assert {f"{model}Change", model, "Source", "Op", "Trigger", "Snapshot", "Origin", "DeletionReason"} <= classes
        assert not [name for name in classes if re.search(r"\d$|Model", name)]
        assert not re.search(r": float\b", text)
        assert model == "Contact" or "Decimal" in text
    invoice = (tmp_path / "invoice.py").read_text()
    assert "status: InvoiceStatus | str | None" in invoice
    assert "total: Decimal | None" in invoice


def test_typescript(tmp_path: Path) -> None:
    """json-schema-to-typescript and quicktype: what they write compiles under ``strict``; enums are unions of words."""
    folder = node_modules(NODE, tmp_path / "node")
    (folder / "package.json").write_text('{"type": "commonjs"}')
    for name, model in zip(NAMES, MODELS, strict=True):
        schema = str(SCHEMAS / name)
        run("node_modules/.bin/json2ts", schema, f"{model}.d.ts", folder=folder)
        run(
            *("node_modules/.bin/quicktype", "--src-lang", "schema", "--lang", "typescript"),
            *("--top-level", f"{model}Change", "--out", f"{model}.quicktype.ts", schema),
            folder=folder,
        )
        declared = set(
            re.findall(r"^export (?:interface|type) (\w+)", (folder / f"{model}.d.ts").read_text(), re.MULTILINE)
        )
        quick = (folder / f"{model}.quicktype.ts").read_text()
        shown = set(re.findall(r"^export (?:interface|type|enum) (\w+)", quick, re.MULTILINE))
        assert {f"{model}Change", model, "Source", "Op"} <= declared
        assert {f"{model}Change", model, "Source", "Op", "Trigger"} <= shown
        assert not [name for name in declared | shown if re.search(r"\d$|Class$|Element$", name)]
    run("node_modules/.bin/tsc", "--noEmit", "--strict", *(f"{model}.d.ts" for model in MODELS), folder=folder)
    for model in MODELS:
        run(
            "node_modules/.bin/tsc",
            "--noEmit",
            "--strict",
            "--target",
            "es2022",
            *QUIET,
            f"{model}.quicktype.ts",
            folder=folder,
        )
    invoice = (folder / "Invoice.d.ts").read_text()
    assert "status: InvoiceStatus | string | null" in invoice
    assert re.search(r'export type InvoiceStatus =\s*\|?\s*"draft"', invoice)


def test_go_jsonschema(tmp_path: Path) -> None:
    """Go: the structs compile and read a real change; enums have constants."""
    tool = tmp_path / "bin"
    subprocess.run(["go", "install", GO_JSONSCHEMA], check=True, env={**os.environ, "GOBIN": str(tool)})
    (tmp_path / "go.mod").write_text("module example.org/books\n\ngo 1.24\n")
    run("go", "get", GO_JSONSCHEMA.replace("@", "/pkg/types@"), folder=tmp_path)
    for name, model in zip(NAMES, MODELS, strict=True):
        package = tmp_path / model.lower()
        package.mkdir()
        target = package / "types.go"
        run(
            *(str(tool / "go-jsonschema"), "--struct-name-from-title", "--only-models", "--package", model.lower()),
            *("--output", str(target), str(SCHEMAS / name)),
            folder=tmp_path,
        )
        text = target.read_text()
        structs = set(re.findall(r"^type (\w+) struct", text, re.MULTILINE))
        assert {f"{model}Change", model, "Source"} <= structs
        assert not [name for name in structs if re.search(r"\d$|Json", name)]
        assert f"After *{model} " in text
        assert 'OpU Op = "u"' in text
    run("go", "vet", "./...", folder=tmp_path)
    assert 'InvoiceStatusDraft InvoiceStatus = "draft"' in (tmp_path / "invoice" / "types.go").read_text()
