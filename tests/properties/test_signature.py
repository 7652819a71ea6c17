"""Signatures of arbitrary bodies and keys."""

import string

from hypothesis import given
from hypothesis import strategies as st

from receiver.signature import verify
from tests.support.webhooks import sign

keys = st.text(alphabet=string.printable.strip(), min_size=1, max_size=100)


@given(st.binary(max_size=2_000), st.lists(keys, min_size=1, max_size=4, unique=True), st.data())
def test_each_key_verifies(body: bytes, ring: list[str], data: st.DataObject) -> None:
    """A body signed with any of the keys verifies, and names that key."""
    position = data.draw(st.integers(0, len(ring) - 1))

    assert verify(body, [sign(body, ring[position])], [key.encode() for key in ring]) == (position, None)


@given(st.binary(max_size=500), keys, st.lists(st.text(max_size=100), max_size=3))
def test_anything_else_is_refused(body: bytes, key: str, values: list[str]) -> None:
    """Whatever text is sent, it is either the one right signature or refused with a reason; nothing is raised."""
    verdict = verify(body, values, [key.encode()])

    assert (verdict.flaw is None) == (values == [sign(body, key)])


@given(st.binary(max_size=500), keys, st.data())
def test_one_character_off(body: bytes, key: str, data: st.DataObject) -> None:
    """A signature that differs in one character, as Xero's handshake sends on purpose, is refused."""
    right = sign(body, key)
    position = data.draw(st.integers(0, len(right) - 1))
    character = data.draw(st.characters(min_codepoint=32, max_codepoint=126).filter(lambda c: c != right[position]))

    wrong = right[:position] + character + right[position + 1 :]

    assert verify(body, [wrong], [key.encode()]).flaw is not None


@given(st.binary(min_size=1, max_size=500), keys, st.data())
def test_one_byte_of_the_body_off(body: bytes, key: str, data: st.DataObject) -> None:
    """A body that differs in one byte is refused."""
    position = data.draw(st.integers(0, len(body) - 1))
    other = bytearray(body)
    other[position] ^= data.draw(st.integers(1, 255))

    assert verify(bytes(other), [sign(body, key)], [key.encode()]).flaw is not None
