"""Tokens, their rotation and grace, and connections."""
