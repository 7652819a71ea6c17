"""The form of an API key, and what a key may see."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xero_stream.contracts.api_key import ApiKey, KeyState, Presented, Scope, is_digest_of, parse

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
SECRET = "s" * 43
KEY = Presented("0123456789ab", SECRET)


def stored(**more: object) -> ApiKey:
    """A key of the table."""
    fields: dict[str, object] = {
        "key_id": KEY.key_id,
        "name": "n",
        "scopes": frozenset({Scope.READ}),
        "created_at": NOW,
        "created_by": "me",
        **more,
    }
    return ApiKey(**fields)  # type: ignore[arg-type]


def test_a_key_is_read_as_it_was_written() -> None:
    """Both parts come back; the secret is not part of what a log would show."""
    assert parse(str(KEY)) == KEY
    assert SECRET not in repr(KEY)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "xsk_",
        f"xsk_{KEY.key_id}",
        f"xsk_{KEY.key_id}_",
        f"xsk_{KEY.key_id}_{SECRET[1:]}",
        f"xsk_{KEY.key_id}_{SECRET}s",
        f"xsk_{KEY.key_id}_{SECRET}\n",
        f" {KEY}",
        f"XSK_{KEY.key_id}_{SECRET}",
        f"xsk_{KEY.key_id.upper()}_{SECRET}",
        f"xsk_{KEY.key_id}_{'é' * 43}",
        f"xsk_{KEY.key_id}_{'=' * 43}",
    ],
)
def test_other_texts_are_no_key(text: str) -> None:
    """Shorter, longer, in another case, with other characters."""
    assert parse(text) is None


@given(st.text())
def test_no_text_makes_it_fail(text: str) -> None:
    """Whatever a stranger sends is a key or None."""
    found = parse(text)

    assert found is None or str(found) == text


def test_only_the_digest_of_the_same_secret_fits() -> None:
    """Another secret, another digest, and no digest at all are refused; the digest of nothing opens nothing."""
    assert is_digest_of(KEY, hashlib.sha256(SECRET.encode()).digest())
    assert not is_digest_of(Presented(KEY.key_id, "t" * 43), KEY.digest)
    assert not is_digest_of(KEY, None)
    assert not is_digest_of(KEY, b"")
    assert not is_digest_of(KEY, bytes(32))


@pytest.mark.parametrize(
    ("expires", "revoked", "state"),
    [
        (None, None, KeyState.ACTIVE),
        (timedelta(microseconds=1), None, KeyState.ACTIVE),
        (timedelta(0), None, KeyState.EXPIRED),
        (None, timedelta(0), KeyState.REVOKED),
        (timedelta(-1), timedelta(-2), KeyState.REVOKED),
    ],
)
def test_a_key_ends_at_its_time(expires: timedelta | None, revoked: timedelta | None, state: KeyState) -> None:
    """At the moment of expiry it opens nothing any more."""
    key = stored(
        expires_at=None if expires is None else NOW + expires, revoked_at=None if revoked is None else NOW + revoked
    )

    assert key.state(NOW) is state


@pytest.mark.parametrize(
    ("tenants", "customer", "visible"),
    [
        (None, None, None),
        (frozenset("ab"), None, frozenset("ab")),
        (None, "c-1", frozenset("bc")),
        (frozenset("ab"), "c-1", frozenset("b")),
        (frozenset("a"), "c-1", frozenset()),
    ],
)
def test_both_restrictions_hold(
    tenants: frozenset[str] | None, customer: str | None, visible: frozenset[str] | None
) -> None:
    """Organisations and customer narrow each other; nothing in common is nothing, not everything."""
    key = stored(tenant_ids=tenants, customer_ref=customer)

    assert key.visible({"b", "c"}) == visible
    assert key.is_restricted is (visible is not None)
