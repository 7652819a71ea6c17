"""Tokens at rest."""

import pytest
from cryptography.fernet import Fernet

from xero_stream.settings.base import SettingsError
from xero_stream.store.crypto import BadKeyError, TokenCipher, UndecryptableError


def keys(count: int) -> list[str]:
    """Fresh Fernet keys."""
    return [Fernet.generate_key().decode() for _ in range(count)]


def test_what_is_encrypted_comes_back() -> None:
    """Encrypted bytes hold nothing of the token, and give it back."""
    cipher = TokenCipher(keys(1))

    sealed = cipher.encrypt("token-with-ünicode")

    assert b"token" not in sealed
    assert cipher.decrypt(sealed) == "token-with-ünicode"


def test_the_first_key_encrypts_and_all_decrypt() -> None:
    """A key put in front takes over; what the older one wrote stays readable."""
    new, old = keys(2)
    sealed_before = TokenCipher([old]).encrypt("a")
    rotated = TokenCipher([new, old])

    sealed_after = rotated.encrypt("b")

    assert rotated.decrypt(sealed_before) == "a"
    assert TokenCipher([new]).decrypt(sealed_after) == "b"


def test_a_missing_key_is_named() -> None:
    """What no key fits is a typed error that says what to do."""
    sealed = TokenCipher(keys(1)).encrypt("a")

    with pytest.raises(UndecryptableError, match="XERO_STREAM_ENCRYPTION_KEYS"):
        TokenCipher(keys(1)).decrypt(sealed)
    with pytest.raises(UndecryptableError):
        TokenCipher(keys(1)).decrypt(b"no token at all")


@pytest.mark.parametrize("bad", ["", "short", "x" * 44, "ü" * 44])
def test_a_bad_key_is_a_settings_error_that_does_not_quote_it(bad: str) -> None:
    """The message counts keys, it never shows one."""
    good = keys(1)[0]

    with pytest.raises(BadKeyError, match="key 2 of 2") as caught:
        TokenCipher([good, bad])

    assert isinstance(caught.value, SettingsError)
    assert not bad or bad not in str(caught.value)


def test_no_key_is_a_settings_error() -> None:
    """An empty list is refused at once."""
    with pytest.raises(BadKeyError, match="empty"):
        TokenCipher([])
