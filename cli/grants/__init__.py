"""Connecting organisations from the command line, and how they stand."""
