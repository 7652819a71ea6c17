"""Which entity an event is about. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from xero_api.entity import Entity
from xero_stream.contracts.names import EntityName

_PATH = re.compile(r"/api\.xro/2\.0/([A-Za-z]{1,40})(?:/|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subjects:
    """The entities whose events are processed.

    Attributes:
        categories: entity by ``eventCategory`` in upper case.
        paths: entity by its path segment in ``resourceUrl``, in lower case.
    """

    categories: Mapping[str, EntityName]
    paths: Mapping[str, EntityName]

    @classmethod
    def of(cls, entities: Iterable[Entity[Any]]) -> Self:
        """Those of the entities that Xero announces."""
        announced = [entity for entity in entities if entity.webhook]
        return cls(
            categories={str(entity.webhook): entity.name for entity in announced},
            paths={entity.path.lower(): entity.name for entity in announced},
        )

    def entity_of(self, category: str, event: Mapping[str, Any]) -> EntityName | None:
        """The entity an event is about, or None: it is not processed.

        A category that we don't know is looked up by ``resourceUrl``: the word for payments is unconfirmed, and Xero adds
        words without notice. A record that is read without a result is the worst that can come of it.

        Args:
            category: ``eventCategory`` in upper case.
            event: the event as sent.
        """
        entity = self.categories.get(category)
        if entity is not None:
            return entity
        url = event.get("resourceUrl")
        found = _PATH.search(url) if isinstance(url, str) else None
        return self.paths.get(found[1].lower()) if found else None
