"""The connected organisations."""
