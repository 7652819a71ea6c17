"""How record batches are compressed, and how a topic says so."""

import sys
import zlib
from typing import Any

from aiokafka.record.default_records import DefaultRecordBatchBuilder

from xero_stream.settings.kafka import KafkaSettings

GZIP_LEVEL = 1
"""The fastest level; ``docs/decisions/0013-gzip.md`` has the figures."""

_GZIP_CONTAINER = 31
"""zlib's ``wbits`` for the largest window inside a gzip header and trailer."""


def compression(settings: KafkaSettings) -> dict[str, Any]:
    """The keyword arguments that make a producer compress as the settings say.

    aiokafka has no argument for the level of gzip and always uses 9, four times the processor time of level 1. The function
    that it calls is replaced for this process.

    Args:
        settings: which codec.
    """
    if settings.compression == "none":
        return {"compression_type": None}
    if settings.compression == "gzip":
        # The builder's module: aiokafka has one in C and one in Python.
        sys.modules[DefaultRecordBatchBuilder.__module__].gzip_encode = _gzip  # type: ignore[attr-defined]
    return {"compression_type": settings.compression}


def topic_compression(settings: KafkaSettings) -> str:
    """The value of a topic's ``compression.type`` for the codec of the settings.

    Args:
        settings: which codec.
    """
    return "uncompressed" if settings.compression == "none" else settings.compression


def _gzip(payload: bytes) -> bytes:
    return zlib.compress(payload, GZIP_LEVEL, _GZIP_CONTAINER)
