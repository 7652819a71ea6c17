"""Which entities are streamed."""

import pytest

from xero_stream.contracts.names import STREAMED, EntityName
from xero_stream.settings.base import SettingsError
from xero_stream.settings.entities import EntitySettings


def test_all_that_xero_announces_unless_said_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing set, or set to nothing."""
    monkeypatch.delenv("XERO_STREAM_ENTITIES", raising=False)
    assert EntitySettings.read().entities == STREAMED

    monkeypatch.setenv("XERO_STREAM_ENTITIES", "")
    assert EntitySettings.read().entities == STREAMED


def test_a_list_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blanks, letter case and repetitions don't matter."""
    monkeypatch.setenv("XERO_STREAM_ENTITIES", " Contacts, invoices,contacts ,")

    assert EntitySettings.read().entities == (EntityName.CONTACTS, EntityName.INVOICES)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("invoices,bananas", "XERO_STREAM_ENTITIES"),
        (" , ", "XERO_STREAM_ENTITIES"),
        ("invoices,bank-transactions", "bank-transactions can't be streamed by this release"),
    ],
)
def test_anything_else_is_refused(monkeypatch: pytest.MonkeyPatch, value: str, told: str) -> None:
    """An entity nobody knows, none at all, or one whose changes would go unnoticed."""
    monkeypatch.setenv("XERO_STREAM_ENTITIES", value)

    with pytest.raises(SettingsError, match=told):
        EntitySettings.read()
