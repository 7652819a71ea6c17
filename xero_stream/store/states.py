"""The closed words that columns hold. Pure."""

from enum import StrEnum


class Mode(StrEnum):
    """How a row of ``dirty`` may be read."""

    ANY = "any"  # by a pass, by ids or alone
    IDS = "ids"  # a pass did not bring it: by ids or alone
    ALONE = "alone"  # by a single GET


class PassKind(StrEnum):
    """Why everything since a moment is read."""

    BACKFILL = "backfill"
    CATCH_UP = "catch_up"
