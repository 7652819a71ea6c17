"""Logs, metrics, trace context and the private port that every process has."""
