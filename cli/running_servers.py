"""Local servers that run on the data directory, for commands for which neither Kafka nor PostgreSQL is set."""

import os
from pathlib import Path

from cli.exits import complain
from xero_stream.settings.base import SettingsError
from xero_stream.settings.local import LocalSettings
from xero_stream.settings.unknown import names_in

_SERVERS = ("KAFKA_BOOTSTRAP_SERVERS", "DATABASE_URL")


def use_running_servers() -> None:
    """Put into the environment how to reach the local servers, where they run and neither Kafka nor PostgreSQL is set.

    A line on standard error says so: a forgotten data directory must not pass for the deployment.
    """
    if _set_elsewhere():
        return
    try:
        folder = LocalSettings.read().data_dir
    except SettingsError:
        return  # the command itself says so, if it reads it
    if not os.access(folder / "ports.json", os.R_OK):
        return
    from cli.local import environment_of  # noqa: PLC0415 - only where there are local servers
    from xero_stream.local.errors import LocalServerError  # noqa: PLC0415

    try:
        found = environment_of(folder)
    except (LocalServerError, OSError):
        return
    os.environ.update(found)
    complain(f"using the local servers of {folder}")


def _set_elsewhere() -> bool:
    try:
        lines = Path(".env").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        lines = []
    names = {name for name, value in os.environ.items() if value} | set(names_in(lines))
    return any(name in names or f"{name}_FILE" in names for name in _SERVERS)
