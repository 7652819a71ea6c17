"""The feed of changes: by cursor, by waiting, as server-sent events."""
