"""Which partition a tenant lives in: Kafka's default partitioner, computed by us.

The hash is the murmur2 of Kafka's Java client (``org.apache.kafka.common.utils.Utils.murmur2``, seed ``0x9747b28c``),
and the partition is ``(hash & 0x7fffffff) % partitions`` (``BuiltInPartitioner.partitionForKey``), so that a producer
in any language that keys by the tenant id agrees with us.
"""

from functools import lru_cache

from xero_stream.contracts.names import TenantId

_MASK = 0xFFFFFFFF
_M = 0x5BD1E995
_SEED = 0x9747B28C


def murmur2(data: bytes) -> int:
    """Kafka's murmur2.

    Args:
        data: the serialised key.

    Returns:
        The hash as an unsigned 32-bit integer.
    """
    length = len(data)
    h = (_SEED ^ length) & _MASK
    whole = length & ~3
    for i in range(0, whole, 4):
        k = int.from_bytes(data[i : i + 4], "little")
        k = (k * _M) & _MASK
        k ^= k >> 24
        k = (k * _M) & _MASK
        h = ((h * _M) & _MASK) ^ k
    rest = data[whole:]
    if rest:
        h = ((h ^ int.from_bytes(rest, "little")) * _M) & _MASK
    h ^= h >> 13
    h = (h * _M) & _MASK
    return h ^ (h >> 15)


@lru_cache(maxsize=20_000)  # the hash is slow in Python, and nearly every event is of an organisation seen before
def partition_of(tenant_id: TenantId, partitions: int) -> int:
    """The partition of every keyed record of a tenant.

    Args:
        tenant_id: the Xero organisation, as :mod:`xero_stream.contracts.ids` spells it.
        partitions: the deployment's partition count.

    Returns:
        A number from 0 to ``partitions - 1``.
    """
    return (murmur2(tenant_id.encode()) & 0x7FFFFFFF) % partitions
