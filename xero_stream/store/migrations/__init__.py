"""Alembic's environment; run through ``xero_stream.store.migrate``."""
