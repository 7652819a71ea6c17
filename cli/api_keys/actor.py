"""Who runs a command, for the audit log."""

import getpass
import os
import socket


def actor() -> str:
    """``USER@HOST``, as the system tells it."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user often has no entry
        user = f"uid-{os.getuid()}"
    return f"{user}@{socket.gethostname()}"
