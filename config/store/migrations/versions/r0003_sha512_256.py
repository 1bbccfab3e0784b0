"""HA1 under SHA-512-256 (RFC 8760): unknown for who has an account already, until its password is set anew."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the column."""
    op.add_column("accounts", sa.Column("sha512_256", sa.LargeBinary()))
