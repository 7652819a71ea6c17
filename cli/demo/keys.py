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
    HELP = "?"

    @property
    def label(self) -> str:
        """What it does, in two or three words."""
        return _LABELS[self]

    @property
    def about(self) -> str:
        """What it does, in a sentence."""
        return _ABOUT[self]


_LABELS = {
    Key.EDIT: "100 edits",
    Key.KILL: "kill a worker",
    Key.STOP_KAFKA: "stop Kafka",
    Key.RATE_LIMIT: "limit",
    Key.VERIFY: "verify",
    Key.QUIT: "quit",
    Key.HELP: "help",
}
_ABOUT = {
    Key.EDIT: "makes 100 random edits in Xero at once",
    Key.KILL: "ends the next worker (processor, receiver, processor) with kill -9; it is started again at once",
    Key.STOP_KAFKA: "stops Kafka and starts it again after 4 seconds; meanwhile webhooks are answered 503, and Xero sends them again",
    Key.RATE_LIMIT: "lets Xero refuse one organisation for 10 seconds (429); the others go on",
    Key.VERIFY: "stops the edits, waits until all is published, and compares it with what Xero has, record by record",
    Key.QUIT: "stops everything; the next demo goes on with the data kept",
    Key.HELP: "shows or hides these lines",
}


def help_lines() -> list[str]:
    """What each key does, a line each."""
    return [f"{key.value}  {key.about}" for key in Key]


def key_of(character: str) -> Key | None:
    """The key of a character, in either case; None for any other."""
    try:
        return Key(character.lower())
    except ValueError:
        return None
