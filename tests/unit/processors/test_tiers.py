"""What an app's pricing tier leaves out is never asked for."""

from types import SimpleNamespace
from typing import cast

import pytest

from processors.app import ProcessorsConfig
from processors.tenants.services import RunnerServices
from xero_stream.contracts.names import AppName, EntityName
from xero_stream.settings import entities
from xero_stream.settings.base import SettingsError
from xero_stream.settings.xero import AppTier

ENABLED = (EntityName.INVOICES, EntityName.JOURNALS)


def test_an_app_reads_what_its_tier_includes() -> None:
    """Another app of the deployment may read more."""
    tiers = {AppName("uk"): AppTier.PLUS, AppName("nz"): AppTier.ADVANCED}
    services = cast("RunnerServices", SimpleNamespace(entities=ENABLED, tier_of=tiers.__getitem__))

    assert RunnerServices.entities_of(services, AppName("uk")) == (EntityName.INVOICES,)
    assert RunnerServices.entities_of(services, AppName("nz")) == ENABLED


@pytest.mark.parametrize("tier", ["starter", "advanced"])
def test_enabling_what_no_app_may_read_is_refused_at_the_start(monkeypatch: pytest.MonkeyPatch, tier: str) -> None:
    """With the setting's name, the tier it takes and what to do; with that tier it starts."""
    monkeypatch.setattr(entities, "STREAMED", ENABLED)
    for name, value in {
        "XERO_STREAM_ENTITIES": "invoices,journals",
        "XERO_APP_TIER": tier,
        "DATABASE_URL": "postgresql://localhost/x",
        "KAFKA_BOOTSTRAP_SERVERS": "localhost:1",
        "XERO_STREAM_ENCRYPTION_KEYS": "k",
    }.items():
        monkeypatch.setenv(name, value)

    if tier == "advanced":
        assert ProcessorsConfig.read().entities == ENABLED
    else:
        with pytest.raises(
            SettingsError, match=r"XERO_STREAM_ENTITIES: accounting\.journals\.read .*advanced.*starter"
        ):
            ProcessorsConfig.read()
