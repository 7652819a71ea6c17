"""Answers packed with gzip for whoever takes it, as Xero's are. Pure; the same bytes from the same bytes."""

import zlib

SMALLEST = 860
"""Bytes of a body that is packed; shorter ones gain nothing (the limit of Akamai, which stands before Xero's API)."""

_LEVEL = 1
_GZIP = 16 + zlib.MAX_WBITS


def takes_gzip(accepted: str) -> bool:
    """Whether a client takes gzip (RFC 9110, section 12.5.3).

    Args:
        accepted: its ``Accept-Encoding``; empty if it has none.
    """
    weights = {}
    for part in accepted.lower().split(","):
        coding, _, parameters = part.partition(";")
        weights[coding.strip()] = _weight(parameters)
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def _weight(parameters: str) -> float:
    name, _, value = parameters.partition("=")
    try:
        return float(value) if name.strip() == "q" else 1.0
    except ValueError:
        return 1.0


def packed(body: bytes) -> bytes:
    """The body as gzip, without a time in its head."""
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    return packer.compress(body) + packer.flush()
