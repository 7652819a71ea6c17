"""A Xero that runs on a laptop: OAuth, Accounting API, quotas, faults, signed webhooks with retries."""
