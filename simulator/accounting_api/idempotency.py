"""``Idempotency-Key``: the answer to a key is remembered for six minutes, a refusal as well as a success. Pure.

Per app. The same key with another method, address, organisation or body is a 400. Requests that are turned away before
they are handled (401, 403, 429) leave no answer (unconfirmed).
"""

import hashlib
from dataclasses import dataclass

import orjson

from simulator.reply import JSON, Reply

KEY_LIFE_MS = 6 * 60 * 1000
"""How long an answer is remembered. Source: developer.xero.com, guides/idempotent-requests."""

LONGEST_KEY = 128
"""Characters of a key. Source: published OpenAPI, ``idempotencyKey``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request with a key.

    Attributes:
        client_id: the app.
        key: its ``Idempotency-Key``.
        print: method, address, organisation and body, as one digest.
    """

    client_id: str
    key: str
    print: bytes

    @classmethod
    def of(cls, client_id: str, key: str, *parts: bytes) -> "Asked":
        """The request of those parts."""
        digest = hashlib.sha256()
        for part in parts:
            digest.update(len(part).to_bytes(8, "big") + part)
        return cls(client_id=client_id, key=key, print=digest.digest())


class Keys:
    """Answers by key."""

    def __init__(self) -> None:
        self._answers: dict[tuple[str, str], tuple[int, bytes, Reply]] = {}

    def earlier(self, asked: Asked, now_ms: int) -> Reply | None:
        """The answer the key had, or the refusal it gets; None if the key is new (or older than six minutes)."""
        if len(asked.key) > LONGEST_KEY:
            return _refused(f"Idempotency Key: longer than {LONGEST_KEY} characters.")
        kept = self._answers.get((asked.client_id, asked.key))
        if kept is None or kept[0] <= now_ms:
            return None
        if kept[1] != asked.print:
            return _refused(f"Idempotency Key: {asked.key} is used with a different request.")
        return kept[2]

    def keep(self, asked: Asked, reply: Reply, now_ms: int) -> None:
        """Remember an answer for six minutes from now."""
        answers = self._answers  # in the order they end, since all live equally long
        while answers and answers[place := next(iter(answers))][0] <= now_ms:
            del answers[place]
        answers.pop((asked.client_id, asked.key), None)
        answers[asked.client_id, asked.key] = (now_ms + KEY_LIFE_MS, asked.print, reply)


def _refused(message: str) -> Reply:
    body: dict[str, object] = {"ErrorNumber": 10, "Type": "ValidationException", "Message": message, "Elements": []}
    return Reply(status=400, body=orjson.dumps(body), content_type=JSON)
