"""The steps, oldest first. Each works with the previous release still running."""
