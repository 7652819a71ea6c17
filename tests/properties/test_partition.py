"""The partition rule agrees with Kafka's own and with its Python client's."""

import pytest
from aiokafka.partitioner import murmur2 as client_murmur2
from hypothesis import given
from hypothesis import strategies as st

from xero_stream.contracts.names import TenantId
from xero_stream.contracts.partition import murmur2, partition_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("21", -973932308),
        ("foobar", -790332482),
        ("a-little-bit-long-string", -985981536),
        ("a-little-bit-longer-string", -1486304829),
        ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        ("abc", 479470107),
    ],
)
def test_the_vectors_of_kafkas_own_test(text: str, expected: int) -> None:
    """The values in UtilsTest.testMurmur2 of Apache Kafka."""
    assert murmur2(text.encode()) == expected & 0xFFFFFFFF


@given(key=st.binary(max_size=64))
def test_any_key_hashes_as_the_client_does(key: bytes) -> None:
    """The port in aiokafka of the same function gives the same value."""
    assert murmur2(key) == client_murmur2(key) & 0xFFFFFFFF


@given(tenant=st.uuids().map(lambda value: TenantId(str(value))), partitions=st.integers(1, 1000))
def test_a_partition_exists(tenant: TenantId, partitions: int) -> None:
    """The partition is one of the topic's, and always the same."""
    partition = partition_of(tenant, partitions)

    assert 0 <= partition < partitions
    assert partition == (client_murmur2(tenant.encode()) & 0x7FFFFFFF) % partitions
