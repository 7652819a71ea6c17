"""Fixtures for all tests."""

from tests.support.servers import (
    database_url,
    empty_database_url,
    kafka,
    private_servers,
    shared_servers,
    topic_prefix,
)

__all__ = ["database_url", "empty_database_url", "kafka", "private_servers", "shared_servers", "topic_prefix"]
