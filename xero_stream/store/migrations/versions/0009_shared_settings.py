"""The settings that all processes share, and what was ignored because of them.

Revision ID: 0009
Revises: 0008
"""

from pathlib import Path

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One column and one table; the statements stand in the SQL file beside this one."""
    sql = Path(__file__).with_name("0009_shared_settings.sql").read_text(encoding="utf-8")
    for statement in sql.split(";\n"):
        if statement.strip():
            op.execute(statement)
