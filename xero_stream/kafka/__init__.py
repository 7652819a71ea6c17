"""Kafka through aiokafka: connecting, producing, consuming, topics."""
