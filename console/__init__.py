"""The private HTTP side: organisations, changes and API keys for programs that have a key."""
