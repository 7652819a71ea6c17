"""The public edge: verify, parse, append to Kafka, answer. Knows no database and no Xero API."""
