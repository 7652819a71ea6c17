"""Xero's JSON → unified records: one pure, total, deterministic mapping per entity."""
