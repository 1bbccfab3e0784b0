"""The table of the store of registrations. A change here needs a migration, which a test compares with this."""

from __future__ import annotations

from sqlalchemy import Column, Float, Integer, LargeBinary, MetaData, Table, Text

from config.store.schema import Migrations
from config.store.tables import NAMES

MIGRATIONS = Migrations("0002", "registration_migrations")
METADATA = MetaData(naming_convention=NAMES)

BINDINGS = Table(
    "bindings",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("tenant", Text, nullable=False, server_default=""),
    Column("aor", LargeBinary, nullable=False, index=True),
    Column("uri", LargeBinary, nullable=False),
    Column("q", Integer, nullable=False),
    Column("call_id", LargeBinary, nullable=False),
    Column("cseq", Integer, nullable=False),
    Column("expires", Float, nullable=False, index=True),
    Column("transport", Text, nullable=False),
    Column("local_host", Text, nullable=False),
    Column("local_port", Integer, nullable=False),
    Column("peer_host", Text, nullable=False),
    Column("peer_port", Integer, nullable=False),
    Column("path", LargeBinary, nullable=False),
    Column("instance", LargeBinary, nullable=False),
    Column("reg_id", Integer, nullable=False),
    Column("made", Integer, nullable=False),
    Column("since", Integer, nullable=False),
    Column("account", Text, nullable=False, server_default=""),
)
"""Bytes as they came, for a URI may hold any. `path`: URIs with a line end behind each; `expires`: Unix time;
`account`: the username that registered it, empty where nobody was asked."""
