"""``/_sim``: the only way to cheat."""
