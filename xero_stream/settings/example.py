"""Every setting, from the code: ``.env.example``, and the tables of ``docs/configuration.md``.

``python -m xero_stream.settings.example .env.example docs/configuration.md`` writes both.
"""

import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from xero_stream.settings.base import Section
from xero_stream.settings.console import ConsoleSettings
from xero_stream.settings.entities import EntitySettings
from xero_stream.settings.kafka import KafkaSettings
from xero_stream.settings.local import LocalSettings
from xero_stream.settings.processors import ProcessorSettings
from xero_stream.settings.receiver import ReceiverSettings
from xero_stream.settings.shared import RULES, Sharing
from xero_stream.settings.simulator import SimulatorSettings
from xero_stream.settings.store import EncryptionSettings, StoreSettings
from xero_stream.settings.telemetry import PrivatePortSettings, TelemetrySettings
from xero_stream.settings.xero import AppsFileSettings, DefaultAppSettings, WebhookKeySettings, XeroSettings

SECTIONS: tuple[type[Section], ...] = (
    DefaultAppSettings,
    WebhookKeySettings,
    AppsFileSettings,
    EncryptionSettings,
    EntitySettings,
    KafkaSettings,
    StoreSettings,
    ReceiverSettings,
    ProcessorSettings,
    ConsoleSettings,
    TelemetrySettings,
    PrivatePortSettings,
    LocalSettings,
    XeroSettings,
    SimulatorSettings,
)
"""All sections; what every deployment sets comes first."""

_HEAD = """\
# Settings of xero-stream. Made from the code by `make schemas`; copy it to .env and change the copy.
# A line that is commented out shows the default. Any secret may instead stand in a file: NAME_FILE=/path/to/it.
# The environment wins over NAME_FILE, which wins over .env.
"""

_IN_ALL = {
    Sharing.FIXED: "**the same, permanently**",
    Sharing.SAME: "**the same**",
    Sharing.FREE: "may differ",
}

_HEADLINE = "## Every setting\n\n"

_TAIL = """
# --- docker-compose.yml only ---
# It takes secrets from files in ./secrets (`sh deploy/secrets.sh`), never from here.
# Address of this machine on which the receiver's port is published; 0.0.0.0: on every one.
# PUBLISHED_ON=127.0.0.1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting.

    Attributes:
        name: of the environment variable.
        meaning: from the field's docstring.
        default: as it would be written; None where there is none.
        required: whether nothing starts without it.
        secret: whether it may stand in a file of its own.
    """

    name: str
    meaning: str
    default: str | None
    required: bool
    secret: bool


def settings_of(section: type[Section]) -> Iterator[Setting]:
    """The settings of a section, in its order."""
    for name, field in section.model_fields.items():
        yield Setting(
            name=field.alias or name,
            meaning=" ".join((field.description or "").split()) + _one_of(field.annotation),
            default=None if field.is_required() else _written(field),
            required=field.is_required(),
            secret=(field.alias or name) in section.secrets(),
        )


def title(section: type[Section]) -> str:
    """What a section is about: the first line of its docstring."""
    return (section.__doc__ or "").strip().splitlines()[0].rstrip(".").replace("``", "")


def env_example() -> str:
    """The text of ``.env.example``."""
    parts = [_HEAD]
    for section in SECTIONS:
        parts.append(f"\n# --- {title(section)} ---\n")
        parts += [_env_lines(setting) for setting in settings_of(section)]
    return "".join([*parts, _TAIL])


def tables() -> str:
    """The tables of ``docs/configuration.md``."""
    parts = []
    for section in SECTIONS:
        parts.append(
            f"\n### {title(section)}\n\n| name | default | meaning | in all processes |\n| --- | --- | --- | --- |\n"
        )
        for setting in settings_of(section):
            default = "**required**" if setting.required else f"`{setting.default}`" if setting.default else ""
            meaning = setting.meaning.replace("``", "`").replace("|", "\\|")
            secret = " Secret." if setting.secret else ""
            rule = RULES[setting.name]
            parts.append(
                f"| `{setting.name}` | {default} | {meaning}{secret} | {_IN_ALL[rule.sharing]}: {rule.why} |\n"
            )
    return "".join(parts).lstrip("\n")


def _env_lines(setting: Setting) -> str:
    meaning = setting.meaning.replace("``", "")
    comment = textwrap.fill(
        f"{meaning} (required)" if setting.required else meaning,
        width=110,
        initial_indent="# ",
        subsequent_indent="# ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    line = f"{setting.name}=" if setting.required else f"# {setting.name}={setting.default or ''}"
    return f"{comment}\n{line}\n"


def _written(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True, validated_data={})
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if value is None:
        return ""
    if isinstance(value, tuple):
        return ",".join(value)
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _one_of(annotation: Any) -> str:
    words = get_args(annotation) if get_origin(annotation) is Literal else ()
    return f" One of {', '.join(map(str, words))}." if words else ""


def renewed(page: str) -> str:
    """``docs/configuration.md`` with current tables, which are its end.

    Raises:
        ValueError: it lacks the headline they stand under.
    """
    before, headline, _ = page.partition(_HEADLINE)
    if not headline:
        raise ValueError(f"the page lacks its headline {_HEADLINE.strip()!r}")
    return f"{before}{_HEADLINE}{tables()}"


if __name__ == "__main__":
    example, configuration = map(Path, sys.argv[1:])
    example.write_text(env_example(), encoding="utf-8")
    configuration.write_text(renewed(configuration.read_text(encoding="utf-8")), encoding="utf-8")
