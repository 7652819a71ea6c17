"""Keys and what they were answered."""

import pytest

from simulator.accounting_api.idempotency import KEY_LIFE_MS, Asked, Keys
from simulator.reply import Reply
from tests.support.unconfirmed import unconfirmed

DONE, REFUSED = Reply(body=b"done"), Reply(status=400, body=b"refused")


def _asked(key: str = "k", body: bytes = b"{}", client: str = "app", path: bytes = b"/Invoices") -> Asked:
    return Asked.of(client, key, b"PUT", path, b"tenant", body)


@pytest.mark.parametrize("reply", [DONE, REFUSED], ids=["done", "refused"])
def test_the_first_answer_is_repeated_for_six_minutes(reply: Reply) -> None:
    """A refusal as well; from then on the key is new."""
    keys = Keys()
    keys.keep(_asked(), reply, 1_000)

    assert keys.earlier(_asked(), 1_000 + KEY_LIFE_MS - 1) is reply
    assert keys.earlier(_asked(), 1_000 + KEY_LIFE_MS) is None


@pytest.mark.parametrize(
    "other",
    [_asked(body=b"{ }"), _asked(path=b"/Contacts"), Asked.of("app", "k", b"POST", b"/Invoices", b"tenant", b"{}")],
)
def test_another_request_under_the_key_is_refused(other: Asked) -> None:
    """Other bytes, another address, another method."""
    keys = Keys()
    keys.keep(_asked(), DONE, 0)

    refusal = keys.earlier(other, 1)

    assert refusal is not None
    assert refusal.status == 400
    assert b"Idempotency Key: k is used with a different request." in refusal.body


def test_keys_belong_to_their_app() -> None:
    """Another app's key of the same name is new."""
    keys = Keys()
    keys.keep(_asked(), DONE, 0)

    assert keys.earlier(_asked(client="other"), 1) is None


def test_parts_are_not_run_together() -> None:
    """What ends one part can't begin the next."""
    assert Asked.of("a", "k", b"ab", b"c").print != Asked.of("a", "k", b"a", b"bc").print


def test_old_answers_are_forgotten() -> None:
    """They don't pile up."""
    keys = Keys()
    for number in range(50):
        keys.keep(_asked(f"{number}"), DONE, number * KEY_LIFE_MS)

    assert len(keys._answers) == 1


@unconfirmed("what Xero says to a key of more than 128 characters")
def test_a_key_that_is_too_long_is_refused() -> None:
    """400."""
    refusal = Keys().earlier(_asked("k" * 129), 0)

    assert refusal is not None
    assert refusal.status == 400
    assert Keys().earlier(_asked("k" * 128), 0) is None
