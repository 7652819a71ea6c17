"""The key that signs tokens, drawn from the seed, and JWTs signed with it (RS256). Pure; all that is random follows from the seed.

The same seed gives the same key, so tokens outlive a restart. Whoever knows the seed has the key: it protects nothing.
Header and key set have the members of Xero's: ``kid`` is a thumbprint in hexadecimal, ``x5t`` the same one in base64.
"""

import base64
import binascii
import functools
import hashlib
import random
from itertools import count
from typing import Any

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

BITS = 2048
"""Length of the modulus; libraries refuse shorter keys for RS256 (RFC 7518, section 3.3)."""

_EXPONENT = 65_537
_SIEVED = 4_000
_ROUNDS = 8
"""Of Miller and Rabin with drawn bases: for random candidates of 1,024 bits they leave less than 2^-80 (FIPS 186-5, B.3)."""


class SigningKey:
    """A private key, and what is published of it."""

    def __init__(self, private: rsa.RSAPrivateKey) -> None:
        self._private = private
        self._public = private.public_key()
        der = self._public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        thumbprint = hashlib.sha1(der, usedforsecurity=False).digest()
        self._names = {"kid": thumbprint.hex().upper(), "x5t": encode(thumbprint)}
        self._header = encode(orjson.dumps({"alg": "RS256", "kid": self._names["kid"], "typ": "JWT", **self._names}))

    def sign(self, claims: dict[str, Any]) -> str:
        """A JWT with those claims."""
        signed = f"{self._header}.{encode(orjson.dumps(claims))}"
        return f"{signed}.{encode(self._private.sign(signed.encode(), padding.PKCS1v15(), SHA256()))}"

    def read(self, token: str) -> dict[str, Any] | None:
        """The claims of a JWT that this key signed; None for any other text."""
        signed, _, signature = token.rpartition(".")
        try:
            self._public.verify(decode(signature), signed.encode(), padding.PKCS1v15(), SHA256())
            claims = orjson.loads(decode(signed.partition(".")[2]))
        except (InvalidSignature, binascii.Error, ValueError):
            return None
        return claims if isinstance(claims, dict) else None

    def published(self) -> dict[str, Any]:
        """The key as a member of a JSON Web Key Set (RFC 7517)."""
        numbers = self._public.public_numbers()
        return {
            "kty": "RSA",
            "use": "sig",
            **self._names,
            "e": _number(numbers.e),
            "n": _number(numbers.n),
            "alg": "RS256",
        }


@functools.lru_cache(maxsize=16)
def drawn_key(seed: int) -> SigningKey:
    """The key of a seed. The first call for a seed takes about half a second of processor time."""
    source = random.Random(f"{seed}:signing key")
    p, q = _prime(source), _prime(source)
    p, q = max(p, q), min(p, q)
    d = pow(_EXPONENT, -1, (p - 1) * (q - 1))
    numbers = rsa.RSAPrivateNumbers(
        p=p, q=q, d=d, dmp1=d % (p - 1), dmq1=d % (q - 1), iqmp=pow(q, -1, p),
        public_numbers=rsa.RSAPublicNumbers(e=_EXPONENT, n=p * q),
    )  # fmt: skip
    return SigningKey(numbers.private_key())


def _prime(source: random.Random) -> int:
    """A prime of half the modulus' length; its two highest bits are set, so that the modulus has its full length."""
    half = BITS // 2
    start = source.getrandbits(half) | (0b11 << (half - 2)) | 1
    small = _small_primes()
    rests = [start % prime for prime in small]
    for step in count(0, 2):
        candidate = start + step
        divisible = any((rest + step) % prime == 0 for rest, prime in zip(rests, small, strict=True))
        if not divisible and (candidate - 1) % _EXPONENT and _probably_prime(candidate, source):
            return candidate
    raise AssertionError("there is always another prime")


@functools.cache
def _small_primes() -> tuple[int, ...]:
    found: list[int] = []
    for number in range(3, _SIEVED, 2):
        if all(number % prime for prime in found):
            found.append(number)
    return tuple(found)


def _probably_prime(candidate: int, source: random.Random) -> bool:
    """Miller and Rabin's test; base 2 first, which nearly every composite fails."""
    odd, twos = candidate - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    return all(
        _passes(pow(base, odd, candidate), candidate, twos)
        for base in (2, *(source.randrange(3, candidate - 1) for _ in range(_ROUNDS)))
    )


def _passes(power: int, candidate: int, twos: int) -> bool:
    if power in (1, candidate - 1):
        return True
    for _ in range(twos - 1):
        power = power * power % candidate
        if power == candidate - 1:
            return True
    return False


def half_hash(text: str) -> str:
    """``at_hash`` of a token: the left half of its SHA-256 (OpenID Connect Core, section 3.1.3.6)."""
    return encode(hashlib.sha256(text.encode()).digest()[:16])


def encode(raw: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """The bytes of base64url without padding.

    Raises:
        ValueError: it isn't that.
    """
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _number(value: int) -> str:
    return encode(value.to_bytes((value.bit_length() + 7) // 8))
