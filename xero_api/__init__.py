"""Xero as a library: resource registry, requests, paging, errors, budgets, OAuth. No Kafka, no database."""
