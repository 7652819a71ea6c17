"""Which settings must be the same in all processes, and how values compare."""

import base64

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from xero_stream.contracts.names import DEFAULT_APP, AppName
from xero_stream.settings.apps import App
from xero_stream.settings.entities import EntitySettings
from xero_stream.settings.example import SECTIONS, settings_of
from xero_stream.settings.kafka import KafkaSettings
from xero_stream.settings.processors import ProcessorSettings
from xero_stream.settings.shared import (
    KEYS,
    ONE_TOPIC,
    POLICY,
    RULES,
    SECRETS,
    Sharing,
    check_value,
    differences,
    keys_fit,
    values,
    values_of_apps,
)
from xero_stream.settings.store import EncryptionSettings
from xero_stream.settings.xero import AppTier, XeroSettings


def test_every_setting_has_a_rule_and_every_rule_a_setting() -> None:
    """The table is total; each line has a reason, and what is changed by command says what follows."""
    settings = {setting.name: setting for section in SECTIONS for setting in settings_of(section)}

    assert settings.keys() == RULES.keys()
    for name, rule in RULES.items():
        assert rule.why.endswith("."), name
        assert bool(rule.then) == (rule.sharing is Sharing.SAME), name
        assert rule.sharing is Sharing.FREE or settings[name].secret == (name in SECRETS), name


def test_one_value_written_in_two_ways_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Order of entities, white space and key order of a policy, a slash at the end of an address."""
    monkeypatch.setenv("XERO_STREAM_ENTITIES", "invoices,contacts")
    monkeypatch.setenv(POLICY, '{"contacts": {"email": "hash", "name": "drop"}}')
    monkeypatch.setenv("XERO_API_URL", "http://127.0.0.1:1/")
    first = values(EntitySettings.read(), ProcessorSettings.read(), XeroSettings.read())
    monkeypatch.setenv("XERO_STREAM_ENTITIES", "contacts, INVOICES")
    monkeypatch.setenv(POLICY, '{"contacts":{"name":"drop","email":"hash"}}')
    monkeypatch.setenv("XERO_API_URL", "http://127.0.0.1:1")
    second = values(EntitySettings.read(), ProcessorSettings.read(), XeroSettings.read())

    assert first == second


def test_free_settings_are_not_among_the_values() -> None:
    """And of secrets nothing but a check value is."""
    key = Fernet.generate_key().decode()
    found = values(KafkaSettings.read(), ProcessorSettings.read(), EncryptionSettings.read(encryption_keys=key))

    assert all(RULES[name].sharing is not Sharing.FREE for name in found)
    assert found[KEYS] == check_value(key)
    assert len(found[KEYS]) == 16
    assert key not in str(found)


def test_a_message_has_both_values_and_what_to_do() -> None:
    """One that is fixed says how to start over, the others name the command."""
    fixed, free_to_change = differences(
        {"KAFKA_PARTITIONS": "3", ONE_TOPIC: "true"}, {"KAFKA_PARTITIONS": "6", ONE_TOPIC: "false"}
    )

    assert str(fixed) == (
        "this deployment has KAFKA_PARTITIONS=6, here it is 3. It can't be changed: set it to 6, or start over with a new "
        "KAFKA_TOPIC_PREFIX and an empty store"
    )
    assert f"{ONE_TOPIC}=false, here it is true" in str(free_to_change)
    assert f"`xero-stream deployment set {ONE_TOPIC}`" in str(free_to_change)


def test_what_only_one_side_knows_is_no_difference() -> None:
    """The other one is of another release."""
    assert not differences({"A_NEW_SETTING": "1"}, {ONE_TOPIC: "true"}, complete=True)


def test_an_app_that_is_missing_here_is_a_difference() -> None:
    """Its organisations would stand still; a terminal that uses one app compares that one only."""
    uk = App(name=AppName("uk"), client_id="u", client_secret="s", tier=AppTier.CORE)
    default = App(name=DEFAULT_APP, client_id="d", client_secret=None, tier=AppTier.PLUS)
    deployed = values_of_apps([default, uk])

    assert not differences(values_of_apps([default]), deployed)
    missing = differences(values_of_apps([default]), deployed, complete=True)
    assert {one.name: str(one).split("here it is ")[1].split(".")[0] for one in missing} == {
        "apps.uk.client_id": "missing",
        "apps.uk.tier": "missing",
    }
    assert "deployment set XERO_STREAM_APPS_FILE" in str(missing[0])


def test_an_app_without_its_secret_is_another_app() -> None:
    """One process without the secret could renew no token."""
    whole = App(name=DEFAULT_APP, client_id="d", client_secret="s", tier=AppTier.CORE)
    without = App(name=DEFAULT_APP, client_id="d", client_secret=None, tier=AppTier.CORE)

    (found,) = differences(values_of_apps([without]), values_of_apps([whole]))

    assert found.name == "XERO_CLIENT_ID"
    assert "XERO_CLIENT_ID=d, here it is d without a secret" in str(found)


def test_two_spellings_of_a_key_are_one() -> None:
    """Fernet takes both alphabets of base64, and the setting blanks around a key."""
    raw = b"\xfb\xff" * 16
    first, second = base64.urlsafe_b64encode(raw).decode(), base64.b64encode(raw).decode()
    assert first != second
    assert Fernet(first).decrypt(Fernet(second).encrypt(b"x")) == b"x"

    one, other, third = (
        values(EncryptionSettings.read(encryption_keys=key))
        for key in (first, f" {second} ", Fernet.generate_key().decode())
    )

    assert one == other != third


@given(
    st.lists(st.sampled_from("abcd"), min_size=1, unique=True),
    st.lists(st.sampled_from("abcd"), min_size=1, unique=True),
)
def test_keys_fit_if_each_can_read_the_other(here: list[str], deployed: list[str]) -> None:
    """This process reads what any other writes first, whatever order they have; the others read what it writes."""
    fits = keys_fit(here, deployed)

    assert fits == (set(deployed) <= set(here) and here[0] in deployed)
    assert keys_fit(deployed, deployed)
    if fits:
        assert all(first in here for first in deployed)
