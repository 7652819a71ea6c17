"""A real Kafka and a real PostgreSQL on this machine, out of Python wheels, with no Java or database server installed."""
