"""Every setting with values that it can't have, read by every command that reads it: one line, 78, no part of the value."""

from enum import Enum
from pathlib import Path
from typing import Literal, get_origin

import pytest
from cryptography.fernet import Fernet
from pydantic.fields import FieldInfo

from cli.application import COMMANDS as TABLE
from cli.application import load
from tests.commands.conftest import CommandLine
from xero_stream.settings.base import SettingsError
from xero_stream.settings.example import SECTIONS

CANARY = "c4n4ry-s3cr3t"
ADDRESSES = {
    "DATABASE_URL": [
        f"postgresql://u:{CANARY}/pw@h/x",
        f"postgresql://u:{CANARY}#pw@h/x",
        f"postgresql://u:{CANARY}?pw@h/x",
        f"postgresql://u:{CANARY}[pw@h/x",
        f"postgresql://u:{CANARY}@pw@h/x",
        f"postgresql://u:{CANARY}@h:x/x",
        f"postgresql://u:{CANARY}@h:99999/x",
        f"postgresql://u:{CANARY}@h/x?sslmode=maybe",
        f"postgresql://u:{CANARY}@h h/x",
        f"mysql://u:{CANARY}@h/x",
        CANARY,
    ],
    "KAFKA_BOOTSTRAP_SERVERS": [
        "127.0.0.1:abc",
        "127.0.0.1:99999",
        "127.0.0.1:0",
        "127.0.0.1",
        "a b:9092",
        f"kafka://u:{CANARY}@h:9092",
        f"{CANARY}@h:9092",
        "[::1:9092",
        ",",
        "h:9092,:9092",
    ],
    **{
        name: [
            "foo",
            "ftp://api.xero.com",
            "https://",
            "https://api.xero.com:x",
            "http://127.0.0.1:99999",
            f"https://{CANARY}@evil.example",
            f"https://u:{CANARY}@evil.example",
            "http://api.xero.com",
            "https://api.xero.com?x",
            "https://[api.xero.com",
            "https://api xero.com",
        ]
        for name in ("XERO_API_URL", "XERO_IDENTITY_URL", "XERO_LOGIN_URL")
    },
}
NUMBERS = ["many", "1e999", "0x10", "1" * 400, "-1e300"]
SECTION_OF = {field.alias or name: section for section in SECTIONS for name, field in section.model_fields.items()}
FOREIGN_WORDS = ("Input", "Value error", "validation", "tuple", "Tuple", "literal", "__")


def bad_values(field: FieldInfo) -> list[str]:
    """Values that a setting can't have; none where it takes any text."""
    kind = field.annotation
    if field.alias in ADDRESSES:
        return ADDRESSES[field.alias]
    if kind in (int, float):
        return NUMBERS
    if kind is bool or get_origin(kind) is Literal or (isinstance(kind, type) and issubclass(kind, Enum)):
        return ["maybe"]
    return []


BAD = [
    pytest.param(field.alias, value, id=f"{field.alias}-{number}")
    for section in SECTIONS
    for field in section.model_fields.values()
    for number, value in enumerate(bad_values(field))
]


def required() -> dict[str, str]:
    """Values for the settings that nothing starts without."""
    return {"XERO_STREAM_ENCRYPTION_KEYS": Fernet.generate_key().decode()}


