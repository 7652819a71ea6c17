"""Removing an organisation: at Xero first, then here. Repeating is harmless."""

from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import asyncpg
from prometheus_client import CollectorRegistry

from cli.store import store
from processors.quotas.metrics import QuotaMetrics
from processors.xero import open_xero
from xero_api.errors import DisconnectedError, ReauthoriseError
from xero_stream.contracts.names import AppName, TenantId
from xero_stream.settings.apps import Apps
from xero_stream.settings.entities import EntitySettings
from xero_stream.settings.store import EncryptionSettings
from xero_stream.settings.xero import XeroSettings
from xero_stream.store.clock import set_clock
from xero_stream.store.connections import remove as forget
from xero_stream.store.crypto import TokenCipher
from xero_stream.store.deployment_keys import check_keys
from xero_stream.store.tenants import Tenant, tenants


class NoSuchOrganisationError(Exception):
    """The organisation is not among the connected ones; the message says where to look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """What was removed.

    Attributes:
        tenant: the organisation as it was.
        at_xero: what became of its connection at Xero, for people.
    """

    tenant: Tenant
    at_xero: str


async def remove(tenant_id: TenantId, *, at_xero: bool) -> Removed:
    """Disconnect an organisation at Xero, then forget it here. Where Xero does not answer, nothing is forgotten.

    Args:
        at_xero: whether to disconnect it at Xero.

    Raises:
        NoSuchOrganisationError: it is not known here.
        SettingsError, StoreUnreachableError, DeploymentKeysError: the store or a setting of it is missing or wrong.
        XeroError: Xero was asked and did not do it.
    """
    async with store() as pool:
        found = await tenants(pool, tenant_id=tenant_id)
        if not found:
            raise NoSuchOrganisationError(
                f"no organisation {tenant_id} is connected here: `xero-stream tenants list` shows those that are"
            )
        tenant = found[0]
        told = "Xero keeps its connection (--keep-at-xero)"
        if at_xero:
            try:
                told = await _disconnect(pool, tenant)
            except Exception as error:
                error.add_note("Nothing was removed; --keep-at-xero removes it here alone.")
                raise
        await forget(pool, tenant_id)
        return Removed(tenant=tenant, at_xero=told)


async def _disconnect(pool: "asyncpg.Pool[Any]", tenant: Tenant) -> str:
    if tenant.connection_id is None:
        return "a custom connection has no connection to take away: remove it in Xero's developer portal"
    encryption, apps, entities = EncryptionSettings.read(), Apps.read(), EntitySettings.read().entities
    cipher = TokenCipher(encryption.keys)
    await check_keys(pool, cipher)
    await set_clock(pool)
    xero = open_xero(
        XeroSettings.read(),
        apps,
        pool,
        cipher,
        QuotaMetrics(CollectorRegistry()),
        lambda _: None,
        lambda _: entities,
    )
    async with aclosing(xero):
        app = AppName(tenant.app)
        try:
            token = await xero.tokens.token(app, tenant.tenant_id)
            was_there = await xero.client.disconnect(app, token, tenant.connection_id)
        except (DisconnectedError, ReauthoriseError):
            return "its grant is no longer valid at Xero"
    return "disconnected at Xero" if was_there else "Xero had no connection of it any more"
