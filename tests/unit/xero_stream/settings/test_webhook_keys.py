"""Which webhook signing keys are taken, in whatever form they are given."""

import base64
import json
import re
import secrets
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xero_stream.contracts.names import DEFAULT_APP, AppName
from xero_stream.settings.apps import WebhookApps
from xero_stream.settings.base import SettingsError
from xero_stream.settings.simulator import DEMO_WEBHOOK_KEY
from xero_stream.settings.webhook_keys import WebhookKeyError, is_loopback, parse

ROOT = Path(__file__).parents[4]
GOOD = "LR+QgKlbRciIPYpi65tTKLaZ3FzLLofCNEQWrRXqWXJeDFrfexzfVI9SmnVuCWDJ4jnjHB9ECtOyxZSofRxwWw=="
OTHER = "0123456789abcdefghijklmnopqrstuv"
Keys = tuple[str, ...]

TAKEN: dict[str, tuple[str, Keys]] = {
    "one": (GOOD, (GOOD,)),
    "shortest": (OTHER, (OTHER,)),
    "newest first": (f"{GOOD},{OTHER}", (GOOD, OTHER)),
    "blanks around": (f"  {GOOD} , {OTHER}\t", (GOOD, OTHER)),
    "blank ones between": (f",{GOOD},, ,", (GOOD,)),
    "twice": (f"{GOOD},{GOOD}", (GOOD,)),
    "empty": ("", ()),
    "blank": ("  ", ()),
    "commas only": (" , ,", ()),
}
REFUSED: dict[str, tuple[str, str]] = {
    "one letter": ("x", "has 1 characters"),
    "too short": (GOOD[:31], "has 31 characters"),
    "too short behind a good one": (f"{GOOD},{GOOD[:31]}", "key 2 of 2 has 31 characters"),
    "the simulator's": (DEMO_WEBHOOK_KEY, "the simulator's, which is public"),
    "the simulator's behind a good one": (f"{GOOD}, {DEMO_WEBHOOK_KEY}", "key 2 of 2 is the simulator's"),
    "an ellipsis": ("…", "placeholder"),
    "a shortened key": (f"{GOOD[:60]}...", "placeholder"),
    "in angle brackets": ("<the-key-from-xeros-developer-portal-0>", "placeholder"),
    "a template that nobody filled in": ("{{xero_webhook_key_of_production_0}}", "placeholder"),
    "words": ("your-webhook-signing-key-from-the-portal", "placeholder"),
    "words with underscores": ("PASTE_THE_KEY_FROM_XEROS_DEVELOPER_PORTAL", "placeholder"),
    "newest": ("newest", "has 6 characters"),
    "one letter again and again": ("x" * 88, "different characters"),
    "few letters again and again": ("abcdefg" * 12, "different characters"),
    "blanks inside": (f"{GOOD[:40]} {GOOD[40:]}", "blanks"),
    "beyond ASCII": (f"{GOOD[:40]}é{GOOD[40:]}", "beyond ASCII"),
}

Form = Callable[[str, Path, pytest.MonkeyPatch], dict[AppName, tuple[bytes, ...]]]


def _read(app: AppName) -> dict[AppName, tuple[bytes, ...]]:
    return {app: WebhookApps.read().all()[app]}


def from_environment(text: str, _: Path, patch: pytest.MonkeyPatch) -> dict[AppName, tuple[bytes, ...]]:
    """``XERO_WEBHOOK_KEYS``."""
    patch.setenv("XERO_WEBHOOK_KEYS", text)
    return _read(DEFAULT_APP)


def from_dotenv(text: str, folder: Path, _: pytest.MonkeyPatch) -> dict[AppName, tuple[bytes, ...]]:
    """``.env``."""
    (folder / ".env").write_text(f"XERO_WEBHOOK_KEYS='{text}'\n")
    return _read(DEFAULT_APP)


def from_secret_file(text: str, folder: Path, patch: pytest.MonkeyPatch) -> dict[AppName, tuple[bytes, ...]]:
    """``XERO_WEBHOOK_KEYS_FILE``."""
    (folder / "keys").write_text(f"{text}\n")
    patch.setenv("XERO_WEBHOOK_KEYS_FILE", str(folder / "keys"))
    return _read(DEFAULT_APP)


def _apps_file(row: str, folder: Path, patch: pytest.MonkeyPatch) -> None:
    (folder / "apps.toml").write_text(f"[apps.uk]\nwebhook_keys = {row}\n")
    patch.setenv("XERO_STREAM_APPS_FILE", str(folder / "apps.toml"))


def from_text_in_apps_file(text: str, folder: Path, patch: pytest.MonkeyPatch) -> dict[AppName, tuple[bytes, ...]]:
    """``webhook_keys = "…"``."""
    _apps_file(f"'{text}'", folder, patch)
    return _read(AppName("uk"))


def from_list_in_apps_file(text: str, folder: Path, patch: pytest.MonkeyPatch) -> dict[AppName, tuple[bytes, ...]]:
    """``webhook_keys = ["…", "…"]``."""
    _apps_file(json.dumps(text.split(","), ensure_ascii=False), folder, patch)
    return _read(AppName("uk"))


