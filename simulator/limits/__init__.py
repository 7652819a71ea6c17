"""The four limits, and what was counted."""
