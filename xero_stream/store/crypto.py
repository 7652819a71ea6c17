"""Tokens at rest: Fernet (AES-128-CBC with HMAC-SHA-256), several keys, the newest first.

A new key is put in front of the old ones; everything written from then on uses it. ``xero-stream deployment set``
encrypts what is stored with the first key, so the keys behind it can be dropped afterwards.
"""

from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from xero_stream.settings.base import SettingsError


class BadKeyError(SettingsError):
    """``XERO_STREAM_ENCRYPTION_KEYS`` holds no key, or one that is none."""


class UndecryptableError(Exception):
    """What the store holds was not written with any of our keys."""


class TokenCipher:
    """Encrypts with the first key, decrypts with any."""

    def __init__(self, keys: Sequence[str]) -> None:
        """Take the keys.

        Args:
            keys: Fernet keys (url-safe base64 of 32 bytes), newest first.

        Raises:
            BadKeyError: there is none, or one is malformed; the message says which, never what.
        """
        if not keys:
            raise BadKeyError(f"XERO_STREAM_ENCRYPTION_KEYS is empty: {_HOW_TO_MAKE_ONE}")
        fernets = []
        for number, key in enumerate(keys, start=1):
            try:
                fernets.append(Fernet(key))
            except ValueError as error:
                raise BadKeyError(
                    f"XERO_STREAM_ENCRYPTION_KEYS: key {number} of {len(keys)} is no Fernet key: {_HOW_TO_MAKE_ONE}"
                ) from error
        self._fernet = MultiFernet(fernets)

    def encrypt(self, text: str) -> bytes:
        """Encrypt with the newest key.

        Args:
            text: a token.
        """
        return self._fernet.encrypt(text.encode())

    def decrypt(self, sealed: bytes) -> str:
        """Decrypt with whichever key fits.

        Args:
            sealed: what :meth:`encrypt` gave.

        Raises:
            UndecryptableError: no key fits, or the bytes were changed.
        """
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken as error:
            raise UndecryptableError(_UNDECRYPTABLE) from error

    def seal_again(self, sealed: bytes) -> bytes:
        """The same text, encrypted with the newest key.

        Args:
            sealed: what :meth:`encrypt` gave, with any of the keys.

        Raises:
            UndecryptableError: as :meth:`decrypt`.
        """
        try:
            return self._fernet.rotate(sealed)
        except InvalidToken as error:
            raise UndecryptableError(_UNDECRYPTABLE) from error


_UNDECRYPTABLE = (
    "a stored token was not written with any of XERO_STREAM_ENCRYPTION_KEYS: add the key it was written with (older keys go "
    "behind newer ones), or connect the organisation again with `xero-stream grants add`"
)
_HOW_TO_MAKE_ONE = "make one with `openssl rand -base64 32 | tr '+/' '-_'`"
