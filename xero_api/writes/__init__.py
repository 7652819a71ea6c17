"""Writing to Xero: what to send, what came of it, what may be sent again. Pure."""
