"""An app's minute shared by all processes; what was read from Xero, counted.

Revision ID: 0004
Revises: 0003
"""

from pathlib import Path

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Two tables; the statements stand in the SQL file beside this one."""
    sql = Path(__file__).with_name("0004_quotas.sql").read_text(encoding="utf-8")
    for statement in sql.split(";\n"):
        if statement.strip():
            op.execute(statement)
