"""What the doctor asks a receiver, and what it says of each answer."""

import hmac
import ssl
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from cli.doctor.findings import State
from cli.doctor.receiver import look_at_receiver

KEY = "f3f0b2a4c6d81e5970a1b2c3d4e5f607"
PUBLIC = "https://hooks.example.com"
Answer = Callable[[httpx.Request], httpx.Response]


def signed(request: httpx.Request) -> bool:
    """Whether the body is signed with our key."""
    expected = b64encode(hmac.digest(KEY.encode(), request.content, "sha256")).decode()
    return request.headers["x-xero-signature"] == expected


def receiver(request: httpx.Request) -> httpx.Response:
    """A receiver that is well."""
    if request.url.path == "/readyz":
        return httpx.Response(200, json={"ok": True, "reasons": {"kafka": "1 of 1 workers connected"}})
    return httpx.Response(200 if signed(request) else 401)


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XERO_WEBHOOK_KEYS", KEY)
    monkeypatch.setenv("XERO_STREAM_RECEIVER_PORT", "8085")


async def looked(answer: Answer, *addresses: str) -> list[tuple[State, str]]:
    """The findings about a receiver that answers so."""
    findings = await look_at_receiver(addresses, httpx.MockTransport(answer))
    assert all(finding.about == "receiver" for finding in findings)
    assert all(finding.todo for finding in findings if finding.state is State.PROBLEM)
    return [(finding.state, finding.what) for finding in findings]


async def test_on_this_machine() -> None:
    """By default the listener of the settings is asked, and its private port for Kafka."""
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return receiver(request)

    assert await looked(answer) == [
        (
            State.OK,
            "http://127.0.0.1:8085/webhooks/xero answers an intent to receive, and refuses a wrong signature",
        ),
        (State.OK, "Kafka: 1 of 1 workers connected"),
    ]
    assert asked == [
        "http://127.0.0.1:8085/webhooks/xero",
        "http://127.0.0.1:8085/webhooks/xero",
        "http://127.0.0.1:9464/readyz",
    ]


async def test_every_app_at_every_address(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each path with its own key; the public address through whatever is in front of it."""
    file = tmp_path / "apps.toml"
    file.write_text("[apps.shop]\nwebhook_keys = 'a8f0b2a4c6d81e5970a1b2c3d4e5f607'\n[apps.mute]\n")
    monkeypatch.setenv("XERO_STREAM_APPS_FILE", str(file))

    found = await looked(receiver, PUBLIC, "http://receiver:8080/")

    assert [(state, what.split()[0]) for state, what in found] == [
        (State.OK, f"{PUBLIC}/webhooks/xero"),
        (State.PROBLEM, f"{PUBLIC}/webhooks/xero/shop"),
        (State.OK, "http://receiver:8080/webhooks/xero"),
        (State.PROBLEM, "http://receiver:8080/webhooks/xero/shop"),
    ]


def raising(error: Exception) -> Answer:
    """A network that fails."""

    def answer(_: httpx.Request) -> httpx.Response:
        raise error

    return answer


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (raising(httpx.ConnectError("refused")), f"{PUBLIC} does not answer (ConnectError)"),
        (raising(httpx.ReadTimeout("")), f"{PUBLIC} does not answer within the 5 s that Xero waits"),
        (
            raising(httpx.ConnectError(f"[SSL: {ssl.SSLCertVerificationError.__name__}] certificate verify failed")),
            f"{PUBLIC} has a certificate that is not valid, and Xero accepts valid ones only",
        ),
        (lambda _: httpx.Response(200), f"{PUBLIC} answers 200 to a wrong signature, a receiver answers 401"),
        (lambda _: httpx.Response(302), f"{PUBLIC} answers 302 to a wrong signature, a receiver answers 401"),
        (
            lambda _: httpx.Response(401),
            f"{PUBLIC}/webhooks/xero answers 401 to an intent to receive that is signed with the key set here",
        ),
        (
            lambda request: httpx.Response(503 if signed(request) else 401),
            f"{PUBLIC}/webhooks/xero answers 503 to an intent to receive",
        ),
    ],
)
async def test_what_is_wrong(answer: Answer, told: str) -> None:
    """One problem, with what to do."""
    assert await looked(answer, PUBLIC) == [(State.PROBLEM, told)]


async def test_without_kafka() -> None:
    """It answers an intent to receive also then: its private port tells that it has no Kafka."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/readyz":
            return httpx.Response(200, json={"ok": True, "reasons": {"kafka": "0 of 2 workers connected"}})
        return receiver(request)

    assert (await looked(answer))[1:] == [(State.PROBLEM, "it does not reach Kafka, and answers webhooks 503")]


async def test_without_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has no key can still see that it refuses."""
    monkeypatch.delenv("XERO_WEBHOOK_KEYS")

    ((state, what),) = await looked(receiver, PUBLIC)

    assert (state, what.split(";")[0]) == (State.OK, f"{PUBLIC} refuses a wrong signature")