@pytest.mark.parametrize(("name", "value"), BAD)
def test_message_names_setting_and_origin_and_never_the_value(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """One line from each of three origins: which variable, where it is from, what would be right, in no library's words."""
    monkeypatch.chdir(tmp_path)
    for setting, given in required().items():
        monkeypatch.setenv(setting, given)
    file = tmp_path / "value"
    for origin in ("from the environment", f"from {name}_FILE={file}", "from .env"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(f"{name}_FILE", raising=False)
        (tmp_path / ".env").write_text("")
        if origin == "from .env":
            (tmp_path / ".env").write_text(f"{name}='{value}'\n")
        elif origin == "from the environment":
            monkeypatch.setenv(name, value)
        else:
            file.write_text(value)
            monkeypatch.setenv(f"{name}_FILE", str(file))

        with pytest.raises(SettingsError) as caught:
            SECTION_OF[name].read()

        told = str(caught.value)
        assert told.startswith(f"{name} ({origin}): "), told
        assert "\n" not in told
        assert CANARY not in told
        assert not any(word in told for word in FOREIGN_WORDS), told


GROUPS = {name for name, entry in TABLE.items() if getattr(load(entry), "commands", None)}
AN_ID = "1b3e5d0c-0f4e-4a8e-9d4a-0c8f3f1b8b52"
COMMANDS = [
    ("migrate",),
    ("topics", "check"),
    ("topics", "apply"),
    ("topics", "acl", "--receiver", "User:receiver"),
    ("deployment", "show"),
    ("deployment", "set", "XERO_STREAM_ENTITIES=invoices"),
    ("grants", "list"),
    ("grants", "add", "--client-credentials"),
    ("grants", "retry"),
    ("tenants", "list"),
    ("tenants", "remove", AN_ID),
    ("connect", "--no-browser"),
    ("quarantine", "list"),
    ("quarantine", "show", AN_ID),
    ("quarantine", "retry", "--all"),
    ("api-keys", "create", "reporting", "--scope", "read"),
    ("api-keys", "list"),
    ("api-keys", "revoke", "5f0c2a9be1d4"),
    ("audit",),
    ("tail",),
    ("doctor",),
]
"""Commands that end by themselves, each without its servers."""
WITHOUT_SERVERS = {("topics", "acl")}
"""They need none, and end with 0 where the bad setting is none of theirs."""
OF_THEIR_OWN = {("demo",), ("local",), ("simulator",)}
"""They read no address: the demo looks at no deployment's settings, the others at their own, which options set too."""
STARTED = [("receiver",), ("processors",), ("console",), ("up",)]
"""Commands that go on, with settings that they read before anything else."""
READ_FIRST = {
    "receiver": {"KAFKA_BOOTSTRAP_SERVERS"},
    "processors": {"KAFKA_BOOTSTRAP_SERVERS", "DATABASE_URL", "XERO_API_URL", "XERO_IDENTITY_URL"},
    "console": {"DATABASE_URL"},
    "up": {"KAFKA_BOOTSTRAP_SERVERS", "DATABASE_URL", "XERO_API_URL", "XERO_IDENTITY_URL"},
}
NOBODY = {
    "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9",
    "DATABASE_URL": "postgresql://u:pw@127.0.0.1:9/x",
    "XERO_API_URL": "http://127.0.0.1:9",
    "XERO_IDENTITY_URL": "http://127.0.0.1:9",
    "XERO_CLIENT_ID": "id",
    "XERO_CLIENT_SECRET": "a-secret",
    "XERO_WEBHOOK_KEYS": "f3f0b2a4c6d81e5970a1b2c3d4e5f607",
}


def test_every_command_is_tried() -> None:
    """A new one is added to one of the lists."""
    tried = {command[: 2 if command[0] in GROUPS else 1] for command in (*COMMANDS, *STARTED)}

    assert tried | OF_THEIR_OWN == {
        (name, *([inner] if inner else []))
        for name, entry in TABLE.items()
        for inner in (getattr(load(entry), "commands", None) or {None: None})
    }


def codes(command: tuple[str, ...]) -> set[int]:
    """What a command without servers may end with where one setting is wrong."""
    return {1} if command == ("doctor",) else {0, 78} if command[:2] in WITHOUT_SERVERS else {69, 78}


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("name", sorted(ADDRESSES))
def test_commands_that_end(xero_stream: CommandLine, command: tuple[str, ...], name: str) -> None:
    """One line and 78 where the command reads the address; never a traceback, never a part of the value."""
    for value in (ADDRESSES[name][1], ADDRESSES[name][5]):
        ended = xero_stream(*command, env={**required(), **NOBODY, name: value})

        assert CANARY not in ended.out + ended.err
        assert ended.code in codes(command), ended
        if ended.code == 78:
            assert ended.complaint.startswith(f"{name} (from the environment): ")


@pytest.mark.parametrize("command", [one for one in COMMANDS if one != ("doctor",)], ids=" ".join)
def test_other_settings(xero_stream: CommandLine, command: tuple[str, ...]) -> None:
    """The same for what is no address: one setting of each kind of each section, as the first of them stands for all."""
    for section in SECTIONS:
        bad = {field.annotation: field for field in section.model_fields.values() if field.alias not in ADDRESSES}
        for field in bad.values():
            for value in bad_values(field)[:1]:
                ended = xero_stream(*command, env={**required(), **NOBODY, str(field.alias): value})

                assert ended.code in codes(command), ended
                if ended.code == 78:
                    assert ended.complaint.startswith(f"{field.alias} (from the environment): ")


def test_doctor_names_one_of_each_section(xero_stream: CommandLine) -> None:
    """It goes on after the first, as every other command does not."""
    bad = {
        str(field.alias): bad_values(field)[0]
        for section in SECTIONS
        for field in section.model_fields.values()
        if field.alias not in ADDRESSES and bad_values(field)
    }

    ended = xero_stream("doctor", env={**required(), **NOBODY, **bad})

    assert (ended.code, ended.err) == (1, "")
    for section in SECTIONS:
        names = [str(field.alias) for field in section.model_fields.values() if str(field.alias) in bad]
        assert not names or any(f"{name} (from the environment): " in ended.out for name in names), names


@pytest.mark.parametrize(
    ("command", "name"), [(command, name) for command in STARTED for name in sorted(READ_FIRST[command[0]])]
)
def test_services_refuse_to_start(xero_stream: CommandLine, command: tuple[str, ...], name: str) -> None:
    """78 before anything is connected to."""
    run = xero_stream.process if name == "KAFKA_BOOTSTRAP_SERVERS" else xero_stream.forked
    ended = run(*command, env={**required(), **NOBODY, name: ADDRESSES[name][5]})

    assert ended.code == 78, ended
    assert f"{name} (from the environment): " in ended.err.splitlines()[-1]
    assert CANARY not in ended.out + ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("receiver", "--port", "99999"), "--port: must be at most 65535"),
        (("receiver", "--workers", "0"), "--workers: must be at least 1"),
        (("simulator", "--tenants", "-1"), "--tenants: must be at least 0"),
        (("simulator", "--tier", "gold"), "--tier: must be one of starter, core, plus, advanced, enterprise"),
    ],
)
def test_option_is_named_as_it_was_typed(xero_stream: CommandLine, arguments: tuple[str, ...], told: str) -> None:
    """2, as for any other wrong use; no variable is named that nobody set."""
    ended = xero_stream(*arguments, env={**required(), **NOBODY})

    assert (ended.code, ended.complaint) == (2, f"{told}.")


def test_names_that_are_no_settings(xero_stream: CommandLine) -> None:
    """A misspelt one is named with the nearest that exists; what Kubernetes injects is not. Nothing is refused for it."""
    (xero_stream.folder / ".env").write_text(
        "XERO_CLIENT_IDD=x\nnonsense\n# a comment\nDATABASE_URL=postgresql://h/x\n"
    )
    env = {"XERO_STREAM_ENTITEIS": "x", "KAFKA_SERVICE_HOST": "10.0.0.1", "KAFKA_PORT": "tcp://10.0.0.1:9092"}

    ended = xero_stream("tenants", "list", env={**NOBODY, **env})

    assert ended.code == 69
    assert ended.err.splitlines()[:3] == [
        "xero-stream: warning: XERO_CLIENT_IDD is no setting and has no effect: did you mean XERO_CLIENT_ID?",
        "xero-stream: warning: XERO_STREAM_ENTITEIS is no setting and has no effect: did you mean XERO_STREAM_ENTITIES?",
        "xero-stream: warning: .env line 2 is no NAME=VALUE and has no effect.",
    ]
    assert len(ended.err.splitlines()) == 4
