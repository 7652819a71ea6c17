"""What is remembered of the forms in which a record was read.

Revision ID: 0010
Revises: 0009
"""

from pathlib import Path

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Two columns; the statements stand in the SQL file beside this one."""
    sql = Path(__file__).with_name("0010_forms.sql").read_text(encoding="utf-8")
    for statement in sql.split(";\n"):
        if statement.strip():
            op.execute(statement)
