"""Whether this receiver fits its deployment, as far as Kafka can tell: it has no store to ask."""

import asyncio
import time
from collections.abc import Callable

import structlog
from aiokafka.errors import KafkaError

from xero_stream.kafka.admin import KafkaUnreachableError, TopicAdmin
from xero_stream.kafka.marker import read_marker
from xero_stream.settings.base import Section, SettingsError
from xero_stream.settings.entities import EntitySettings
from xero_stream.settings.kafka import KafkaSettings
from xero_stream.settings.receiver import ReceiverSettings
from xero_stream.settings.shared import KEEP_DELIVERIES, RULES, Shared, differences, values

log = structlog.get_logger(__name__)

_LOOK_SECONDS = 10.0
_AGAIN_SECONDS = 1.0
MISSING_SECONDS = 3.0
"""A broker that has just come back may not know every topic yet: one that is missing for so long does not exist."""


class MisfitError(SettingsError):
    """The receiver's settings differ from the deployment's, or a topic does not exist."""


def compared(kafka: KafkaSettings, settings: ReceiverSettings, entities: EntitySettings) -> dict[str, str]:
    """What this receiver has of the settings that must be the same: what it uses, and what somebody set for it.

    A default is no statement: a receiver uses neither the entities nor the topics of changes, and need not be given them.

    Args:
        settings: the receiver's own.
    """
    given: set[str] = {KEEP_DELIVERIES}
    sections: tuple[Section, ...] = (kafka, settings, entities)
    for section in sections:
        given |= {type(section).model_fields[name].alias or name for name in section.model_fields_set}
    return values(*sections, only={name for name in given if name in RULES and RULES[name].on_kafka})


class Fit:
    """Compares the receiver with what Kafka says, at the start and from then on."""

    def __init__(
        self,
        *,
        kafka: KafkaSettings,
        ours: Shared,
        keep_deliveries: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is asked before :meth:`run`.

        Args:
            kafka: where Kafka is, and the prefix.
            ours: from :func:`compared`.
            keep_deliveries: whether their topic is needed.
            clock: monotonic seconds.
        """
        topics = kafka.topics
        self._kafka = kafka
        self._ours = ours
        self._needed = [topics.webhook_events, topics.dead_letters]
        self._needed += [topics.webhook_deliveries] if keep_deliveries else []
        self._clock = clock
        self._missing_since: float | None = None
        self.fitted = asyncio.Event()
        """Set once everything was compared and fits."""

    async def run(self) -> None:
        """Look again and again.

        What is wrong from the start ends this; what changes later is logged: only a receiver that runs can answer Xero.

        Raises:
            MisfitError: it does not fit; the message has both values.
        """
        said: str | None = None
        while True:
            pause = _LOOK_SECONDS
            try:
                await self._look()
                self.fitted.set()
                said = None
            except MisfitError as error:
                if not self.fitted.is_set():
                    raise
                if str(error) != said:
                    said = str(error)
                    log.error("deployment_differs", reason=said)  # noqa: TRY400 - the message says it all
            except _NotYetError:
                pause = _AGAIN_SECONDS
            except (KafkaUnreachableError, KafkaError, OSError, TimeoutError) as error:
                pause = _AGAIN_SECONDS if not self.fitted.is_set() else _LOOK_SECONDS
                log.debug("deployment_not_compared", reason=str(error)[:300])
            await asyncio.sleep(pause)

    async def _look(self) -> None:
        async with TopicAdmin(self._kafka) as admin:
            there = await admin.partitions(self._needed)
            missing = [name for name in self._needed if name not in there]
            if missing:
                self._is_missing(missing)
            self._missing_since = None
            found = differences(self._ours, await read_marker(admin, self._kafka))
        if found:
            raise MisfitError("; ".join(map(str, found)))

    def _is_missing(self, names: list[str]) -> None:
        """Say so, once it is certain."""
        now = self._clock()
        self._missing_since = now if self._missing_since is None else self._missing_since
        if now - self._missing_since < MISSING_SECONDS:
            raise _NotYetError
        raise MisfitError(
            f"{', '.join(names)} {'does' if len(names) == 1 else 'do'} not exist on {self._kafka.bootstrap_servers}: run "
            f"`xero-stream topics apply`, or correct KAFKA_TOPIC_PREFIX (here {self._kafka.topic_prefix})"
        )


class _NotYetError(Exception):
    """A topic is missing, perhaps only for a moment."""
