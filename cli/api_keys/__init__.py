"""API keys of the console, and the audit log."""
