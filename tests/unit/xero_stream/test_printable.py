"""Text for people, of strangers."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xero_stream.printable import printable

STEERING = st.characters(categories=["Cc", "Cf", "Zl", "Zp", "Cs"])


@given(text=st.text(st.characters(codec=None) | STEERING))
def test_nothing_steers(text: str) -> None:
    """No control character, mark of direction or surrogate is left; JSON reads the escapes back."""
    shown = printable(text)

    assert not {unicodedata.category(c) for c in shown} & {"Cc", "Zl", "Zp", "Cs"}
    assert not {unicodedata.bidirectional(c) for c in shown} & {
        "LRE",
        "RLE",
        "LRO",
        "RLO",
        "PDF",
        "LRI",
        "RLI",
        "FSI",
        "PDI",
    }
    plain = text.replace("\\", "").replace('"', "")
    assert json.loads(f'"{printable(plain)}"') == json.loads(json.dumps(plain))
    assert printable(shown) == shown


def test_ordinary_text_is_untouched() -> None:
    """Letters of all scripts, accents, symbols."""
    text = "Zoë's Café · 株式会社 → €1,150.00 שלום 🎉"

    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;title\x07", r"\u001b]0;title\u0007"),
        ("a\r\nb", r"a\r\nb"),
        ("\x9b31m", r"\u009b31m"),
        ("\u202egpj", r"\u202egpj"),
    ],
)
def test_escapes(text: str, shown: str) -> None:
    """They stay to be seen."""
    assert printable(text) == shown


def test_lines_may_stay() -> None:
    """In a traceback line ends stay, and nothing else."""
    assert printable("a\n\tb\r\x1b", lines=True) == "a\n" + r"\tb\r\u001b"
