"""What is held of an organisation, and why.

Revision ID: 0011
Revises: 0010
"""

from pathlib import Path

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One table and three columns; the statements stand in the SQL file beside this one."""
    sql = Path(__file__).with_name("0011_entity_holds.sql").read_text(encoding="utf-8")
    for statement in sql.split(";\n"):
        if statement.strip():
            op.execute(statement)
