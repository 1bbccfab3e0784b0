"""The tables of the store. A change here needs a migration, which a test compares with this.

The places of what is to come stand in the schema from the start, so that the store need not be rewritten then:

    tenant         several operators, or several nodes' shares, in one database; part of an address's uniqueness
    key_id         the key that a row's columns are encrypted with at rest; destroying it erases them
    consent        the consent record that a subscriber's settings rest on
    erased         when somebody was erased: the row then outlives its content, so that an import cannot bring it back
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

NAMES = {
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ix": "ix_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}
"""A migration can only change what has a name."""

METADATA = MetaData(naming_convention=NAMES)

SUBSCRIBERS = Table(
    "subscribers",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("tenant", Text, nullable=False, server_default=""),
    Column("address", Text, nullable=False),
    Column("telemarketer", Boolean, nullable=False),
    Column("reject_anonymous", Boolean, nullable=False),
    Column("revision", Integer, nullable=False, index=True),
    Column("updated", Float, nullable=False),
    Column("key_id", Integer),
    Column("consent", Text),
    Column("erased", Float),
    UniqueConstraint("tenant", "address"),
)
"""`revision` is that of the last change to the subscriber or its settings; `updated` its time, in Unix seconds."""

SETTINGS = Table(
    "settings",
    METADATA,
    Column("subscriber", ForeignKey("subscribers.id", ondelete="CASCADE"), primary_key=True),
    # Empty for "towards all": NULLs differ from each other, and a key could not hold one setting to one row.
    Column("trunk", Text, primary_key=True),
    Column("word", Text, primary_key=True),
    Column("value", Text, nullable=False),
    CheckConstraint("value in ('hide', 'pseudonym', 'show')", name="value"),
)

ACCOUNTS = Table(
    "accounts",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("tenant", Text, nullable=False, server_default=""),
    Column("realm", Text, nullable=False),
    Column("username", Text, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("md5", LargeBinary, nullable=False),
    Column("addresses", JSON, nullable=False),
    Column("disabled", Boolean, nullable=False),
    Column("revision", Integer, nullable=False, index=True),
    Column("updated", Float, nullable=False),
    Column("key_id", Integer),
    Column("sha512_256", LargeBinary),
    UniqueConstraint("tenant", "realm", "username"),
)
"""`sha256`, `md5` and `sha512_256` are HA1 (config.account), the last one where it is known; `addresses`
a list, of which the first counts most."""

REVISIONS = Table(
    "revisions",
    METADATA,
    Column("revision", Integer, primary_key=True),
    Column("nonce", Integer, nullable=False),
    Column("removal", Boolean, nullable=False),
)
"""One row a transaction that changed anything, the last thousands of them: whom it changed, the revisions of rows tell.

Whom it removed, nothing tells: who was removed is not to live on in a log of removals. A reader that finds one looks
who is still there. The nonce is drawn for each row, so that a store that was restored from a backup and has gone on
from there is not taken for the one that was read before.
"""
