"""The demo's keys, for people and for chaos."""

from enum import StrEnum


class Key(StrEnum):
    """What can be pressed."""

    EDIT = "e"
    KILL = "k"
    STOP_KAFKA = "b"
    RATE_LIMIT = "r"
    VERIFY = "v"
    QUIT = "q"

    @property
    def label(self) -> str:
        """What it does, in two or three words."""
        return _LABELS[self]


_LABELS = {
    Key.EDIT: "100 edits",
    Key.KILL: "kill -9 a worker",
    Key.STOP_KAFKA: "stop Kafka",
    Key.RATE_LIMIT: "rate-limit",
    Key.VERIFY: "verify",
    Key.QUIT: "quit",
}


def key_of(character: str) -> Key | None:
    """The key of a character, in either case; None for any other."""
    try:
        return Key(character.lower())
    except ValueError:
        return None
