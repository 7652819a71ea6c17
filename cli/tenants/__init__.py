"""The connected organisations: listing and removing them."""
