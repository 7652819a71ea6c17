"""Connecting organisations by a consent in the browser."""
