"""Why a listener can't be opened, and which setting to change."""

import errno
import socket

from xero_stream.settings.base import SettingsError

_HOSTS_FAULT = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


def cannot_listen(error: OSError, *, host: str, port: int, prefix: str, option: bool = False) -> SettingsError:
    """The error to raise: the port's setting where the port is the reason, the host's where that is no address here.

    Args:
        error: what the system said.
        host: where to listen.
        port: on which port.
        prefix: what the names of both settings start with, such as ``XERO_STREAM_RECEIVER``.
        option: whether ``--host`` and ``--port`` exist too.
    """
    # socket.create_server raises an error of its own in place of the name service's.
    unknown = isinstance(error, socket.gaierror) or isinstance(error.__context__, socket.gaierror)
    wrong_host = unknown or error.errno in _HOSTS_FAULT
    name = "host" if wrong_host else "port"
    setting = f"--{name} or {prefix}_{name.upper()}" if option else f"{prefix}_{name.upper()}"
    # asyncio and socket add the address, which stands in front already.
    reason = (error.strerror or type(error).__name__).split(" (while attempting")[0].split(": [errno")[0]
    if wrong_host:
        todo = f"that is not an address of this machine: correct {setting}"
    elif error.errno == errno.EACCES:
        todo = f"choose a port above 1023 with {setting}, with a proxy in front"
    else:
        todo = f"choose another port with {setting}"
    return SettingsError(f"can't listen on {host}:{port} ({reason}); {todo}")
