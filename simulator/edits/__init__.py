"""Random valid edits, and live traffic made of them."""
