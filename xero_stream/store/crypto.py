"""Tokens at rest: Fernet (AES-128-CBC with HMAC-SHA-256), several keys, the newest first.

A new key is put in front of the old ones; everything written from then on uses it. ``xero-stream deployment set``
encrypts what is stored with the first key, so the keys behind it can be dropped afterwards.

A token is sealed for one column of one grant: both are part of the encrypted text, as Fernet has no associated data. Whoever
can write the table but has no key can't give one grant the token of another.
"""

from collections.abc import Sequence
from enum import StrEnum
from uuid import UUID

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from xero_stream.settings.base import SettingsError


class BadKeyError(SettingsError):
    """``XERO_STREAM_ENCRYPTION_KEYS`` holds no key, or one that is none."""


class UndecryptableError(Exception):
    """What the store holds was not written with any of our keys."""


class MisplacedTokenError(UndecryptableError):
    """A stored token was sealed for another grant or another column: somebody moved it."""


class Column(StrEnum):
    """Which token of a grant; the name of its column."""

    ACCESS = "access_token"
    REFRESH = "refresh_token"
    PREVIOUS = "previous_token"


class TokenCipher:
    """Encrypts with the first key, decrypts with any."""

    def __init__(self, keys: Sequence[str]) -> None:
        """Take the keys.

        Args:
            keys: Fernet keys (url-safe base64 of 32 bytes), newest first.

        Raises:
            BadKeyError: there is none, or one is malformed; the message says which, never what.
        """
        self._fernet = _fernet(keys)

    def take(self, keys: Sequence[str]) -> None:
        """Use other keys from now on.

        Args:
            keys: as for a new cipher.

        Raises:
            BadKeyError: they are unusable; the keys so far stay in use.
        """
        self._fernet = _fernet(keys)

    def seal(self, token: str, grant_id: UUID, column: Column) -> bytes:
        """Encrypt with the newest key, for one column of one grant.

        Args:
            column: where it is stored.
        """
        return self._fernet.encrypt(_bound(grant_id, column) + token.encode())

    def open(self, sealed: bytes, grant_id: UUID, column: Column) -> str:
        """Decrypt with whichever key fits.

        Tokens that a release before this one stored are bound to nothing; they are opened too.

        Args:
            sealed: what :meth:`seal` gave.
            grant_id: the grant that it was found at.
            column: the column that it was found in.

        Raises:
            MisplacedTokenError: it was sealed for another grant or column.
            UndecryptableError: no key fits, or the bytes were changed.
        """
        text = self._text(sealed)
        if not text.startswith(_BOUND):
            return text.decode()
        mine = _bound(grant_id, column)
        if not text.startswith(mine):
            raise MisplacedTokenError(_MISPLACED.format(grant=grant_id, column=column))
        return text.removeprefix(mine).decode()

    def is_bound(self, sealed: bytes) -> bool:
        """Whether it is sealed for a grant and a column: those of the release before are not.

        Args:
            sealed: a stored token.

        Raises:
            UndecryptableError: no key fits, or the bytes were changed.
        """
        return self._text(sealed).startswith(_BOUND)

    def seal_again(self, sealed: bytes, grant_id: UUID, column: Column) -> bytes:
        """The same token, encrypted with the newest key.

        Args:
            sealed: a stored token, encrypted with any of the keys.
            grant_id: the grant that it was found at.
            column: the column that it was found in.

        Raises:
            MisplacedTokenError, UndecryptableError: as :meth:`open`.
        """
        return self.seal(self.open(sealed, grant_id, column), grant_id, column)

    def _text(self, sealed: bytes) -> bytes:
        try:
            return self._fernet.decrypt(sealed)
        except InvalidToken as error:
            raise UndecryptableError(_UNDECRYPTABLE) from error


def _fernet(keys: Sequence[str]) -> MultiFernet:
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
    return MultiFernet(fernets)


def _bound(grant_id: UUID, column: Column) -> bytes:
    return _BOUND + f"{grant_id}/{column}:".encode()


_BOUND = b"xero-stream token 1:"
"""No token of Xero's has a blank, so none of the release before begins like this."""
_UNDECRYPTABLE = (
    "a stored token was not written with any of XERO_STREAM_ENCRYPTION_KEYS: add the key it was written with (older keys go "
    "behind newer ones), or connect the organisation again with `xero-stream grants add`"
)
_HOW_TO_MAKE_ONE = "make one with `openssl rand -base64 32 | tr '+/' '-_'`"
_MISPLACED = (
    "the {column} of grant {grant} was sealed for another grant or column: somebody changed the table grants. Find out who can write it, "
    "then connect the organisations of this grant again with `xero-stream grants add`"
)
