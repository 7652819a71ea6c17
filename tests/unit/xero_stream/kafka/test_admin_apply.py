"""Topics that the controller has made and the broker does not list yet."""

from types import SimpleNamespace
from typing import Any

from xero_stream.kafka.admin import TopicAdmin, wanted
from xero_stream.settings.kafka import KafkaSettings


class LateBroker:
    """An admin client whose broker lists new topics only the third time it is asked after their creation."""

    def __init__(self) -> None:
        self.made: dict[str, int] = {}
        self.asked = 0

    async def list_topics(self) -> list[str]:
        """Nothing until the metadata has arrived."""
        self.asked += bool(self.made)
        return list(self.made) if self.asked > 2 else []

    async def describe_topics(self, names: list[str]) -> list[dict[str, Any]]:
        """Their partitions."""
        return [{"topic": name, "partitions": [{}] * self.made[name]} for name in names]

    async def create_topics(self, topics: list[Any]) -> Any:
        """The controller answers at once."""
        self.made = {topic.name: topic.num_partitions for topic in topics}

        return SimpleNamespace(topic_errors=[(topic.name, 0, None) for topic in topics])


async def test_apply_returns_when_the_broker_lists_what_was_created() -> None:
    """Who checks right after it finds no topic missing."""
    settings = KafkaSettings.read(bootstrap_servers="127.0.0.1:9", partitions=2, replication_factor=1)
    admin, broker = TopicAdmin(settings), LateBroker()
    admin._client = broker
    specs = wanted(settings, ())

    applied = await admin.apply(specs)

    assert applied.created == [spec.name for spec in specs]
    assert await admin.partitions([spec.name for spec in specs]) == {spec.name: spec.partitions for spec in specs}
