"""Whether encryption keys fit the tokens in the store."""

from typing import Any

import asyncpg

from xero_stream.settings.shared import KEYS
from xero_stream.store.crypto import TokenCipher, UndecryptableError
from xero_stream.store.deployment import DeploymentMismatchError, read
from xero_stream.store.grants import GrantRow, sealed_tokens


async def check_keys(pool: "asyncpg.Pool[Any]", cipher: TokenCipher) -> None:
    """Before the deployment knows check values of its keys: see that ours are not another deployment's.

    Args:
        cipher: with the process's keys.

    Raises:
        DeploymentMismatchError: there are tokens, and none of them can be read.
    """
    deployment = await read(pool)
    if deployment is not None and KEYS in deployment.settings:
        return  # they are compared with the check values
    grants = await sealed_tokens(pool)
    unreadable = [grant for grant in grants if not readable(cipher, grant)]
    if grants and len(unreadable) == len(grants):
        raise DeploymentMismatchError(
            f"none of the {len(grants)} stored grants was encrypted with XERO_STREAM_ENCRYPTION_KEYS as they are here: set the "
            "keys that they were encrypted with"
        )


def readable(cipher: TokenCipher, grant: GrantRow) -> bool:
    """Whether all of a grant's tokens can be read.

    Args:
        cipher: with our keys.
        grant: as stored.
    """
    try:
        for column, token in grant.sealed.items():
            cipher.open(token, grant.grant_id, column)
    except UndecryptableError:
        return False
    return True
