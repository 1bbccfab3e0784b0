"""Whose a binding is: nobody's in particular, for those that were made before, until they are renewed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column."""
    op.add_column("bindings", sa.Column("account", sa.Text(), nullable=False, server_default=""))
