#!/bin/sh
# Makes sure that there is a Prometheus for `make alerts`: Debian's package, no service is started.
set -eu
command -v prometheus >/dev/null 2>&1 && exit 0
command -v apt-get >/dev/null 2>&1 || {
    echo "xero-stream: make alerts needs the program prometheus on the PATH (Debian, Ubuntu: apt install prometheus)" >&2
    exit 1
}
echo "xero-stream: installing the package prometheus"
[ "$(id -u)" = 0 ] && sudo= || sudo=sudo
$sudo apt-get update -q >/dev/null
RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive $sudo apt-get install -q -y --no-install-recommends prometheus >/dev/null
command -v prometheus
