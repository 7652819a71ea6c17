"""Changes go to Kafka in order, exactly once; where to go on after a crash."""
