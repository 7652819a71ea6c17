"""What never reaches a log line: secrets, tokens, signatures, bodies. Pure; two nets, one behind the other.

The first net looks at fields by name and type (:func:`redact`); the second at the finished line (:class:`Scrubber`),
so that a secret inside an exception's message or a library's own log line is caught as well.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import date, time, timedelta
from enum import Enum
from pathlib import PurePath
from typing import Any
from uuid import UUID

REDACTED = "[redacted]"

_LONGEST = 4_000
_DEEPEST = 6
_SECRET_NAME = re.compile(
    r"token|secret|passw|signature|authori[sz]ation|cookie|credential|body|payload|database_url|dsn|sasl"
    r"|(?:^|_)raw(?:_|$)|(?:^|_)keys?$",
    re.IGNORECASE,
)
# Names that only look secret: they say which, how many or when, never what.
_PLAIN_NAMES = frozenset({"idempotency_key", "record_key", "token_expires_at", "token_version"})
_SPEAKING = (str, bool, int, float, Enum)
_TEXTS = (date, time, timedelta, UUID, PurePath, BaseException)
# Runs, each looked at as a whole: one pattern for what is in them would start again at every "eyJ" and every "://".
_TOKEN_RUN = re.compile(r"[A-Za-z0-9._-]++")
_URL_RUN = re.compile(r"[^\s\"]++")
_SHORTEST_HEADER, _SHORTEST_CLAIMS = 11, 4
_SECRET_TEXT = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        # Authorization values, wherever they are quoted.
        (r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}", rf"\1 {REDACTED}"),
        # Form bodies and query strings of OAuth.
        (
            r"(?i)\b(access_token|refresh_token|id_token|client_secret|code_verifier|code|password)=[^&\s\"']+",
            rf"\1={REDACTED}",
        ),
        # 64 bytes in base64: a webhook signing key as Xero's portal shows it.
        (r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{86}==", REDACTED),
        # 32 bytes in base64: a webhook signature, a Fernet key.
        (r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{43}=", REDACTED),
    )
)


def redact(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a log line with everything secret replaced.

    Args:
        fields: the line's fields by name. Values under a secret name go whole; bytes are replaced by their length
            wherever they stand, as only bodies and keys are bytes here.
    """
    return {name: REDACTED if _secret(name) and value is not None else _plain(value) for name, value in fields.items()}


def _secret(name: str) -> bool:
    return name not in _PLAIN_NAMES and _SECRET_NAME.search(name) is not None


def _plain(value: Any, depth: int = 0) -> Any:
    match value:
        case Mapping() | list() | tuple() | set() | frozenset() if depth >= _DEEPEST:
            return "…"
        case Mapping():
            return {str(k): REDACTED if _secret(str(k)) else _plain(v, depth + 1) for k, v in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_plain(item, depth + 1) for item in value]
        case _:
            return _plain_leaf(value)


def _plain_leaf(value: Any) -> Any:
    match value:
        case bytes() | bytearray() | memoryview():
            return f"[{len(value)} bytes]"
        case str() if len(value) > _LONGEST and not isinstance(value, Enum):
            return f"{value[:_LONGEST]}… ({len(value)} characters)"
        case _ if value is None or isinstance(value, _SPEAKING):
            return value
        case _ if isinstance(value, _TEXTS):
            return str(value)
        case _:
            # What an object says of itself may hold anything.
            return f"<{type(value).__name__}>"


class Scrubber:
    """Replaces what looks like a secret, and every secret it was told, in a finished line."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        """Remember the secrets of this process.

        Args:
            secrets: literal values, e.g. the configured keys; those under six characters are ignored, as they would
                blank out ordinary words.
        """
        known = {secret for secret in secrets if len(secret) >= 6}
        # A JSON line holds the escaped form.
        known |= {secret.replace("\\", "\\\\").replace('"', '\\"') for secret in known}
        longest_first = sorted(known, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, longest_first))) if known else None

    def __call__(self, line: str) -> str:
        """The line without secrets."""
        if self._known is not None:
            line = self._known.sub(REDACTED, line)
        if "eyJ" in line:
            line = _TOKEN_RUN.sub(_without_tokens, line)
        if "://" in line and "@" in line:
            line = _URL_RUN.sub(_without_passwords, line)
        for pattern, replacement in _SECRET_TEXT:
            line = pattern.sub(replacement, line)
        return line


def _without_tokens(found: re.Match[str]) -> str:
    """JSON Web Tokens (Xero's access and id tokens) cut out of a run of the characters they are made of."""
    run, parts, done = found[0], [], 0
    begin = run.find("eyJ")
    while begin >= 0:
        header = _end_of_part(run, begin)
        claims = _end_of_part(run, header + 1)
        if header - begin >= _SHORTEST_HEADER and claims - header > _SHORTEST_CLAIMS:
            parts += [run[done:begin], REDACTED]
            done = _end_of_part(run, claims + 1)
            begin = run.find("eyJ", done)
        else:
            begin = run.find("eyJ", header)
    return "".join([*parts, run[done:]])


def _end_of_part(run: str, begin: int) -> int:
    """Where the part of a token ends that begins there."""
    end = run.find(".", begin)
    return min(begin, len(run)) if begin >= len(run) else len(run) if end < 0 else end


def _without_passwords(found: re.Match[str]) -> str:
    """User and password cut out of connection URLs; a password that should have been percent-encoded may hold ``/``, ``#``, ``@``."""
    run = found[0]
    begin, end = run.find("://"), run.rfind("@")
    if begin < 0 or ":" not in run[begin + 3 : max(end, begin + 3)]:
        return run
    return f"{run[: begin + 3]}{REDACTED}{run[end:]}"
