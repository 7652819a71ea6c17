"""An import contract of our own: a module whose docstring says "Pure" has no clock, no loop, no I/O, however indirectly."""

import ast
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output

_MARK = re.compile(r"(?:^|[.!?]\s+)Pure\b(?P<rest>[^.]*)")
"""A sentence that begins with the word; what follows it may name arguments."""
_RANDOM = "random"


def mark_of(docstring: str) -> str | None:
    """The sentence by which a module says that it is pure, or None.

    Args:
        docstring: the module's.
    """
    found = _MARK.search(docstring)
    return found[0] if found else None


def pure_modules(modules: set[str], docstring_of: Callable[[str], str]) -> dict[str, str]:
    """Modules that say that they are pure, or that lie in a package that does; with the sentence.

    Args:
        modules: dotted names.
        docstring_of: a module's docstring.
    """
    own = {name: mark for name in modules if (mark := mark_of(docstring_of(name))) is not None}
    return {name: mark for name in modules for mark in [_nearest(name, own)] if mark is not None}


def _nearest(name: str, own: dict[str, str]) -> str | None:
    while name:
        if name in own:
            return own[name]
        name = name.rpartition(".")[0]
    return None


def docstring_on_disk(name: str) -> str:
    """The docstring of a module of this repository."""
    place = Path(*name.split("."))
    path = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    return ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""


def chains(graph: ImportGraph, pure: dict[str, str], forbidden: set[str]) -> list[tuple[str, ...]]:
    """How pure modules reach what they may not; a random source may be an argument where the mark says so.

    Args:
        graph: of imports, external packages included.
        pure: modules with their marks.
        forbidden: external packages.
    """
    found = []
    for module, mark in sorted(pure.items()):
        allowed = {_RANDOM} if _RANDOM in mark else set[str]()
        for package in sorted((forbidden - allowed) & graph.modules):
            chain = graph.find_shortest_chain(importer=module, imported=package)
            if chain is not None:
                found.append(chain)
    return found


class PureContract(Contract):
    """Modules marked as pure import none of the forbidden packages, directly or not."""

    forbidden_modules = fields.SetField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Find the marks, follow the imports."""
        del verbose
        ours = {module for module in graph.modules if not graph.is_module_squashed(module)}
        pure = pure_modules(ours, docstring_on_disk)
        forbidden: set[str] = set(self.forbidden_modules)  # type: ignore[call-overload]  # the field is the set by now
        found = chains(graph, pure, forbidden)
        return ContractCheck(kept=bool(pure) and not found, metadata={"chains": found, "pure": len(pure)})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """One line per way to something forbidden."""
        metadata: dict[str, Any] = check.metadata
        if not metadata["pure"]:
            output.print_error("No module says that it is pure: is the mark spelled otherwise now?")
        for chain in metadata["chains"]:
            output.print_error(" -> ".join(chain))
