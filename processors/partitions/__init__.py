"""Own a partition: lease and epoch, assignment, revocation."""
