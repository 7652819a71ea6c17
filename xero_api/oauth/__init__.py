"""Access tokens: asked for, refreshed once by one of us, kept."""
