"""The numbers of webhook events: what came, so that what never came is noticed.

Revision ID: 0002
Revises: 0001
"""

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Two tables; the statements stand in the SQL file beside this one, with the reason for each."""
    sql = Path(__file__).with_name("0002_sequences.sql").read_text(encoding="utf-8")
    for statement in sql.split(";\n"):
        if statement.strip():
            op.execute(statement)
