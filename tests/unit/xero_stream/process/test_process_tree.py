"""Which processes belong to a server: the pure part of the shim."""

import os

from xero_stream.process.shim import descendants, parents


def test_nearest_first() -> None:
    """Children before grandchildren, and nobody else's."""
    assert descendants(10, {10: 1, 11: 10, 12: 10, 13: 11, 14: 13, 20: 1, 21: 20}) == [11, 12, 13, 14]


def test_we_are_in_the_table() -> None:
    """The system's processes are read with their parents."""
    assert parents()[os.getpid()] == os.getppid()
