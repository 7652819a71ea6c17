"""Fixtures for all tests."""

from hypothesis import HealthCheck, settings

from tests.support.servers import (
    database_url,
    empty_database_url,
    kafka,
    private_servers,
    shared_servers,
    topic_prefix,
)

__all__ = ["database_url", "empty_database_url", "kafka", "private_servers", "shared_servers", "topic_prefix"]

# How busy the machine is says nothing about the code: no deadline per example, and slow drawing is no failure.
settings.register_profile("any-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any-machine")
