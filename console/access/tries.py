"""How many requests without a valid key an address may send. Pure; ``now`` is an argument.

A valid key that was looked up a moment ago is let in whatever its address did: callers behind one proxy share an address.
"""

import math
from collections import OrderedDict
from ipaddress import IPv6Address, ip_address

MOST = 10
"""Failed tries at once; after them one every six seconds."""
EVERY = 6.0
ADDRESSES = 10_000


class Tries:
    """A bucket of tries per address; addresses that were not seen for longest are forgotten beyond a number."""

    def __init__(self, *, most: int = MOST, every: float = EVERY, addresses: int = ADDRESSES) -> None:
        """All buckets are full.

        Args:
            most: tries in a full bucket.
            every: seconds after which one try is added.
            addresses: most buckets that are remembered.
        """
        self._most, self._every, self._addresses = most, every, addresses
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._left)

    def wait(self, address: str, now: float) -> int:
        """When the next try is looked at. Nothing is taken: how a try ends is known later, and valid keys may come together.

        Args:
            address: the caller's.
            now: monotonic seconds.

        Returns:
            0, or in how many whole seconds.
        """
        left = self._at(_network(address), now)
        return 0 if left >= 1 else math.ceil((1 - left) * self._every)

    def failed(self, address: str, now: float) -> None:
        """A try failed. Tries that were under way together may take more than there is: then the wait is longer.

        Args:
            address: the caller's.
            now: monotonic seconds.
        """
        network = _network(address)
        self._left[network] = (max(self._at(network, now) - 1, -self._most), now)
        self._left.move_to_end(network)
        if len(self._left) > self._addresses:
            self._left.popitem(last=False)

    def _at(self, network: str, now: float) -> float:
        left, then = self._left.get(network, (self._most, now))
        return min(self._most, left + max(0.0, now - then) / self._every)


def _network(address: str) -> str:
    """An IPv6 address's /64, which one caller has whole; any other address as it is."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped:
            return str(found.ipv4_mapped)
        return str(IPv6Address(int(found) >> 64 << 64))
    return str(found)
