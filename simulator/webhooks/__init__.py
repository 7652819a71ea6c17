"""Signed webhooks in batches, retried as Xero retries; the intent-to-receive handshake."""
