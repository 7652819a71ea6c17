"""Records that are known to have changed are read: alone, by ids, or by a sweep over all that changed since."""
