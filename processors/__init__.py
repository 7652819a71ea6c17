"""The workers: from webhook events to changes on Kafka, exactly once."""
