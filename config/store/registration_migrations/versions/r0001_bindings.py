"""Bindings of phones."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "bindings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False, server_default=""),
        sa.Column("aor", sa.LargeBinary(), nullable=False),
        sa.Column("uri", sa.LargeBinary(), nullable=False),
        sa.Column("q", sa.Integer(), nullable=False),
        sa.Column("call_id", sa.LargeBinary(), nullable=False),
        sa.Column("cseq", sa.Integer(), nullable=False),
        sa.Column("expires", sa.Float(), nullable=False),
        sa.Column("transport", sa.Text(), nullable=False),
        sa.Column("local_host", sa.Text(), nullable=False),
        sa.Column("local_port", sa.Integer(), nullable=False),
        sa.Column("peer_host", sa.Text(), nullable=False),
        sa.Column("peer_port", sa.Integer(), nullable=False),
        sa.Column("path", sa.LargeBinary(), nullable=False),
        sa.Column("instance", sa.LargeBinary(), nullable=False),
        sa.Column("reg_id", sa.Integer(), nullable=False),
        sa.Column("made", sa.Integer(), nullable=False),
        sa.Column("since", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_bindings"),
    )
    op.create_index("ix_bindings_aor", "bindings", ["aor"])
    op.create_index("ix_bindings_expires", "bindings", ["expires"])
