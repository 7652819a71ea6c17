"""Answers packed with gzip."""

import gzip

import pytest

from simulator.compression import packed, takes_gzip


@pytest.mark.parametrize(
    "accepted", ["gzip", "gzip, deflate, br", "br;q=1.0, gzip;q=0.8", "*", "GZIP", "deflate;q=0, *;q=0.1"]
)
def test_who_takes_gzip(accepted: str) -> None:
    """By name, or by the star."""
    assert takes_gzip(accepted)


@pytest.mark.parametrize("accepted", ["", "identity", "gzip;q=0", "gzip;q=0.0, *", "br", "xgzip", "*;q=0"])
def test_who_does_not(accepted: str) -> None:
    """Zero is a refusal; nothing said is none either."""
    assert not takes_gzip(accepted)


def test_the_same_bytes_again() -> None:
    """Whatever the time."""
    assert packed(b"x" * 5000) == packed(b"x" * 5000)
    assert gzip.decompress(packed(b"x" * 5000)) == b"x" * 5000