def from_reload(text: str, folder: Path, patch: pytest.MonkeyPatch) -> dict[AppName, tuple[bytes, ...]]:
    """The apps file, read again after a change."""
    _apps_file(f"'{OTHER}-before-the-change'", folder, patch)
    apps = WebhookApps.read()
    before = apps.all()
    _apps_file(json.dumps(text.split(","), ensure_ascii=False), folder, patch)
    try:
        apps.refresh()
    except SettingsError:
        assert apps.all() == before
        raise
    return {AppName("uk"): apps.all()[AppName("uk")]}


FORMS: list[Form] = [
    from_environment,
    from_dotenv,
    from_secret_file,
    from_text_in_apps_file,
    from_list_in_apps_file,
    from_reload,
]
each_form = pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)


@pytest.fixture(autouse=True)
def _empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XERO_WEBHOOK_KEYS", "XERO_WEBHOOK_KEYS_FILE", "XERO_STREAM_APPS_FILE", "XERO_API_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@each_form
@pytest.mark.parametrize("name", TAKEN)
def test_taken(form: Form, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys are stripped, blank ones are none, and all forms agree."""
    text, keys = TAKEN[name]

    assert list(form(text, tmp_path, monkeypatch).values()) == [tuple(key.encode() for key in keys)]


@each_form
@pytest.mark.parametrize("name", REFUSED)
def test_refused(form: Form, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What protects nothing is refused in every form; the message says where, which and why, and never shows a key."""
    text, reason = REFUSED[name]

    with pytest.raises(SettingsError) as refused:
        form(text, tmp_path, monkeypatch)

    message = str(refused.value)
    assert reason in message
    assert message.startswith("XERO_WEBHOOK_KEYS: ") or "app 'uk': " in message
    assert GOOD[:20] not in message


@each_form
@pytest.mark.parametrize(
    ("url", "taken"),
    [
        ("http://127.0.0.1:8082", True),
        ("http://localhost:8082", True),
        ("http://[::1]:8082", True),
        ("http://127.8.8.8", True),
        ("https://api.xero.com", False),
        ("http://simulator:8082", False),
        ("http://127.0.0.1.example.com", False),
        ("http://0.0.0.0:8082", False),
    ],
)
def test_the_simulators_key(
    form: Form, url: str, *, taken: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is taken only where Xero's API is on this machine."""
    monkeypatch.setenv("XERO_API_URL", url)
    monkeypatch.setenv("XERO_STREAM_PLAIN_HTTP_HOSTS", "simulator,127.0.0.1.example.com,0.0.0.0")

    assert is_loopback(url) is taken
    if taken:
        assert list(form(DEMO_WEBHOOK_KEY, tmp_path, monkeypatch).values()) == [(DEMO_WEBHOOK_KEY.encode(),)]
    else:
        with pytest.raises(SettingsError, match="the simulator's"):
            form(DEMO_WEBHOOK_KEY, tmp_path, monkeypatch)


@pytest.mark.parametrize("value", [7, True, {"a": GOOD}, [GOOD, 7], [[GOOD]]])
def test_neither_text_nor_texts(value: object) -> None:
    """Anything else in the apps file is a typed error."""
    with pytest.raises(WebhookKeyError, match="text or a list"):
        parse(value, simulated=False)


def test_what_our_own_pages_show_is_refused() -> None:
    """Whoever copies a value out of documentation or examples has no key that works."""
    shown: set[str] = set()
    for page in [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        ROOT / ".env.example",
        ROOT / "docker-compose.yml",
    ]:
        text = page.read_text(encoding="utf-8")
        shown |= set(re.findall(r"WEBHOOK_KEYS?=([^\s`)]+)", text))
        shown |= {key for row in re.findall(r"webhook_keys = \[(.*?)\]", text) for key in re.findall(r'"([^"]*)"', row)}
    assert {"new,old", "…", "newest", DEMO_WEBHOOK_KEY} <= shown

    for value in shown:
        with pytest.raises(WebhookKeyError):
            parse(value, simulated=False)


@given(st.integers(min_value=24, max_value=66), st.sampled_from(["b64", "url", "hex"]))
def test_random_keys_are_taken(size: int, alphabet: str) -> None:
    """No random key looks like a placeholder."""
    drawn = secrets.token_bytes(size)
    key = {
        "b64": base64.b64encode(drawn).decode(),
        "url": base64.urlsafe_b64encode(drawn).decode(),
        "hex": drawn.hex(),
    }[alphabet]

    assert parse(key, simulated=False) == (key.encode(),)


@given(st.one_of(st.text(), st.lists(st.text()), st.integers(), st.none()))
def test_anything_at_all(value: object) -> None:
    """Whatever is given: keys of 32 characters and more, none, or the typed error."""
    try:
        keys = parse(value, simulated=False)
    except WebhookKeyError:
        return
    assert all(len(key) >= 32 and key == key.strip() for key in keys)
