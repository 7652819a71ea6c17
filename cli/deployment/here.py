"""What this terminal's environment has of the settings that all processes share."""

from collections.abc import Mapping, Sequence
from typing import Any

from xero_stream.settings.apps import Apps
from xero_stream.settings.base import Section, SettingsError
from xero_stream.settings.entities import EntitySettings
from xero_stream.settings.kafka import KafkaSettings
from xero_stream.settings.processors import ProcessorSettings
from xero_stream.settings.receiver import ReceiverSettings
from xero_stream.settings.shared import (
    APPS_FILE,
    CLIENT_ID,
    CLUSTER,
    RULES,
    SECRETS,
    TIER,
    Sharing,
    setting_of,
    values,
    values_of_apps,
)
from xero_stream.settings.store import EncryptionSettings
from xero_stream.settings.xero import AppsFileSettings, AppTier, DefaultAppSettings, XeroSettings
from xero_stream.store.crypto import TokenCipher

_SECTIONS: tuple[type[Section], ...] = (
    KafkaSettings,
    EntitySettings,
    EncryptionSettings,
    XeroSettings,
    ProcessorSettings,
    ReceiverSettings,
)
"""Sections with settings that are shared as they stand."""


def here() -> tuple[dict[str, str], list[str]]:
    """All that can be read of it, without the cluster.

    Returns:
        The values by name, and what is wrong with sections that can't be read.
    """
    found: dict[str, str] = {}
    wrong: list[str] = []
    for section in _SECTIONS:
        try:
            found |= values(section.read())
        except SettingsError as error:
            wrong.append(str(error))
    try:
        found |= values_of_apps(Apps.read().all())
    except SettingsError as error:
        wrong.append(str(error))
    return found, wrong


def wanted(wishes: Sequence[str]) -> dict[str, str]:
    """The new values of the settings that were named, without the cluster.

    Args:
        wishes: ``NAME`` (its value is the environment's) or ``NAME=VALUE``.

    Raises:
        SettingsError: one is unknown, can't be changed, or its value is malformed.
    """
    given = dict(_split(wish) for wish in wishes)
    for name, value in given.items():
        _check(name, value)
    found: dict[str, str] = {}
    for section in _SECTIONS:
        names = {field.alias for field in section.model_fields.values()}
        mine = {name: value for name, value in given.items() if name in names}
        if mine:
            read = section.read(**mine)
            found |= values(read, only=mine.keys())
            if isinstance(read, EncryptionSettings):
                TokenCipher(read.keys)
    return found | _wanted_of_apps(given)


def _split(wish: str) -> tuple[str, str | None]:
    name, equals, value = wish.partition("=")
    return name.strip().upper(), value if equals else None


def _check(name: str, value: str | None) -> None:
    rule = RULES.get(name)
    if rule is None:
        known = ", ".join(name for name, rule in RULES.items() if rule.sharing is Sharing.SAME)
        raise SettingsError(f"there is no setting {name}; these are the same in all processes: {known}")
    if rule.sharing is Sharing.FIXED:
        raise SettingsError(
            f"{name} can't be changed: {rule.why} For another value start over: a new KAFKA_TOPIC_PREFIX, an empty store, and "
            "connect the organisations again"
        )
    if name == APPS_FILE and value is None:
        return
    if name == CLUSTER and value is not None:
        raise SettingsError(
            f"{CLUSTER}: name it without a value; what counts is the cluster that this terminal reaches"
        )
    if rule.sharing is Sharing.FREE:
        raise SettingsError(f"{name} may differ from process to process, so there is nothing to set: {rule.why}")
    if value is not None and name in SECRETS:
        raise SettingsError(
            f"{name} is a secret: set it in the environment, or by {name}_FILE, and name it without a value"
        )


def _wanted_of_apps(given: Mapping[str, str | None]) -> dict[str, str]:
    names = {CLIENT_ID, TIER, APPS_FILE} & given.keys()
    if not names:
        return {}
    overrides: dict[str, Any] = {"client_id": given.get(CLIENT_ID)}
    if given.get(TIER):
        try:
            overrides["tier"] = AppTier(str(given[TIER]))
        except ValueError:
            raise SettingsError(f"{TIER}: there is {', '.join(AppTier)}") from None
    apps = Apps(DefaultAppSettings.read(**overrides), AppsFileSettings.read().apps_file)
    return {name: value for name, value in values_of_apps(apps.all()).items() if setting_of(name) in names}
