"""Xero's JSON → unified records: one total, deterministic mapping per entity. Pure."""
