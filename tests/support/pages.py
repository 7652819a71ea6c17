"""Code out of the pages: what a page shows is what is tested."""

import re
from pathlib import Path

from tests.support.published import Published

ROOT = Path(__file__).parents[2]
SHOWN_KAFKA = "127.0.0.1:9092"
"""Kafka's address on the pages."""
SHOWN_GROUP = "books"
"""The consumer group on the pages."""
_SNIPPET = re.compile(r"<!-- snippet: (\S+) -->\n```\w*\n(.*?)\n```", re.DOTALL)


def snippets(page: str) -> dict[str, str]:
    """The marked code blocks of a page by name.

    Args:
        page: its path below the repository's root.
    """
    found = _SNIPPET.findall((ROOT / page).read_text(encoding="utf-8"))
    assert len({name for name, _ in found}) == len(found), f"{page} has two snippets of one name"
    return dict(found)


def adapted(code: str, published: Published, *, group: str) -> str:
    """A shown program for this run's Kafka, in a consumer group of its own.

    Args:
        code: as it stands on the page.
        published: what it reads.
        group: the name of its group.
    """
    for quote in "'\"":
        code = code.replace(f"{quote}{SHOWN_GROUP}{quote}", f"{quote}{group}{quote}")
    assert code.count(SHOWN_KAFKA) == 1
    assert code.count(group) == 1
    return code.replace(SHOWN_KAFKA, published.bootstrap_servers)
