#!/bin/sh
# Writes dist/xero-stream.cdx.json: every package that ships, with its version and licence, as CycloneDX.
#
# What ships is requirements/runtime.lock, so it is installed into an environment that has nothing else.
set -eu
cd "$(dirname "$0")/.."
sh scripts/tools.sh
rm -rf .tools/runtime
"${PYTHON:-python3}" -m venv --without-pip .tools/runtime
.tools/bin/python -m pip --python .tools/runtime install --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
    -r requirements/runtime.lock
mkdir -p dist
.tools/bin/cyclonedx-py environment --pyproject pyproject.toml --gather-license-texts --output-reproducible --output-format JSON \
    --output-file dist/xero-stream.cdx.json .tools/runtime
.tools/bin/python - <<'CHECK'
import json
import sys
from pathlib import Path

from packaging.requirements import Requirement

lines = Path("requirements/runtime.lock").read_text(encoding="utf-8").splitlines()
locked = [Requirement(line.rstrip(" \\")) for line in lines if line[:1].isalnum()]
wanted = {(one.name.lower(), str(one.specifier)[2:]) for one in locked if not one.marker or one.marker.evaluate()}
components = json.loads(Path("dist/xero-stream.cdx.json").read_text(encoding="utf-8"))["components"]
found = {(one["name"].lower().replace("_", "-"), one["version"]) for one in components}
unlicensed = [one["name"] for one in components if not one.get("licenses")]
if found != wanted or unlicensed:
    sys.exit(f"the SBOM is not the lock: {sorted(found ^ wanted)}; without a licence: {unlicensed}")
print(f"dist/xero-stream.cdx.json: {len(found)} packages, each with its licence")
CHECK
