"""A listener on this machine that one browser comes back to, with the code of a consent (RFC 8252, 7.3).

It answers one path for one ``Host``, shows nothing of what it was sent, and ends with the consent it was made for.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from xero_api.errors import ForgedCallbackError, XeroError
from xero_api.oauth.consent import Consent, read_callback

PATH = "/callback"
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
}
_PAGE = "<!doctype html><html lang=en><meta charset=utf-8><title>xero-stream</title><p>{}</p></html>\n"


class CallbackTimeoutError(Exception):
    """No browser came back in time."""

    hint = "Run the command again, and give the consent while it waits."


class PortTakenError(Exception):
    """Another program listens on the port; the message says what to do."""


class Callback:
    """What one browser brings back."""

    def __init__(self, consent: Consent, port: int) -> None:
        self._consent = consent
        self._hosts = {f"localhost:{port}"}
        self._code: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def answer(self, request: web.Request) -> web.Response:
        """Answer the browser; a request that is not this consent's ends nothing."""
        if request.host not in self._hosts:
            return _page(403, "Open this page as http://localhost.")
        if self._code.done():
            return _page(410, "This consent was answered before. You can close this window.")
        try:
            code = read_callback(self._consent, request.query)
        except ForgedCallbackError:
            return _page(
                400, "This is not the answer to the consent that xero-stream waits for. Start again from its link."
            )
        except XeroError as error:
            self._code.set_exception(error)
            return _page(200, "No access was given. You can close this window; the terminal says more.")
        self._code.set_result(code)
        return _page(200, "xero-stream has what it needs. You can close this window; the terminal says more.")

    async def code(self, seconds: float) -> str:
        """Wait for the code.

        Args:
            seconds: how long at most.

        Raises:
            CallbackTimeoutError: no browser came back.
            XeroError: the user declined, or Xero refused; see :func:`~xero_api.oauth.consent.read_callback`.
        """
        try:
            async with asyncio.timeout(seconds):
                return await self._code
        except TimeoutError:
            raise CallbackTimeoutError(f"no browser came back within {seconds:g} s") from None


@asynccontextmanager
async def listening(consent: Consent, port: int) -> AsyncIterator[Callback]:
    """Listen on this machine's loopback addresses.

    Args:
        consent: the one that is waited for.
        port: of its ``redirect_uri``.

    Raises:
        PortTakenError: another program listens there.
    """
    callback = Callback(consent, port)
    app = web.Application()
    app.router.add_get(PATH, callback.answer, allow_head=False)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        for host in ("127.0.0.1", "::1") if _has_ipv6() else ("127.0.0.1",):
            try:
                await web.TCPSite(runner, host, port).start()
            except OSError as error:
                raise PortTakenError(
                    f"port {port} of {host} is taken ({error.strerror}): choose another one with --port, and register "
                    "its address as a redirect URI of the app in Xero's developer portal"
                ) from error
        yield callback
    finally:
        await runner.cleanup()


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def _page(status: int, text: str) -> web.Response:
    return web.Response(status=status, text=_PAGE.format(text), content_type="text/html", headers=_HEADERS)
