"""Histories built by hand for the checkers of ``verify``: a good one, and what it takes to break it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from verify.history import Change, EventRef, History, RecordMessage, RecordRef, Spot
from xero_stream.contracts.change_event import ce_id, latest_headers, record_key
from xero_stream.contracts.names import EntityName, TenantId
from xero_stream.contracts.partition import partition_of

STORE = UUID("5b0a6c1e-8f10-4d53-9d0f-0a4f4a6f2d11")
TENANT = "7fd02b4c-8c84-46d4-ae4e-2a8d8b9f8d58"
PARTITIONS = 3
PARTITION = partition_of(TenantId(TENANT), PARTITIONS)

Record = Mapping[str, Any]


def ref(record_id: str, entity: str = "invoices") -> RecordRef:
    """A record of the one organisation there is."""
    return RecordRef(TENANT, entity, record_id)


class Log:
    """Writes changes as the product would, one partition, two entities; positions and links follow by themselves."""

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self.records: list[RecordMessage] = []
        self._heads: dict[str, int] = {}
        self._state: dict[RecordRef, Record | None] = {}

    def write(self, record_id: str, after: Record | None, *, at: int, entity: str = "invoices", op: str = "") -> None:
        """One change: the record becomes ``after`` (None: deleted) by an update of Xero's at ``at``."""
        name, position = ref(record_id, entity), len(self.changes) + 1
        before = self._state.get(name)
        after = None if after is None else {"tenant_id": TENANT, **after}
        topic = f"xero.changes.{entity}"
        key = record_key(TENANT, record_id)
        source = {
            "tenant_id": TENANT,
            "entity": entity,
            "record_id": record_id,
            "partition": PARTITION,
            "position": position,
            "previous": self._heads.get(topic, 0),
            "ts_ms": at,
        }
        op = op or ("d" if after is None else "u" if before is not None else "c")
        event = {
            "op": op,
            "before": before,
            "after": after,
            "source": source,
            "omitted": None,
        }
        word, verb = EntityName(entity).singular, {"c": "created", "r": "read", "u": "updated", "d": "deleted"}[op]
        headers = {
            "ce_id": ce_id(STORE, PARTITION, position),
            "ce_type": f"io.xerostream.{word}.{verb}",
            "ce_dataschema": f"urn:xero-stream:schema:{word}-change:1",
            "content-type": "application/json",
        }
        self.changes.append(Change(spot=Spot(topic, PARTITION, position * 2), key=key, headers=headers, event=event))
        value = None if after is None else {"position": position, "record": after}
        dataschema = None if after is None else f"urn:xero-stream:schema:{word}-latest:1"
        self.records.append(
            RecordMessage(
                spot=Spot(f"xero.records.{entity}", PARTITION, position),
                key=key,
                headers=latest_headers(headers, EntityName(entity), dataschema),
                entity=entity,
                value=value,
            )
        )
        self._heads[topic] = position
        self._state[name] = after

    def history(self) -> History:
        """The history of a day on which everything was well."""
        return History(
            changes=tuple(self.changes),
            records=tuple(self.records),
            acknowledged=(EventRef("aa", 0), EventRef("aa", 1), EventRef("bb", 0)),
            logged=(EventRef("aa", 0), EventRef("aa", 1), EventRef("aa", 0), EventRef("bb", 0)),
            truth=dict(self._state),
            partitions=PARTITIONS,
        )


def good_log() -> Log:
    """Invoices and contacts created, changed, deleted and revived."""
    log = Log()
    log.write("i1", {"id": "i1", "status": "draft", "total": 10.0}, at=1, op="r")
    log.write("c1", {"id": "c1", "name": "Ridgeway"}, at=2, entity="contacts")
    log.write("i1", {"id": "i1", "status": "authorised", "total": 10.0}, at=3)
    log.write("i2", {"id": "i2", "status": "draft", "total": 5.5}, at=4)
    log.write("i1", {"id": "i1", "status": "paid", "total": 10.0}, at=5)
    log.write("c1", None, at=6, entity="contacts")
    log.write("i2", None, at=7)
    log.write("i2", {"id": "i2", "status": "draft", "total": 6.0}, at=8)
    return log


def altered(change: Change, *, source: Record | None = None, **fields: Any) -> Change:
    """The change with other fields, of the event or of its source."""
    event = {**change.event, **fields, "source": {**change.event["source"], **(source or {})}}
    return replace(change, event=event)
