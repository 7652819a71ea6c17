"""What a process says about itself on its private port."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """An answer to "are you well?".

    Attributes:
        ok: 200 if true, else 503.
        reasons: one entry per thing looked at, e.g. ``{"kafka": "down since 12 s"}``; shown either way, no secrets in it.
    """

    ok: bool
    reasons: dict[str, str] = field(default_factory=dict)
