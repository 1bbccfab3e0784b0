"""Subscribers, their settings, and the numbers of the changes to them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "subscribers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False, server_default=""),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("telemarketer", sa.Boolean(), nullable=False),
        sa.Column("reject_anonymous", sa.Boolean(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("updated", sa.Float(), nullable=False),
        sa.Column("key_id", sa.Integer()),
        sa.Column("consent", sa.Text()),
        sa.Column("erased", sa.Float()),
        sa.PrimaryKeyConstraint("id", name="pk_subscribers"),
        sa.UniqueConstraint("tenant", "address", name="uq_subscribers_tenant"),
    )
    op.create_index("ix_subscribers_revision", "subscribers", ["revision"])
    op.create_table(
        "settings",
        sa.Column("subscriber", sa.Integer(), nullable=False),
        sa.Column("trunk", sa.Text(), nullable=False),
        sa.Column("word", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.CheckConstraint("value in ('hide', 'pseudonym', 'show')", name="ck_settings_value"),
        sa.ForeignKeyConstraint(["subscriber"], ["subscribers.id"], name="fk_settings_subscriber", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("subscriber", "trunk", "word", name="pk_settings"),
    )
    op.create_table(
        "revisions",
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("nonce", sa.Integer(), nullable=False),
        sa.Column("removal", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("revision", name="pk_revisions"),
    )
