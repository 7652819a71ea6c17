"""Read by Python at its start: names of Xero's lead to a port of this machine, and a test's authority is trusted.

Nothing of a client is changed: this is what ``/etc/hosts`` and the trust store of a machine would do.
"""

import os
import socket

_PORT = os.environ.get("XERO_PORT")
_find = socket.getaddrinfo


def _redirected(host, port, *more, **others):
    if isinstance(host, str) and host.endswith(".xero.com"):
        host, port = "127.0.0.1", int(_PORT)
    return _find(host, port, *more, **others)


if _PORT:
    socket.getaddrinfo = _redirected
    try:
        import certifi
    except ImportError:
        pass
    else:
        certifi.where = lambda: os.environ["REQUESTS_CA_BUNDLE"]
