"""Which process may have which setting: an allow-list. Pure.

:data:`MAY_HAVE` is what ``up``, the demo and ``docker-compose.yml`` follow; ``docs/security.md`` shows its secrets. What a process
does not have, whoever takes it over does not get.
"""

from collections.abc import Mapping
from enum import StrEnum

from xero_stream.settings.base import Section
from xero_stream.settings.console import ConsoleSettings
from xero_stream.settings.entities import EntitySettings
from xero_stream.settings.kafka import KafkaSettings
from xero_stream.settings.local import LocalSettings
from xero_stream.settings.processors import ProcessorSettings
from xero_stream.settings.receiver import ReceiverSettings
from xero_stream.settings.shared import API_URL, KEEP_DELIVERIES, PLAIN_HTTP_HOSTS
from xero_stream.settings.simulator import SimulatorSettings
from xero_stream.settings.store import EncryptionSettings, StoreSettings
from xero_stream.settings.telemetry import PrivatePortSettings, TelemetrySettings
from xero_stream.settings.xero import AppsFileSettings, DefaultAppSettings, WebhookKeySettings, XeroSettings


class Process(StrEnum):
    """Whose environment it is."""

    RECEIVER = "receiver"
    PROCESSORS = "processors"
    CONSOLE = "console"
    SETUP = "setup"  # `migrate` and `topics apply`
    TOOLS = "tools"  # commands that people run: connect, grants, tenants, quarantine, doctor …
    SIMULATOR = "simulator"
    LOCAL = "local"


_SECTIONS: Mapping[Process, tuple[type[Section], ...]] = {
    Process.RECEIVER: (
        KafkaSettings,
        ReceiverSettings,
        EntitySettings,
        TelemetrySettings,
        PrivatePortSettings,
        WebhookKeySettings,
        AppsFileSettings,
    ),
    Process.PROCESSORS: (
        KafkaSettings,
        StoreSettings,
        EncryptionSettings,
        DefaultAppSettings,
        AppsFileSettings,
        XeroSettings,
        EntitySettings,
        ProcessorSettings,
        TelemetrySettings,
        PrivatePortSettings,
    ),
    Process.CONSOLE: (StoreSettings, ConsoleSettings, TelemetrySettings, PrivatePortSettings),
    Process.SETUP: (KafkaSettings, StoreSettings, EntitySettings, TelemetrySettings),
    Process.TOOLS: (
        KafkaSettings,
        StoreSettings,
        EncryptionSettings,
        DefaultAppSettings,
        WebhookKeySettings,
        AppsFileSettings,
        XeroSettings,
        EntitySettings,
        ReceiverSettings,
        ProcessorSettings,
        TelemetrySettings,
        PrivatePortSettings,
    ),
    Process.SIMULATOR: (SimulatorSettings,),
    Process.LOCAL: (LocalSettings,),
}
_BESIDE: Mapping[Process, frozenset[str]] = {
    Process.RECEIVER: frozenset({API_URL, PLAIN_HTTP_HOSTS}),  # tell whether the simulator's key is taken
    Process.PROCESSORS: frozenset({KEEP_DELIVERIES}),  # compared where it is set
    Process.SETUP: frozenset({KEEP_DELIVERIES}),  # decides whether that topic is made
}


def sections_of(process: Process) -> tuple[type[Section], ...]:
    """The sections that a process reads."""
    return _SECTIONS[process]


def _names(section: type[Section]) -> set[str]:
    return {field.alias or name for name, field in section.model_fields.items()}


MAY_HAVE: Mapping[Process, frozenset[str]] = {
    process: frozenset().union(*map(_names, sections)) | _BESIDE.get(process, frozenset())
    for process, sections in _SECTIONS.items()
}
"""The settings that each process may have, by environment variable; each also as ``NAME_FILE``."""

SECRETS: frozenset[str] = frozenset().union(
    *(section.secrets() for sections in _SECTIONS.values() for section in sections)
)
"""Every secret setting."""

_SYSTEM = frozenset(
    {
        *("PATH", "HOME", "USER", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT"),
        *("VIRTUAL_ENV", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "LD_LIBRARY_PATH", "NO_COLOR"),
        *("SSL_CERT_FILE", "SSL_CERT_DIR"),
        "XERO_STREAM_FAILPOINTS_DIR",
    }
)
"""What programs need of the system. All else could be a secret of something else."""


def system(environ: Mapping[str, str]) -> dict[str, str]:
    """What any of our processes needs of the environment, settings aside."""
    return {name: value for name, value in environ.items() if name in _SYSTEM}


def environment(process: Process, environ: Mapping[str, str]) -> dict[str, str]:
    """The environment that a process is given.

    Args:
        environ: where the values come from, with whatever else.
    """
    allowed = MAY_HAVE[process]
    given = {
        name: value
        for name, value in environ.items()
        if name in allowed or (name.endswith("_FILE") and name.removesuffix("_FILE") in allowed)
    }
    return {**system(environ), **given}


def foreign_secrets(process: Process, environ: Mapping[str, str]) -> list[str]:
    """Secrets in an environment that its process should not have, by name."""
    return sorted(name for name in SECRETS - MAY_HAVE[process] if environ.get(name) or environ.get(f"{name}_FILE"))
