"""What could not be applied: kept, listed, sent round again."""
