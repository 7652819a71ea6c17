"""What an organisation is made of is checked before anything is called."""

from datetime import datetime
from typing import Any

import httpx
import pytest

from tests.unit.xero_api.rig import TENANT, Xero
from xero_api.organisation import Organisation
from xero_stream.settings.xero import AppTier


def _books(**options: Any) -> Organisation:
    return Organisation(Xero(lambda _: httpx.Response(200)).client, TENANT, **options)


async def test_a_moment_without_a_zone_is_refused_at_once() -> None:
    """Else the first write would be done, and its answer lost in the error."""
    with pytest.raises(ValueError, match="connected_at has no time zone"):
        _books(tier=AppTier.PLUS, connected_at=datetime.fromisoformat("2026-11-22T10:00:00"))


async def test_a_tier_may_be_its_word() -> None:
    """As it stands in a setting; what is none is told with those there are."""
    assert _books(tier="starter").left_today == 1_000
    with pytest.raises(ValueError, match="no tier 'gold'; Xero has starter, core"):
        _books(tier="gold")
