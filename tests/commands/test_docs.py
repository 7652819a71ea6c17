"""What the pages say about commands, settings and files is so."""

import re
import shlex
from pathlib import Path

import pytest

from cli.application import COMMANDS, load
from cli.exits import ExitCode
from xero_stream.contracts.names import EntityName
from xero_stream.kafka.admin import wanted
from xero_stream.settings.example import SECTIONS, settings_of
from xero_stream.settings.kafka import KafkaSettings

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
SETTINGS = {setting.name for section in SECTIONS for setting in settings_of(section)}
GIVEN_ELSEWHERE = {"XERO_STREAM_FAKETIME", "XERO_STREAM_SOAK", "XERO_STREAM_SOAK_MINUTES", "XERO_STREAM_FAILPOINTS_DIR"}
"""Read by tests or benchmarks, not by the product."""


def name_of(page: Path) -> str:
    """A page's id."""
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link is a file or folder of this repository."""
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_exist(page: Path) -> None:
    """Every ``xero-stream …`` in code is a command, with options it has."""
    code = ""
    for language, block, inline in re.findall(
        r"```(\w*)\n(.*?)```|`([^`\n]+)`", page.read_text(encoding="utf-8"), re.DOTALL
    ):
        code += f"\n{inline or (block if language in {'', 'sh', 'console'} else '')}"
    for call in re.findall(r"(?:^|[\s|&$(])xero-stream ([a-z][^\n|&<>#;)…\[]*)", code.replace("\\\n", " ")):
        words = shlex.split(call.replace('"', " "))
        assert words[0] in COMMANDS, call
        command = load(COMMANDS[words[0]])
        inner = getattr(command, "commands", None)
        if inner and len(words) > 1:
            assert words[1] in inner, call
            command = inner[words[1]]
        known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
        assert {word for word in words if word.startswith("--")} <= known, call


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_settings_exist(page: Path) -> None:
    """Every name that looks like a setting of ours is one, or one's file."""
    names = re.findall(r"\b(?:XERO_STREAM|XERO|KAFKA)_[A-Z_]*[A-Z]\b", page.read_text(encoding="utf-8"))
    assert {
        name.removesuffix("_FILE") if name not in SETTINGS else name for name in names
    } <= SETTINGS | GIVEN_ELSEWHERE


def test_exit_codes_are_all_explained() -> None:
    """The table of the operations page is the enumeration."""
    text = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    table = text[text.index("| exit code |") :].split("\n\n")[0]

    assert [int(code) for code in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)] == [code.value for code in ExitCode]


def test_every_command_is_on_the_operations_page() -> None:
    """None is left out."""
    text = (ROOT / "docs/operations.md").read_text(encoding="utf-8")

    for name in COMMANDS:
        assert f"xero-stream {name}" in text, name


def test_readme_is_the_index_of_the_pages() -> None:
    """None is found by accident only."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    index = text[text.index("## More") :]

    for page in (ROOT / "docs").glob("*.md"):
        assert f"](docs/{page.name})" in index, page.name


def test_consuming_names_every_topic() -> None:
    """As many rows as there are kinds of topics, with how long each is kept."""
    text = (ROOT / "docs/consuming.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `xero\.(\S+)` \|.*\| ([^|]+) \|$", text, re.MULTILINE))
    kept = {}
    for spec in wanted(KafkaSettings.read(), [EntityName.INVOICES], deliveries=True):
        days = int(spec.configs.get("retention.ms", 0)) // 86_400_000
        name = spec.name.removeprefix("xero.").replace("invoices", "<entity>")
        kept[name] = f"{days} days" if days else "indefinitely, compacted"

    assert rows == kept


def test_decisions_are_short() -> None:
    """At most forty lines each."""
    for page in (ROOT / "docs/decisions").glob("*.md"):
        assert len(page.read_text(encoding="utf-8").splitlines()) <= 40, page.name
