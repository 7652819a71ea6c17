"""The first schema: apps, grants, tenants, leases, dirty records, records, changes, passes, calls, quarantine.

Revision ID: 0001
Revises:
"""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create everything; the statements stand in the SQL file beside this one, with the reason for each table."""
    sql = Path(__file__).with_name("0001_first.sql").read_text(encoding="utf-8")
    for statement in sql.split(";\n"):
        if statement.strip():
            op.execute(statement)
