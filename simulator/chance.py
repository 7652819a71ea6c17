"""The one seeded source of ids and choices. Nothing else in the simulator draws a random number."""

import random
import string


class Chance:
    """Independent random streams by name, so that drawing more of one (webhook entropy) changes no other (edits)."""

    def __init__(self, *, seed: int, boot: int = 0) -> None:
        """Start the streams.

        Args:
            seed: the simulator's seed.
            boot: how often these books were opened before; a reopened simulator must not draw the same ids again.
        """
        self._seed = seed
        self._boot = boot

    def stream(self, name: str) -> random.Random:
        """A fresh stream; the same seed, boot and name give the same numbers."""
        return random.Random(f"{self._seed}:{self._boot}:{name}")


def draw_uuid(source: random.Random) -> str:
    """A version 4 UUID, lower case."""
    bits = source.getrandbits(128) & ~(0xF << 76) & ~(0x3 << 62) | (0x4 << 76) | (0x2 << 62)
    digits = f"{bits:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def draw_letters(source: random.Random, count: int) -> str:
    """That many capital letters, as in the ``entropy`` of Xero's webhooks."""
    return "".join(source.choices(string.ascii_uppercase, k=count))
