"""The system whose alerts are provoked."""

from tests.support.stacks import folder, seed

__all__ = ["folder", "seed"]
