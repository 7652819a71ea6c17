"""What an operator did for an organisation, and why Xero refuses an app.

Revision ID: 0007
Revises: 0006
"""

from pathlib import Path

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Four columns; the statements stand in the SQL file beside this one."""
    sql = Path(__file__).with_name("0007_roused.sql").read_text(encoding="utf-8")
    for statement in sql.split(";\n"):
        if statement.strip():
            op.execute(statement)
