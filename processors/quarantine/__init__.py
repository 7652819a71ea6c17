"""What could not be applied: counted here, stored by ``xero_stream.store.quarantine``."""
