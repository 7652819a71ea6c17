"""What is fixed about an organisation, and ids that follow from others."""

import hashlib
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What is fixed about an organisation. ``tax`` maps tax types to ten-thousandths of a percent."""

    id: str
    name: str
    country: str
    currency: str
    foreign_currency: str
    sales_tax: str
    purchase_tax: str
    tax: dict[str, int]
    created_ms: int
    tracking: tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...] = ()
    accounts: dict[str, str] = field(default_factory=dict)


def derived_id(*parts: str) -> str:
    """A GUID that always follows from the same parts."""
    digits = hashlib.md5(":".join(parts).encode(), usedforsecurity=False).hexdigest()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"
