"""The licences of everything that ships are known and allowed."""

import importlib.metadata
import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[3]
ALLOWED = {"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0", "MPL-2.0", "PSF-2.0"}
"""SPDX ids. MPL-2.0 asks for the source of its own files only, which are used unchanged."""
SAID_OTHERWISE = {
    "Apache 2": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "ISC License": "ISC",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
"""What packages without SPDX ids write."""


def shipped() -> dict[str, str]:
    """Name and version of each package of the image, which runs on Linux."""
    lines = (ROOT / "requirements/runtime.lock").read_text(encoding="utf-8").splitlines()
    found = [Requirement(line.rstrip(" \\")) for line in lines if line[:1].isalnum()]
    linux = {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"}
    return {
        one.name: str(one.specifier).removeprefix("==")
        for one in found
        if one.marker is None or one.marker.evaluate(linux)
    }


def licence_of(name: str) -> str:
    """What a package's metadata say, as an SPDX expression."""
    data = importlib.metadata.metadata(name)
    if expression := data.get_all("License-Expression"):
        return str(expression[0])
    text = str((data.get_all("License") or [""])[0]).strip()
    if not text or "\n" in text:
        classifiers = [line for line in data.get_all("Classifier") or [] if line.startswith("License ::")]
        text = " OR ".join(SAID_OTHERWISE.get(last := line.split(" :: ")[-1], last) for line in classifiers)
    return SAID_OTHERWISE.get(text, text)


def is_allowed(expression: str) -> bool:
    """Whether a licence that we may choose by the expression is on the list."""
    words = re.findall(r"[()]|[^\s()]+", expression)
    kept = {"AND": "and", "OR": "or", "(": "(", ")": ")"}
    python = " ".join(kept.get(word) or str(word in ALLOWED) for word in words)
    return bool(python) and bool(eval(python, {"__builtins__": {}}))


@pytest.mark.parametrize("name", sorted(shipped()))
def test_the_licence_is_allowed(name: str) -> None:
    """A package that is new, or changed its licence, fails until somebody has looked at it."""
    assert importlib.metadata.version(name) == shipped()[name], "the environment is not that of the lock: make install"
    assert is_allowed(licence_of(name)), licence_of(name)


@pytest.mark.parametrize(
    ("expression", "allowed"),
    [
        ("MIT", True),
        ("GPL-3.0-only", False),
        ("MIT OR GPL-3.0-only", True),
        ("MIT AND GPL-3.0-only", False),
        ("MPL-2.0 AND (Apache-2.0 OR MIT)", True),
        ("MPL-2.0 AND (LGPL-3.0-only OR SSPL-1.0)", False),
        ("", False),
        ("UNKNOWN", False),
    ],
)
def test_expressions(expression: str, *, allowed: bool) -> None:
    """Of licences joined by OR one is enough, of those joined by AND each counts; none at all is not allowed."""
    assert is_allowed(expression) is allowed


def test_locks_agree() -> None:
    """What is tested is what ships."""
    tested = (ROOT / "requirements/dev.lock").read_text(encoding="utf-8").splitlines()
    pinned = {line.split(" ")[0].rstrip("\\") for line in tested if line[:1].isalnum()}

    assert {f"{name}=={version}" for name, version in shipped().items()} <= pinned
