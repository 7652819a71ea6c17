"""Passes: everything of an entity since a moment."""
