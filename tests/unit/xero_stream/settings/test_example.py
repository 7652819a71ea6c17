"""The files made from the settings."""

import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import xero_stream.settings
from xero_stream.settings import example
from xero_stream.settings.base import Section

ROOT = Path(__file__).parents[4]


def sections() -> set[type[Section]]:
    """Every section there is in the package."""
    found: set[type[Section]] = set()
    for module in pkgutil.iter_modules(xero_stream.settings.__path__):
        members = vars(importlib.import_module(f"xero_stream.settings.{module.name}")).values()
        found |= {one for one in members if isinstance(one, type) and issubclass(one, Section) and one is not Section}
    return found


def test_env_example_is_not_stale() -> None:
    """``make schemas`` writes it."""
    assert (ROOT / ".env.example").read_text(encoding="utf-8") == example.env_example(), "run `make schemas`"


def test_the_configuration_page_is_not_stale() -> None:
    """Its tables are the code's."""
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")

    assert page == example.renewed(page), "run `make schemas`"


def test_no_section_is_forgotten() -> None:
    """A new section shows up in the files."""
    assert set(example.SECTIONS) == sections()


def test_every_setting_is_named_and_explained() -> None:
    """An environment variable, a meaning; our own start with XERO_STREAM_."""
    settings = [setting for section in example.SECTIONS for setting in example.settings_of(section)]

    assert len({setting.name for setting in settings}) == len(settings)
    for setting in settings:
        assert setting.name.startswith(("XERO_STREAM_", "XERO_", "KAFKA_", "DATABASE_URL")), setting.name
        assert len(setting.meaning) > 8, setting.name


def test_the_example_can_be_used_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Copied to .env, with every line taken from its comment, it reads as the defaults."""
    settings = re.findall(r"^(?:# )?([A-Z][A-Z0-9_]+=.*)$", example.env_example(), re.MULTILINE)
    assert settings.pop() == "PUBLISHED_ON=127.0.0.1"
    assert len(settings) == sum(len(section.model_fields) for section in example.SECTIONS)
    (tmp_path / ".env").write_text("\n".join(settings), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for section in example.SECTIONS:
        required = {name: "x" for name, field in section.model_fields.items() if field.is_required()}
        from_file = section.read(**required)
        monkeypatch.chdir("/")
        assert section.read(**required) == from_file
        monkeypatch.chdir(tmp_path)
