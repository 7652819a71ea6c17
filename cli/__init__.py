"""The command ``xero-stream``: composes the packages into processes."""
