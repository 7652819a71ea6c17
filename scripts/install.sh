#!/bin/sh
# Makes the virtual environment: hash-pinned, said out loud, and one clear line when something is missing.
set -eu
PYTHON=${PYTHON:-python3}
VENV=${VENV:-.venv}

fail() { printf 'xero-stream: %s\n' "$1" >&2; exit 1; }

command -v "$PYTHON" >/dev/null 2>&1 || fail "no $PYTHON found: install Python 3.11, 3.12 or 3.13 (or: make PYTHON=/path/to/python3.11 ...)"
"$PYTHON" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' ||
    fail "$("$PYTHON" --version 2>&1) is not supported: Python 3.11, 3.12 or 3.13 is needed (make PYTHON=/path/to/python3.11 ...)"
free=$(df -Pk . | awk 'NR==2 {print $4}')
[ "${free:-0}" -ge 1500000 ] || fail "less than 1.5 GB free here ($((${free:-0} / 1024)) MB): make room first"

if [ ! -x "$VENV/bin/python" ]; then
    echo "xero-stream: first start. About 250 MB of Python packages are downloaded (1 to 3 minutes); nothing outside $VENV is touched."
    "$PYTHON" -m venv "$VENV" >"${TMPDIR:-/tmp}/xero-stream-venv.log" 2>&1 ||
        fail "$PYTHON can't make virtual environments: install its venv module (Debian, Ubuntu: apt install python3-venv)"
fi
log=$VENV/install.log
echo "xero-stream: installing (log: $log)"
"$VENV/bin/python" -m pip install --disable-pip-version-check --progress-bar off --require-hashes -r requirements/dev.lock >"$log" 2>&1 || {
    grep -E '^(ERROR|error)' "$log" | tail -n 3 >&2
    fail "a package could not be installed; the whole story is in $log (behind a proxy or mirror, pip's own settings are honoured)"
}
"$VENV/bin/python" -m pip install --disable-pip-version-check --no-build-isolation --no-deps -e . >>"$log" 2>&1 ||
    fail "xero-stream itself could not be installed; see $log"
touch "$VENV/.installed"
