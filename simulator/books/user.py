"""People who may log in to the organisation."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A user; ``role`` is REMOVED once access was taken away."""

    id: str
    first_name: str
    last_name: str
    email: str
    role: str
    updated_ms: int
    is_subscriber: bool = False
    overrides: dict[str, str] = field(default_factory=dict)
