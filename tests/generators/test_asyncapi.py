"""AsyncAPI's own parser accepts the document, examples included."""

import shutil
from pathlib import Path

import pytest

from tests.consumers.packages import node_modules
from tests.generators.test_generators import run
from tests.support.pages import ROOT

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(600)]

PROGRAM = """
const { Parser, fromFile } = require('@asyncapi/parser')
const path = require('path')

async function main () {
  const { document, diagnostics } = await fromFile(new Parser(), path.resolve(process.argv[2])).parse()
  for (const one of diagnostics) console.log(one.severity, one.code, one.path.join('.'), one.message)
  if (!document) process.exit(1)
  const messages = document.messages().all()
  const shown = messages.filter(message => message.examples().all().length === 1).length
  console.log('accepted', document.version(), document.servers().all().length, document.channels().all().length, shown)
}

main()
"""


def test_the_parser_accepts_it(tmp_path: Path) -> None:
    """No error and no warning; all channels and examples arrive."""
    folder = node_modules({"@asyncapi/parser": "3.6.3"}, tmp_path / "node")
    (folder / "check.js").write_text(PROGRAM)
    schemas = shutil.copytree(ROOT / "schemas", tmp_path / "schemas")

    *complaints, accepted = run("node", "check.js", str(schemas / "asyncapi.yaml"), folder=folder).splitlines()

    text = (schemas / "asyncapi.yaml").read_text()
    channels, examples = text.count("    address: "), text.count("      examples:")
    assert accepted == f"accepted 3.1.0 1 {channels} {examples}"
    assert not [one for one in complaints if one.startswith(("0 ", "1 "))], complaints
