"""Names of the published schemas: ``ce_dataschema`` on the wire, ``$id`` and file name in ``schemas/``. Pure."""

from xero_stream.contracts.names import EntityName

ENVELOPE_VERSION = 1
"""Version of webhook events, change events and dead letters."""


def schema_urn(name: str, version: int) -> str:
    """The ``$id`` of a schema, e.g. ``urn:xero-stream:schema:invoice-change:1``."""
    return f"urn:xero-stream:schema:{name}:{version}"


def change_schema(entity: EntityName, record_version: int) -> tuple[str, int]:
    """Name and version of the schema of the values on ``changes.<entity>``.

    Args:
        record_version: version of the unified record. The schema holds the record and the envelope: its version grows
            with either.
    """
    return f"{entity.singular}-change", ENVELOPE_VERSION + record_version - 1


def latest_schema(entity: EntityName, record_version: int) -> tuple[str, int]:
    """Name and version of the schema of the values on ``records.<entity>``.

    Args:
        record_version: version of the unified record.
    """
    return f"{entity.singular}-latest", record_version
