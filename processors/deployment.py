"""A process among others: its settings stay the deployment's, and Kafka has them for processes without a store."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import asyncpg
import structlog
from aiokafka.errors import KafkaError

from xero_stream.contracts.names import EntityName
from xero_stream.kafka.admin import KafkaUnreachableError, TopicAdmin
from xero_stream.kafka.marker import concerning_kafka, read_marker, write_marker
from xero_stream.settings.apps import App, Apps
from xero_stream.settings.base import SettingsError
from xero_stream.settings.kafka import KafkaSettings
from xero_stream.settings.shared import KEYS, Shared, values, values_of_apps
from xero_stream.settings.store import EncryptionKeys, EncryptionSettings
from xero_stream.store.crypto import TokenCipher
from xero_stream.store.deployment import DeploymentMismatchError, drop_leftovers, keep_same, read, require_same
from xero_stream.store.pool import STORE_ERRORS

log = structlog.get_logger(__name__)

_LOOK_SECONDS = 1.0
_SETTLE_SECONDS = 60.0


class Follower:
    """Compares with the deployment for as long as the process runs."""

    def __init__(
        self,
        *,
        pool: "asyncpg.Pool[Any]",
        kafka: KafkaSettings,
        entities: Sequence[EntityName],
        apps: Apps,
        keys: EncryptionKeys,
        cipher: TokenCipher,
        shared: Callable[[], Shared],
        on_apps: Callable[[], None],
    ) -> None:
        """Nothing is compared before :meth:`follow`.

        Args:
            apps: the process's apps; their file is read again when it changes.
            keys: the process's encryption keys; their file is read again when it changes.
            cipher: is given the new keys.
            shared: the process's values of the settings that must be the same in all, with its present apps.
            on_apps: told when other apps are in force.
        """
        self._pool = pool
        self._kafka = kafka
        self._entities = entities
        self._apps = apps
        self._keys = keys
        self._cipher = cipher
        self._shared = shared
        self._on_apps = on_apps
        self._deployed: Shared = {}
        self._unusable = ""
        self._unusable_keys = ""

    async def follow(self) -> None:
        """Look every second.

        Raises:
            DeploymentMismatchError: the deployment's settings were changed, and this process has the former ones.
        """
        while True:
            await self.look()
            await asyncio.sleep(_LOOK_SECONDS)

    async def look(self) -> None:
        """Compare once.

        Raises:
            DeploymentMismatchError: as :meth:`follow`.
        """
        try:
            deployment = await read(self._pool)
            self._deployed = deployment.shared if deployment else {}
            # Before the comparison: what was changed may be what the files say by now.
            self._refresh_apps()
            self._refresh_keys()
            if deployment is not None:
                await keep_same(self._pool, self._shared())
        except STORE_ERRORS as error:
            log.debug("deployment_not_compared", reason=str(error)[:300])
            self._refresh_apps()

    async def settle(self) -> None:
        """Each minute: what processes with former settings left behind goes, and Kafka has the deployment's settings.

        Apart from the rest: nothing waits for it, however long Kafka takes.
        """
        while True:
            await asyncio.sleep(_SETTLE_SECONDS)
            try:
                await drop_leftovers(self._pool, self._entities, self._shared())
                deployment = await read(self._pool)
                if deployment is not None:
                    await tell_kafka(self._kafka, deployment.shared)
            except (*STORE_ERRORS, KafkaUnreachableError, KafkaError, DeploymentMismatchError) as error:
                log.warning("deployment_not_settled", reason=str(error)[:300])
            except Exception as error:
                log.exception("deployment_not_settled", reason=repr(error)[:300])

    def _refresh_apps(self) -> None:
        """Read the apps file again if it changed; one that can't be used, or differs from the deployment, changes nothing."""
        try:
            if self._apps.refresh(accept=self._accept):
                log.info("apps_read_again", apps=[app.name for app in self._apps.all()])
                self._on_apps()
            self._unusable = ""
        except (SettingsError, DeploymentMismatchError) as error:
            if str(error) != self._unusable:
                self._unusable = str(error)
                log.error("apps_file_unusable", reason=self._unusable)  # noqa: TRY400 - the message says all

    def _refresh_keys(self) -> None:
        """Read the key file again if it changed; keys that can't be used, or do not fit the deployment's, change nothing."""
        try:
            if self._keys.refresh(accept=self._accept_keys):
                log.info("encryption_keys_read_again", keys=values(self._keys.settings)[KEYS])
            self._unusable_keys = ""
        except (SettingsError, DeploymentMismatchError) as error:
            if str(error) != self._unusable_keys:
                self._unusable_keys = str(error)
                log.error("encryption_keys_file_unusable", reason=self._unusable_keys)  # noqa: TRY400 - the message says all

    def _accept_keys(self, settings: EncryptionSettings) -> None:
        require_same(values(settings), self._deployed)
        self._cipher.take(settings.keys)

    def _accept(self, apps: Sequence[App]) -> None:
        require_same(values_of_apps(apps), self._deployed, complete=True)


async def tell_kafka(kafka: KafkaSettings, shared: Shared) -> None:
    """Write the deployment's settings where processes without a store find them, if they are not there."""
    async with TopicAdmin(kafka) as admin:
        known = await read_marker(admin, kafka)
    if known != concerning_kafka(shared):
        await write_marker(kafka, shared)
