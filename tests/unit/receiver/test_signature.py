"""The signature check: what is good, what is not, and that nothing shortens its path."""

import base64
import hashlib
import hmac

import pytest

from receiver import signature
from receiver.signature import Flaw, Verdict, verify
from tests.support.webhooks import KEY, Captured, captured, sign

BODY = b'{"events":[],"firstEventSequence": 0,"lastEventSequence": 0, "entropy": "X"}'
KEYS = (KEY.encode(),)


@pytest.mark.parametrize("case", captured(), ids=["good", "bad"])
def test_captured_requests(case: Captured) -> None:
    """The captured intent-to-receive requests are told apart as Xero wants them."""
    verdict = verify(case.body, [case.signature], [case.key.encode()])

    assert (verdict.flaw is None) == (case.answer == 200)


def test_right_signature() -> None:
    """A right signature names the key that matched."""
    assert verify(BODY, [sign(BODY)], KEYS) == Verdict(0, None)


def test_older_key() -> None:
    """While keys are rotated the older ones count as well, and are told apart."""
    assert verify(BODY, [sign(BODY, "older")], (b"newer", b"older", b"oldest")) == Verdict(1, None)


def test_key_is_not_decoded() -> None:
    """The key looks like base64 but is used as the text it is."""
    key = base64.b64encode(bytes(range(64))).decode()
    decoded = hmac.new(base64.b64decode(key), BODY, hashlib.sha256).digest()

    assert verify(BODY, [base64.b64encode(decoded).decode()], [key.encode()]).flaw is Flaw.MISMATCH
    assert verify(BODY, [sign(BODY, key)], [key.encode()]).flaw is None


def _wrong() -> dict[str, tuple[list[str], Flaw]]:
    right = sign(BODY)
    digest = hmac.new(KEY.encode(), BODY, hashlib.sha256)
    return {
        "absent": ([], Flaw.MISSING),
        "duplicated": ([right, right], Flaw.DUPLICATED),
        "empty": ([""], Flaw.MISMATCH),
        "first character": ([("A" if right[0] != "A" else "B") + right[1:]], Flaw.MISMATCH),
        "last character": ([right[:-2] + ("A" if right[-2] != "A" else "B") + "="], Flaw.MISMATCH),
        "trailing space": ([right + " "], Flaw.MISMATCH),
        "leading space": ([" " + right], Flaw.MISMATCH),
        "trailing newline": ([right + "\n"], Flaw.MISMATCH),
        "without padding": ([right.rstrip("=")], Flaw.MISMATCH),
        "hex": ([digest.hexdigest()], Flaw.MISMATCH),
        "URL-safe": ([base64.urlsafe_b64encode(b"\xfb\xff" * 16).decode()], Flaw.MISMATCH),
        "other case": ([right.swapcase()], Flaw.MISMATCH),
        "two in one header": ([f"{right},{right}"], Flaw.OVERSIZED),
        "oversized": ([right + "A" * 21], Flaw.OVERSIZED),
        "a megabyte": (["A" * 1_000_000], Flaw.OVERSIZED),
        "not ASCII": (["ß" + right[1:]], Flaw.NON_ASCII),
        "bytes that are no text": (["\udcff" + right[1:]], Flaw.NON_ASCII),
        "64 NULs": (["\0" * 44], Flaw.MISMATCH),
        "of another key": ([sign(BODY, "other")], Flaw.MISMATCH),
        "of the body spelt anew": ([sign(BODY.replace(b" ", b""))], Flaw.MISMATCH),
    }


@pytest.mark.parametrize("name", _wrong())
def test_wrong_signature(name: str) -> None:
    """Whatever is wrong with a signature, it is refused, and the reason is known for the metrics."""
    values, flaw = _wrong()[name]

    assert verify(BODY, values, KEYS) == Verdict(-1, flaw)


def test_url_safe_form_of_the_right_one() -> None:
    """The right digest in URL-safe base64 is refused where it differs from the standard form."""
    bodies = (b"%d" % number for number in range(100))
    body = next(body for body in bodies if set("+/") & set(sign(body)))

    assert verify(body, [sign(body).replace("+", "-").replace("/", "_")], KEYS).flaw is Flaw.MISMATCH


@pytest.mark.parametrize("values", [[], [""], ["A" * 44], ["A" * 100], ["ß"], [sign(BODY)], [sign(BODY)] * 2])
def test_every_key_is_always_tried(monkeypatch: pytest.MonkeyPatch, values: list[str]) -> None:
    """The work is the same whatever was sent: one digest and one comparison for each key, right or wrong."""
    digests: list[bytes] = []
    compared: list[bytes] = []

    class Counted:
        @staticmethod
        def digest(key: bytes, message: bytes, algorithm: str) -> bytes:
            digests.append(key)
            return hmac.digest(key, message, algorithm)

        @staticmethod
        def compare_digest(one: bytes, other: bytes) -> bool:
            compared.append(other)
            return hmac.compare_digest(one, other)

    monkeypatch.setattr(signature, "hmac", Counted)

    verify(BODY, values, (KEY.encode(), b"second", b"third"))

    assert digests == [KEY.encode(), b"second", b"third"]
    assert len(compared) == 3


def test_no_keys() -> None:
    """Without a key nothing is good."""
    assert verify(BODY, [sign(BODY, "")], ()).flaw is Flaw.MISMATCH
