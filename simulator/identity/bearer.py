"""Who calls: the bearer token's grant, or Xero's 401."""

from dataclasses import replace
from datetime import UTC, datetime

from simulator.errors import token_expired, token_missing
from simulator.identity.grants import Grant
from simulator.reply import Reply
from simulator.world import World


def bearer(world: World, header: str | None) -> Grant | Reply:
    """Whose token this is, or Xero's 401.

    Returns:
        The grant as the token sees it: with the scopes of the token's time, which a later consent doesn't change. Ask for
        it by id before changing it.
    """
    scheme, _, token = (header or "").partition(" ")
    access = world.access.read(token.strip(), world.grants) if scheme.lower() == "bearer" else None
    grant = world.grants.get(access.grant_id) if access is not None else None
    if access is None or grant is None or grant.revoked:
        return token_missing(world.answer_id())
    if world.clock.now_ms() >= access.expires_ms:
        when = datetime.fromtimestamp(access.expires_ms // 1000, UTC).strftime("%m/%d/%Y %H:%M:%S")
        return token_expired(world.answer_id(), when)
    return grant if access.scopes == grant.scopes else replace(grant, scopes=access.scopes)
