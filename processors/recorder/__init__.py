"""From reads to changes: versions, differences, positions, in one transaction."""
