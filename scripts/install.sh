#!/bin/sh
# Makes the virtual environment, hash-pinned: `local` is what the demo needs, `dev` everything.
#
# An environment counts only once it is whole: .venv/.building marks one in the making (with the process that makes it),
# and the next start makes an interrupted one again. Nothing outside this folder is written.
set -eu
WHAT=${1:-dev}
PYTHON=${PYTHON:-python3}
VENV=${VENV:-.venv}
LOCK=requirements/$WHAT.lock
MARK=$VENV/.building

say() { printf 'xero-stream: %s\n' "$1"; }
fail() { printf 'xero-stream: %s\n' "$1" >&2; exit 1; }

command -v "$PYTHON" >/dev/null 2>&1 || fail "no $PYTHON found: install Python 3.11, 3.12 or 3.13 (or: make PYTHON=/path/to/python3.11 ...)"
"$PYTHON" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' ||
    fail "$("$PYTHON" --version 2>&1) is not supported: Python 3.11, 3.12 or 3.13 is needed (make PYTHON=/path/to/python3.11 ...)"
case $WHAT in local) needed=800 ;; *) needed=1500 ;; esac
free=$(df -Pk . | awk 'NR==2 {print $4}')
[ "${free:-0}" -ge $((needed * 1000)) ] || fail "less than $needed MB free here ($((${free:-0} / 1024)) MB): make room first"

if [ -e "$MARK" ]; then
    maker=$(cat "$MARK")
    if [ -n "$maker" ] && [ "$maker" != $$ ] && kill -0 "$maker" 2>/dev/null; then
        fail "process $maker is installing into $VENV: wait until it has ended, then start again (if it is another program: make clean)"
    fi
    say "an earlier installation was interrupted: $VENV is made again"
    rm -rf "$VENV"
elif [ -e "$VENV" ] && ! "$VENV/bin/python" -m pip --version >/dev/null 2>&1; then
    fail "$VENV has no working Python with pip: move it away, or remove it with make clean"
fi

# Downloads are kept here, so that an interrupted installation goes on where it stopped.
export PIP_CACHE_DIR="${PIP_CACHE_DIR:-$PWD/.cache/pip}" UV_CACHE_DIR="${UV_CACHE_DIR:-$PWD/.cache/uv}"
export PIP_DISABLE_PIP_VERSION_CHECK=1

installer=
end_installer() { [ -z "$installer" ] || kill "$installer" 2>/dev/null || :; }
trap 'end_installer; exit 130' INT
trap 'end_installer; exit 143' TERM HUP

mkdir -p "$VENV"
echo $$ >"$MARK"
# An interrupted pip leaves hundreds of megabytes in its temporary folder: they go with the environment.
TMPDIR=$(cd "$VENV" && pwd)/tmp
export TMPDIR
mkdir -p "$TMPDIR"
log=$VENV/install.log
total=$(grep -cE '^[A-Za-z0-9].*==' "$LOCK" || :)

# Runs a command and shows how many packages it has reached: a line that is rewritten on a terminal, else one every ten seconds.
with_progress() {
    : >"$log"
    "$@" >>"$log" 2>&1 &
    installer=$!
    seconds=0
    while kill -0 "$installer" 2>/dev/null; do
        done=$(grep -cE '^(Collecting|Requirement already satisfied| \+ )' "$log" || :)
        stage="$done of $total packages looked up and downloaded"
        ! grep -q '^Installing collected' "$log" || stage="unpacking $total packages"
        if [ -t 1 ]; then
            printf '\r  %4d s  %s   ' "$seconds" "$stage"
        elif [ $((seconds % 10)) -eq 9 ]; then
            printf '  %4d s  %s\n' "$seconds" "$stage"
        fi
        sleep 1
        seconds=$((seconds + 1))
    done
    [ ! -t 1 ] || printf '\r%60s\r' ''
    wait "$installer" && ended=0 || ended=$?
    installer=
    return $ended
}

if [ ! -x "$VENV/bin/python" ]; then
    case $WHAT in local) size="180 MB" ;; *) size="300 MB" ;; esac
    say "first start: about $size of Python packages are downloaded; nothing outside this folder is written"
    "$PYTHON" -m venv "$VENV" >"$log" 2>&1 ||
        fail "$PYTHON can't make virtual environments: install its venv module (Debian, Ubuntu: apt install python3-venv); the output is in $log"
fi
say "installing $total packages of $LOCK into $VENV (log: $log)"
if command -v uv >/dev/null 2>&1 &&
    with_progress uv pip install --python "$VENV/bin/python" --no-progress --no-deps --require-hashes -r "$LOCK"; then
    :
else
    # The lock is complete, so nothing is left to resolve; Python compiles what it imports.
    with_progress "$VENV/bin/python" -m pip install --progress-bar off --no-deps --no-compile --require-hashes -r "$LOCK" || {
        grep -E '^(ERROR|error)' "$log" | tail -n 3 >&2
        fail "a package could not be installed; the output is in $log (behind a proxy or mirror: pip's own settings are honoured)"
    }
fi
"$VENV/bin/python" -m pip install --no-build-isolation --no-deps -e . >>"$log" 2>&1 ||
    fail "xero-stream itself could not be installed; see $log"
rm -rf "$TMPDIR"
touch "$VENV/.installed-local"
[ "$WHAT" = local ] || touch "$VENV/.installed-dev"
rm -f "$MARK"
