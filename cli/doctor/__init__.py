"""``xero-stream doctor``: everything that can be wrong with a deployment, and what to do about it."""
