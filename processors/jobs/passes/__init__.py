"""Everything of an entity since a moment is read, page by page: first loads and catch-ups."""
