"""Nothing secret gets through either net."""

import base64
import json
import os

import pytest

from tests.support.webhooks import KEY, sign
from xero_stream.telemetry.redaction import REDACTED, Scrubber, redact


@pytest.mark.parametrize(
    "name",
    [
        "token", "access_token", "refreshToken", "client_secret", "password", "signature", "x-xero-signature",
        "Authorization", "cookie", "body", "request_body", "payload", "webhook_keys", "key", "raw", "raw_answer",
        "answer_raw", "database_url", "dsn", "sasl_username",
    ],
)  # fmt: skip
def test_secret_names(name: str) -> None:
    """A field with a secret's name goes whole, whatever it holds, at any depth."""
    assert redact({name: "value"})[name] == REDACTED
    assert redact({"outer": [{"inner": {name: {"deep": 1}}}]})["outer"][0]["inner"][name] == REDACTED


@pytest.mark.parametrize(
    "name", ["app", "delivery", "reason", "drawn", "keyboard", "api_url", "tenant_id", "idempotency_key"]
)
def test_other_names(name: str) -> None:
    """Ordinary fields stay readable."""
    assert redact({name: "value"}) == {name: "value"}


def test_absent_secret() -> None:
    """That there is none is no secret."""
    assert redact({"token": None}) == {"token": None}


def test_bytes_are_never_shown() -> None:
    """Bytes are bodies or keys: their length is all that is told."""
    assert redact({"x": b"abc", "y": [bytearray(b"abcd"), memoryview(b"a")]}) == {
        "x": "[3 bytes]",
        "y": ["[4 bytes]", "[1 bytes]"],
    }


def test_long_and_deep() -> None:
    """Lines stay bounded: long texts are cut, deep structures end."""
    deep: dict[str, object] = {}
    deep["deep"] = deep

    assert len(redact({"x": "a" * 100_000})["x"]) < 5_000
    assert "…" in str(redact({"x": deep}))


def test_known_secrets() -> None:
    """A configured secret is found inside any text, also as JSON escapes it."""
    secret = 'quo"te\\back'
    scrub = Scrubber([secret, "hunter22", ""])

    assert scrub(f"it is {secret}!") == f"it is {REDACTED}!"
    assert scrub(json.dumps({"x": secret})) == json.dumps({"x": REDACTED})
    assert scrub("hunter22hunter22") == REDACTED * 2


def test_short_secrets_are_left() -> None:
    """A secret of a few letters would blank out ordinary words, and protects nothing."""
    assert Scrubber(["a"])("a banana") == "a banana"


@pytest.mark.parametrize(
    "secret",
    [
        sign(b"body"),
        base64.b64encode(os.urandom(64)).decode(),
        base64.urlsafe_b64encode(os.urandom(32)).decode(),
        "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhYmNkZWYifQ.c2lnbmF0dXJl",
    ],
    ids=["signature", "webhook key", "Fernet key", "JWT"],
)
@pytest.mark.parametrize("around", ["{}", 'x="{}",', "({})", "bad header {}, closing"])
def test_shapes(secret: str, around: str) -> None:
    """What has the shape of a secret is replaced though nobody said that it is one."""
    line = Scrubber()(around.format(secret))

    assert secret not in line
    assert REDACTED in line


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("Authorization: Bearer abcdef123456", "Authorization: Bearer"),
        ("authorization basic QWxhZGRpbjpvcGVu", "authorization basic"),
        ("postgresql://user:pa55word@db:5432/x", "@db:5432/x"),
        ("grant_type=refresh_token&refresh_token=abc123&scope=x", "grant_type=refresh_token"),
        ("GET /callback?code=abc123&state=1", "state=1"),
    ],
)
def test_credentials_in_text(line: str, kept: str) -> None:
    """Credentials in headers, URLs and forms are cut out, the rest stays."""
    scrubbed = Scrubber()(line)

    assert kept in scrubbed
    for secret in ("abcdef123456", "QWxhZGRpbjpvcGVu", "pa55word", "abc123"):
        assert secret not in scrubbed


def test_ordinary_lines_are_untouched() -> None:
    """Ids and paths, which look a little like secrets, stay."""
    line = "delivery 0123456789abcdef0123456789abcdef tenant c2cc9b6e-9458-4c7d-93cc-f02b81b0594f /api.xro/2.0/Invoices"

    assert Scrubber([KEY])(line) == line
