"""The app of each quarantine entry; resolved entries lose their bytes.

Revision ID: 0014
Revises: 0013
"""

from pathlib import Path

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One column; the statements stand in the SQL file beside this one."""
    sql = Path(__file__).with_name("0014_quarantine.sql").read_text(encoding="utf-8")
    for statement in sql.split(";\n"):
        if statement.strip():
            op.execute(statement)
