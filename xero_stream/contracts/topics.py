"""Topic names: a configurable prefix and the words of DESIGN's topic table."""

from dataclasses import dataclass

from xero_stream.contracts.names import EntityName


@dataclass(frozen=True, slots=True, kw_only=True)
class Topics:
    """The names of one deployment's topics.

    Attributes:
        prefix: what every name starts with, by default ``xero``.
        one_changes_topic: all entities on ``<prefix>.changes``, which keeps order across entities.
    """

    prefix: str = "xero"
    one_changes_topic: bool = False

    @property
    def webhook_events(self) -> str:
        """One record per verified Xero event, keyed by tenant."""
        return f"{self.prefix}.webhook-events"

    @property
    def webhook_deliveries(self) -> str:
        """The exact bytes and signature of each delivery; written only where the setting asks for it."""
        return f"{self.prefix}.webhook-deliveries"

    @property
    def dead_letters(self) -> str:
        """What could not be parsed or applied."""
        return f"{self.prefix}.dead-letters"

    @property
    def commands(self) -> str:
        """Writes asked for. Nothing makes this topic yet; who may write to it is decided before it exists."""
        return f"{self.prefix}.commands"

    def changes(self, entity: EntityName) -> str:
        """The change events of an entity."""
        return f"{self.prefix}.changes" if self.one_changes_topic else f"{self.prefix}.changes.{entity}"

    def records(self, entity: EntityName) -> str:
        """The compacted topic with the latest record of each id."""
        return f"{self.prefix}.records.{entity}"

    @property
    def processors_group(self) -> str:
        """The consumer group that spreads partitions over processors."""
        return f"{self.prefix}.processors"

    @property
    def relay_group(self) -> str:
        """The member-less group whose offsets hold the relayed positions."""
        return f"{self.prefix}.relay"

    @property
    def deployment_group(self) -> str:
        """The member-less group whose offset on ``webhook-events`` carries the settings that all processes share."""
        return f"{self.prefix}.deployment"

    @property
    def relay_transactional_ids(self) -> str:
        """What the transactional ids of all partitions begin with."""
        return f"{self.prefix}.relay."

    def relay_transactional_id(self, partition: int) -> str:
        """The transactional id that fences the previous owner of a partition."""
        return f"{self.relay_transactional_ids}{partition}"
