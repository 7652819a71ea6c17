#!/bin/sh
# Makes .tools, a virtual environment with the programs that look at what ships, hash-pinned.
set -eu
cd "$(dirname "$0")/.."
if [ ! -e .tools/.installed ] || [ requirements/tools.lock -nt .tools/.installed ]; then
    rm -rf .tools
    "${PYTHON:-python3}" -m venv .tools
    .tools/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/tools.lock
    touch .tools/.installed
fi
