"""Payment services: where a customer's "pay now" leads."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentService:
    """A payment service."""

    id: str
    name: str
    url: str
    pay_now_text: str
    updated_ms: int
    overrides: dict[str, str] = field(default_factory=dict)
