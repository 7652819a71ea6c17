"""The key of a seed, and JWTs as any other library checks them."""

import base64
from typing import Any

import orjson
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.hashes import SHA256

from simulator.identity.signing import drawn_key


def raw(text: str) -> bytes:
    """The bytes of base64url."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def check(token: str, jwk: dict[str, Any]) -> dict[str, Any]:
    """Verify a JWT by a published key alone; its claims."""
    header, claims, signature = token.split(".")
    assert orjson.loads(raw(header)) == {"alg": "RS256", "kid": jwk["kid"], "typ": "JWT", "x5t": jwk["x5t"]}
    numbers = RSAPublicNumbers(e=int.from_bytes(raw(jwk["e"])), n=int.from_bytes(raw(jwk["n"])))
    numbers.public_key().verify(raw(signature), f"{header}.{claims}".encode(), PKCS1v15(), SHA256())
    found: dict[str, Any] = orjson.loads(raw(claims))
    return found


def test_the_published_key_checks_what_the_private_one_signs() -> None:
    """2,048 bits; the thumbprint is in the header, in hexadecimal and in base64."""
    key = drawn_key(1)
    jwk = key.published()

    assert check(key.sign({"sub": "x"}), jwk) == {"sub": "x"}
    assert int.from_bytes(raw(jwk["n"])).bit_length() == 2048
    assert raw(jwk["x5t"]).hex().upper() == jwk["kid"]
    assert (jwk["kty"], jwk["use"], jwk["alg"]) == ("RSA", "sig", "RS256")


def test_a_key_follows_from_its_seed() -> None:
    """Drawn again it is the same; another seed has another, whose tokens it does not take."""
    again = drawn_key.__wrapped__(1)
    other = drawn_key(2)

    assert again.published() == drawn_key(1).published()
    assert drawn_key(1).read(again.sign({"a": 1})) == {"a": 1}
    assert drawn_key(1).read(other.sign({"a": 1})) is None
    with pytest.raises(InvalidSignature):
        check(
            other.sign({"a": 1}),
            drawn_key(1).published() | {"kid": other.published()["kid"], "x5t": other.published()["x5t"]},
        )


@pytest.mark.parametrize("spoiled", ["", "a.b.c", "nonsense", "é.é.é", "..", "a.b.====="])
def test_other_texts_are_not_read(spoiled: str) -> None:
    """Whatever they look like."""
    assert drawn_key(1).read(spoiled) is None
