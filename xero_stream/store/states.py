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


class HoldState(StrEnum):
    """Why a kind of record is not read, or keeps failing."""

    NO_SCOPE = "no_scope"  # the token lacks the scope
    UNAUTHORISED = "unauthorised"  # 401 of Xero's although the token is fresh
    FORBIDDEN = "forbidden"  # 403 of Xero's, and it still lists the organisation
    BROKEN = "broken"  # our code failed before there was an answer
    FAILING = "failing"  # its calls fail again and again, each held for itself
    BACKFILL_FAILING = "backfill_failing"  # its first load does
    CATCH_UP_FAILING = "catch_up_failing"  # its catch-up does
