"""Asking a receiver what Xero asks it: it must take what is signed with our keys, and refuse everything else."""

import asyncio
import hmac
from base64 import b64encode
from collections.abc import Mapping, Sequence
from contextlib import aclosing

import httpx

from cli.doctor.findings import Finding, fine, problem, skipped
from xero_stream.contracts.names import DEFAULT_APP, AppName
from xero_stream.settings.apps import WebhookApps
from xero_stream.settings.base import SettingsError
from xero_stream.settings.receiver import ReceiverSettings

ANSWER_SECONDS = 5.0
"""Xero waits no longer (https://developer.xero.com/documentation/guides/webhooks/configuring-your-server)."""

_INTENT = b'{"events":[],"firstEventSequence":0,"lastEventSequence":0,"entropy":"XEROSTREAMDOCTORASKS"}'
_STRANGERS = b'{"from":"xero-stream doctor"}'
"""Not of an intent's look: the receiver counts those that are refused, and Xero's are among them."""
_EVERY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where it listens, and where we ask
_START = "xero-stream receiver (or up); if it runs elsewhere: xero-stream doctor --receiver https://its-address"


async def look_at_receiver(
    addresses: Sequence[str], transport: httpx.AsyncBaseTransport | None = None
) -> list[Finding]:
    """Each address takes the intent to receive of every app that has a key, and refuses another signature.

    Args:
        addresses: base addresses; none: the listener of the settings, on this machine.
        transport: in place of the network.
    """
    try:
        keys = {app: found[0] for app, found in WebhookApps.read().all().items() if found}
        settings = ReceiverSettings.read()
    except SettingsError as error:
        return [skipped("receiver", f"its settings can't be used: {error}")]
    bases = [address.rstrip("/") for address in addresses] or [base_address(settings.host, settings.port)]
    http = httpx.AsyncClient(transport=transport, timeout=ANSWER_SECONDS, trust_env=False, follow_redirects=False)
    async with aclosing(http):
        found = [await _look(http, base, keys) for base in bases]
        kafka = [] if addresses else await _kafka(http, base_address(settings.private_host, settings.private_port))
    return [*(finding for findings in found for finding in findings), *kafka]


def base_address(host: str, port: int) -> str:
    """Where a listener of this machine is asked."""
    host = _EVERY_ADDRESS.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def _look(http: httpx.AsyncClient, base: str, keys: Mapping[AppName, bytes]) -> list[Finding]:
    refused = await _status(http, f"{base}/webhooks/xero", _STRANGERS, b"nobody's key")
    if isinstance(refused, str):
        return [problem("receiver", f"{base} {refused}", _START)]
    if refused != 401:
        what = f"{base} answers {refused} to a wrong signature, a receiver answers 401"
        return [
            problem("receiver", what, "check the address, and that a proxy before the receiver answers nothing itself")
        ]
    if not keys:
        return [fine("receiver", f"{base} refuses a wrong signature; without a signing key here no more can be asked")]
    return [await _intent(http, base, app, key) for app, key in keys.items()]


async def _intent(http: httpx.AsyncClient, base: str, app: AppName, key: bytes) -> Finding:
    path = "/webhooks/xero" if app == DEFAULT_APP else f"/webhooks/xero/{app}"
    answer = await _status(http, base + path, _INTENT, key)
    if answer == 200:
        return fine("receiver", f"{base}{path} answers an intent to receive, and refuses a wrong signature")
    if answer == 401:
        what = f"{base}{path} answers 401 to an intent to receive that is signed with the key set here"
        todo = "give the receiver the same signing key; a proxy before it must pass body and x-xero-signature unchanged"
        return problem("receiver", what, todo)
    told = answer if isinstance(answer, str) else f"answers {answer} to an intent to receive"
    return problem("receiver", f"{base}{path} {told}", "see the receiver's log, and that of a proxy before it")


async def _status(http: httpx.AsyncClient, address: str, body: bytes, key: bytes) -> int | str:
    """The status, or what happened instead."""
    signature = b64encode(hmac.digest(key, body, "sha256")).decode()
    headers = {"Content-Type": "application/json", "x-xero-signature": signature}
    try:
        async with (
            asyncio.timeout(ANSWER_SECONDS),
            http.stream("POST", address, content=body, headers=headers) as answer,
        ):
            return answer.status_code  # the head says enough
    except (TimeoutError, httpx.TimeoutException):
        return f"does not answer within the {ANSWER_SECONDS:g} s that Xero waits"
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        if "certificate" in str(error).lower():
            return "has a certificate that is not valid, and Xero accepts valid ones only"
        return f"does not answer ({type(error).__name__})"


async def _kafka(http: httpx.AsyncClient, private: str) -> list[Finding]:
    """What the receiver on this machine says of its Kafka; nothing where its private port does not answer."""
    try:
        answer = await http.get(f"{private}/readyz")
        told = answer.json()["reasons"]["kafka"]
        connected, _, _ = str(told).partition(" ")
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError):
        return []
    if connected == "0":
        what = "it does not reach Kafka, and answers webhooks 503"
        return [problem("receiver", what, "check KAFKA_BOOTSTRAP_SERVERS of the receiver, and its log")]
    return [fine("receiver", f"Kafka: {told}")]
