"""Believable organisations from a seed."""
