"""Quotas of a tenant and of an app, never exceeded. Pure."""
