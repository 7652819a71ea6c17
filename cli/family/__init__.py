"""Several processes of ours under one parent."""
