"""What the doctor says of clocks."""

import httpx
import pytest

from cli.doctor.clocks import _kafka_ahead, compare
from cli.doctor.findings import State


def test_all_agree() -> None:
    """Those that could be asked are named."""
    assert [one.what for one in compare(0.1, -30.0, 2.0)] == ["this machine's, Xero's, Kafka's: agree with the store's"]
    assert [one.what for one in compare(0.1, None)] == ["this machine's: agree with the store's"]


def test_each_that_differs() -> None:
    """Said with size and direction."""
    found = compare(7200.0, -90.0, 61.0)

    assert {one.state for one in found} == {State.PROBLEM}
    assert [one.what for one in found] == [
        "this machine's clock is 2.0 hours ahead of the store's",
        "Xero's clock is 90 seconds behind the store's",
        "Kafka's clock is 61 seconds ahead of the store's",
    ]


@pytest.mark.parametrize(
    ("page", "ahead"),
    [
        ('# TYPE x gauge\nxero_stream_clock_difference_seconds{clock="kafka"} 3.5\n', 3.5),
        ('xero_stream_clock_difference_seconds{clock="xero"} 3.5\n', None),
        ("", None),
    ],
)
async def test_what_processors_tell(page: str, ahead: float | None) -> None:
    """The gauge for Kafka, where there is one."""
    transport = httpx.MockTransport(lambda _: httpx.Response(200, text=page))

    assert await _kafka_ahead(transport) == ahead
