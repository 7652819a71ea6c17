"""What the doctor says of an app's id and secret."""

from pathlib import Path
from urllib.parse import parse_qs

import httpx
import pytest

from cli.doctor.apps import look_at_apps
from cli.doctor.findings import State


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XERO_CLIENT_ID", "an-id")
    monkeypatch.setenv("XERO_CLIENT_SECRET", "a-secret")


async def looked(**answers: tuple[int, dict[str, str]]) -> list[tuple[State, str]]:
    """The findings where the token endpoint answers so to each kind of grant."""

    def answer(request: httpx.Request) -> httpx.Response:
        (kind,) = parse_qs(request.content.decode())["grant_type"]
        status, document = answers[kind]
        return httpx.Response(status, json=document)

    findings = await look_at_apps(httpx.MockTransport(answer))
    assert all(finding.todo for finding in findings if finding.state is State.PROBLEM)
    return [(finding.state, finding.what) for finding in findings]


def refused(word: str) -> tuple[int, dict[str, str]]:
    """OAuth's refusal."""
    return 400, {"error": word}


async def test_right() -> None:
    """The client was looked at, the token was nobody's."""
    assert await looked(refresh_token=refused("invalid_grant")) == [
        (State.OK, "Xero accepts app default with its id and secret")
    ]


async def test_wrong_secret() -> None:
    """In OAuth's word, with what to do."""
    assert await looked(refresh_token=refused("invalid_client")) == [
        (State.PROBLEM, "Xero refuses app default (token endpoint: 400: invalid_client)")
    ]


async def test_custom_connection() -> None:
    """It has no refresh tokens: its credentials alone are tried."""
    given = {"access_token": "t", "expires_in": "1800", "token_type": "Bearer"}
    assert await looked(refresh_token=refused("unauthorized_client"), client_credentials=(200, given)) == [
        (State.OK, "Xero accepts app default with its id and secret, as a custom connection")
    ]


async def test_wrong_id() -> None:
    """The same word, and no access token either."""
    word = refused("unauthorized_client")
    assert await looked(refresh_token=word, client_credentials=word) == [
        (State.PROBLEM, "Xero refuses app default (token endpoint: 400: unauthorized_client)")
    ]


async def test_app_without_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its id is all there is to try."""
    monkeypatch.delenv("XERO_CLIENT_SECRET")

    assert await looked(refresh_token=refused("unauthorized_client")) == [
        (State.PROBLEM, "Xero refuses app default (token endpoint: 400: unauthorized_client)")
    ]
    assert await looked(refresh_token=refused("invalid_grant")) == [
        (State.OK, "Xero accepts app default with its id (it has no secret)")
    ]


async def test_no_verdict() -> None:
    """An endpoint that fails says nothing about the app."""
    ((state, what),) = await looked(refresh_token=(502, {}))

    assert state is State.SKIPPED
    assert what.startswith("app default could not be tried: ")
