"""What every process shares, and what a consumer or a plug-in imports: contracts, settings, Kafka, store, telemetry."""
