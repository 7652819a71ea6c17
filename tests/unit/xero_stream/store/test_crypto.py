"""Tokens at rest."""

from uuid import UUID

import pytest
from cryptography.fernet import Fernet

from xero_stream.settings.base import SettingsError
from xero_stream.store.crypto import BadKeyError, Column, MisplacedTokenError, TokenCipher, UndecryptableError

GRANT, OTHER = UUID(int=1), UUID(int=2)


def keys(count: int) -> list[str]:
    """Fresh Fernet keys."""
    return [Fernet.generate_key().decode() for _ in range(count)]


def test_what_is_sealed_comes_back() -> None:
    """Sealed bytes hold nothing of the token, and give it back at their place."""
    cipher = TokenCipher(keys(1))

    sealed = cipher.seal("token-with-ünicode", GRANT, Column.ACCESS)

    assert b"token" not in sealed
    assert cipher.open(sealed, GRANT, Column.ACCESS) == "token-with-ünicode"


@pytest.mark.parametrize("column", Column)
@pytest.mark.parametrize("grant", [GRANT, OTHER])
def test_a_token_opens_at_its_own_place_only(grant: UUID, column: Column) -> None:
    """In another row or column it is a typed error that says what to do; also after the keys have changed."""
    new, old = keys(2)
    sealed = TokenCipher([old]).seal("a", GRANT, Column.REFRESH)
    cipher = TokenCipher([new, old])

    if (grant, column) == (GRANT, Column.REFRESH):
        again = cipher.seal_again(sealed, grant, column)
        assert TokenCipher([new]).open(again, grant, column) == "a"
        return
    for use in (cipher.open, cipher.seal_again):
        with pytest.raises(MisplacedTokenError, match="grants add"):
            use(sealed, grant, column)


def test_a_token_of_the_release_before_is_opened_and_bound() -> None:
    """It was sealed for no place; from now on it is."""
    (key,) = keys(1)
    cipher = TokenCipher([key])
    sealed = Fernet(key).encrypt(b"eyJ.a.b")

    again = cipher.seal_again(sealed, GRANT, Column.ACCESS)

    assert (cipher.is_bound(sealed), cipher.is_bound(again)) == (False, True)
    assert cipher.open(sealed, GRANT, Column.ACCESS) == "eyJ.a.b"
    with pytest.raises(MisplacedTokenError):
        cipher.open(again, OTHER, Column.ACCESS)


def test_the_first_key_encrypts_and_all_decrypt() -> None:
    """A key put in front takes over; what the older one wrote stays readable. A running cipher takes other keys."""
    new, old = keys(2)
    cipher = TokenCipher([old])
    sealed_before = cipher.seal("a", GRANT, Column.ACCESS)

    cipher.take([new, old])
    sealed_after = cipher.seal("b", GRANT, Column.ACCESS)

    assert cipher.open(sealed_before, GRANT, Column.ACCESS) == "a"
    assert TokenCipher([new]).open(sealed_after, GRANT, Column.ACCESS) == "b"
    with pytest.raises(BadKeyError):
        cipher.take(["no key"])
    assert cipher.open(sealed_after, GRANT, Column.ACCESS) == "b"


def test_a_missing_key_is_named() -> None:
    """What no key fits is a typed error that says what to do."""
    sealed = TokenCipher(keys(1)).seal("a", GRANT, Column.ACCESS)

    with pytest.raises(UndecryptableError, match="XERO_STREAM_ENCRYPTION_KEYS"):
        TokenCipher(keys(1)).open(sealed, GRANT, Column.ACCESS)
    with pytest.raises(UndecryptableError):
        TokenCipher(keys(1)).open(b"no token at all", GRANT, Column.ACCESS)


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
