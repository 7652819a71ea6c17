"""The store as the next release will have it: one more migration, taken by processes of its own."""

import asyncio
import shutil
import sys
from pathlib import Path

from xero_stream.store import migrate
from xero_stream.store.migrate import newest

STEP = '''"""A step as the next release may bring it: additive, so that the running release goes on.

Revision ID: 9001
Revises: {before}
"""

from alembic import op

revision = "9001"
down_revision = "{before}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Columns with defaults, a table, an index."""
    op.execute("ALTER TABLE records ADD COLUMN reviewed boolean NOT NULL DEFAULT false")
    op.execute("ALTER TABLE changes ADD COLUMN note text")
    op.execute("CREATE TABLE reviews (tenant_id text PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())")
    op.execute("CREATE INDEX records_reviewed ON records (tenant_id) WHERE reviewed")
'''


def with_step(folder: Path) -> Path:
    """A copy of the migrations with one more step."""
    copy = folder / "migrations"
    shutil.copytree(migrate._HERE, copy)
    (copy / "versions" / "9001_next.py").write_text(STEP.format(before=newest()), encoding="utf-8")
    return copy


def without_steps_from(folder: Path, first: str) -> Path:
    """A copy of the migrations as an earlier release had them."""
    copy = folder / f"migrations-before-{first}"
    shutil.copytree(migrate._HERE, copy)
    for step in (copy / "versions").glob("0*.py"):
        if step.name >= first:
            step.unlink()
    return copy


async def upgrade_in_a_process(url: str, steps: Path) -> asyncio.subprocess.Process:
    """``upgrade`` as another host would run it."""
    code = (
        "import asyncio, pathlib, sys; from xero_stream.store import migrate; "
        "migrate._HERE = pathlib.Path(sys.argv[2]); asyncio.run(migrate.upgrade(sys.argv[1]))"
    )
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, url, str(steps), stderr=asyncio.subprocess.PIPE
    )
