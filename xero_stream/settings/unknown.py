"""Names that look like settings and are none: misspelt ones would be silently without effect. Pure."""

import re
from collections.abc import Collection, Iterable, Iterator
from difflib import get_close_matches

_LOOKS_LIKE_ONE = re.compile(r"(?:XERO|KAFKA)_[A-Za-z0-9_]+|DATABASE_URI", re.IGNORECASE)
# What Kubernetes and Docker put into a container's environment for each service beside it.
_INJECTED = re.compile(r"_SERVICE_HOST$|_SERVICE_PORT(?:_\w+)?$|_PORT(?:_\d+_(?:TCP|UDP)(?:_(?:PROTO|PORT|ADDR))?)?$")
_ASSIGNMENT = re.compile(r"\s*(?:export\s+)?[A-Za-z_][A-Za-z0-9_.]*\s*=")


def unknown_names(names: Iterable[str], known: Collection[str]) -> Iterator[str]:
    """A sentence for each name that looks like a setting of ours and is none.

    Args:
        names: of variables.
        known: of all settings.
    """
    for name in sorted(set(names)):
        plain = name.upper().removesuffix("_FILE")
        if not _LOOKS_LIKE_ONE.fullmatch(name) or {plain, name.upper()} & set(known) or _INJECTED.search(plain):
            continue
        nearest = get_close_matches(plain, known, n=1, cutoff=0.75)
        yield f"{name} is no setting and has no effect" + (f": did you mean {nearest[0]}?" if nearest else "")


def names_in(lines: Iterable[str]) -> list[str]:
    """The variables that a ``.env`` file sets."""
    assignments = (line for line in lines if _ASSIGNMENT.match(line))
    return [line.partition("=")[0].replace("export ", "").strip() for line in assignments]


def unreadable_lines(lines: Iterable[str]) -> Iterator[str]:
    """A sentence for each line of a ``.env`` file that sets nothing. Values over several lines are not looked into."""
    open_quote = ""
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if open_quote:
            open_quote = "" if text.endswith(open_quote) else open_quote
        elif not _ASSIGNMENT.match(line):
            if text and not text.startswith("#"):
                yield f".env line {number} is no NAME=VALUE and has no effect"
        else:
            value = text.partition("=")[2].strip()
            quote = value[:1] if value[:1] in {"'", '"'} else ""
            open_quote = quote if quote and value.count(quote) == 1 else ""
