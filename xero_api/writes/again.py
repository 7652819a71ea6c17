"""Whether a write may be sent again, and how. Pure and total.

First: what became of it (:func:`fate_of`).

| what came back | fate |
| --- | --- |
| an answer that says what became of every row | DONE |
| nothing was sent: no token, no connection | NOT_DONE |
| an answer without a mark of Xero's | UNKNOWN: what gave it may have passed the request on |
| 401, 403, 429 | NOT_DONE: turned away at the door |
| 400 with rows refused while others were in the same request | UNKNOWN: Xero may have written the others |
| 400 whose body broke off | UNKNOWN: it may have been such a one |
| any other 4xx but 408, and 501 | NOT_DONE: refused |
| 408, 5xx, 3xx, no answer, half an answer, other rows than were sent | UNKNOWN |

Then: what may be sent (:func:`again`).

| fate | method and status | again |
| --- | --- | --- |
| DONE | | NEVER |
| NOT_DONE | no status (not sent), 401, 403, 429 | AS_IS, once the reason is gone |
| NOT_DONE | any other | NEVER: the same gets the same answer; another body needs another key |
| UNKNOWN | GET, HEAD, and DELETE of one record (a second 404 says it is gone) | AS_IS |
| UNKNOWN | PUT, POST with a key not older than :data:`KEY_SECONDS` | SAME_KEY: the same bytes under the same key |
| UNKNOWN | PUT, POST otherwise, every row can be looked up | AFTER_LOOK_UP |
| UNKNOWN | PUT, POST otherwise | NEVER: an operator decides |

After a 5xx the same key may only bring the same 5xx again, since Xero remembers failures too: harmless, and when the key
has grown too old the look-up decides.
"""

from enum import StrEnum

from xero_api.errors import InterceptedError, InvalidRowsError, TransientError, XeroError

KEY_SECONDS = 300.0
"""How long after its first sending a request may be sent again with its key. Xero remembers a key for six minutes; one
of them is left for the way there (https://developer.xero.com/documentation/guides/idempotent-requests)."""

_DOOR = frozenset({401, 403, 429})
_REPEATABLE = frozenset({"GET", "HEAD", "DELETE"})


class Fate(StrEnum):
    """What became of a write."""

    DONE = "done"  # the answer says what became of each row
    NOT_DONE = "not_done"  # certainly nothing happened
    UNKNOWN = "unknown"  # it may have happened


class Again(StrEnum):
    """How a request may be sent again."""

    AS_IS = "as_is"  # at any time
    SAME_KEY = "same_key"  # now, byte for byte, with the same key
    AFTER_LOOK_UP = "after_look_up"  # only rows that a look-up by id or natural key proves absent or unchanged
    NEVER = "never"


def fate_of(error: XeroError | None) -> Fate:
    """What became of a write.

    Args:
        error: what it raised; None if it was answered.
    """
    if error is None:
        return Fate.DONE
    if not error.sent:
        return Fate.NOT_DONE
    torn = error.status == 400 and isinstance(error, TransientError)
    if error.status is None or torn or isinstance(error, InvalidRowsError | InterceptedError):
        return Fate.UNKNOWN
    refused = 400 <= error.status < 500 and error.status != 408
    return Fate.NOT_DONE if refused or error.status == 501 else Fate.UNKNOWN


def again(method: str, status: int | None, fate: Fate, *, key_age: float | None, findable: bool) -> Again:
    """How a write may be sent again; see the table above.

    Args:
        status: HTTP status; None without an answer.
        fate: what became of it.
        key_age: seconds since it was first sent with its key; None: it has none.
        findable: whether a look-up can tell what became of every row (``WriteRequest.findable``).
    """
    match fate:
        case Fate.DONE:
            return Again.NEVER
        case Fate.NOT_DONE:
            return Again.AS_IS if status is None or status in _DOOR else Again.NEVER
        case Fate.UNKNOWN:
            if method in _REPEATABLE:
                return Again.AS_IS
            if key_age is not None and 0 <= key_age <= KEY_SECONDS:
                return Again.SAME_KEY
            return Again.AFTER_LOOK_UP if findable else Again.NEVER
