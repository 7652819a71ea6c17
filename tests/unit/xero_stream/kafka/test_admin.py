"""What becomes of Kafka's refusals."""

import pytest
from aiokafka.errors import KafkaError, NotControllerError, RequestTimedOutError

from xero_stream.kafka import admin
from xero_stream.kafka.admin import KafkaUnreachableError, TopicAdmin
from xero_stream.settings.kafka import KafkaSettings


class Client:
    """aiokafka's admin client; fails where it is told to."""

    def __init__(self, *, start_error: BaseException | None = None, list_error: KafkaError | None = None) -> None:
        self.start_error, self.list_error = start_error, list_error
        self.closed = 0

    async def start(self) -> None:
        """Fail, or not."""
        if self.start_error is not None:
            raise self.start_error

    async def list_topics(self) -> list[str]:
        """Fail, or tell of none."""
        if self.list_error is not None:
            raise self.list_error
        return []

    async def close(self) -> None:
        """Count it."""
        self.closed += 1


@pytest.mark.parametrize("error", [AssertionError(), RequestTimedOutError(), OSError("refused")], ids=repr)
async def test_no_answer_at_the_start(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """A broker that has just come back tells of no broker at all, which aiokafka asserts: it is not there yet."""
    client = Client(start_error=error)
    monkeypatch.setattr(admin, "AIOKafkaAdminClient", lambda **_: client)

    with pytest.raises(KafkaUnreachableError, match="KAFKA_BOOTSTRAP_SERVERS"):
        await TopicAdmin(KafkaSettings()).__aenter__()

    assert client.closed == 1


async def test_no_answer_half_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """What Kafka refuses later is told in the same words; the connection is closed."""
    client = Client(list_error=NotControllerError())
    monkeypatch.setattr(admin, "AIOKafkaAdminClient", lambda **_: client)

    with pytest.raises(KafkaUnreachableError, match="NotControllerError"):
        async with TopicAdmin(KafkaSettings()) as connected:
            await connected.check([])

    assert client.closed == 1
