"""Refuses every request without a key. Runs before routing, so unknown and forgotten paths are closed too."""

from starlette.types import ASGIApp, Receive, Scope, Send

from console.access.caller import CALLER
from console.access.keyring import KeyRing

_BEARER = b"bearer "
_LONGEST = 256


class Guard:
    """Puts the caller into the scope of each request, or raises the problem that answers it."""

    def __init__(self, app: ASGIApp, *, keys: KeyRing) -> None:
        """Stand before an application.

        Args:
            app: what callers reach.
            keys: who they are.
        """
        self._app, self._keys = app, keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request.

        Raises:
            ProblemError: the key is not valid.
        """
        if scope["type"] == "http":
            address = (scope.get("client") or ("unknown", 0))[0]
            scope[CALLER] = await self._keys.caller(presented(scope["headers"]), address)
        await self._app(scope, receive, send)


def presented(headers: list[tuple[bytes, bytes]]) -> str | None:
    """The key in a request's headers; None where there is none, or more than one.

    Args:
        headers: of ASGI, names in lower case.
    """
    found = [value for name, value in headers if name == b"authorization"]
    if len(found) != 1 or len(found[0]) > _LONGEST or found[0][: len(_BEARER)].lower() != _BEARER:
        return None
    return found[0][len(_BEARER) :].decode("latin-1")
