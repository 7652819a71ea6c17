"""Links of the documentation to files of the repository lead somewhere."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
_LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")


def test_every_link_to_a_file_leads_to_one() -> None:
    """A module that moves takes the links to it along."""
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    assert len(pages) > 30

    broken = [
        f"{page.relative_to(ROOT)}: {link}"
        for page in pages
        for link in _LINK.findall(page.read_text(encoding="utf-8"))
        if not (page.parent / link).exists()
    ]

    assert broken == []
