"""Alembic's scripts, one a schema, applied by config.store.schema; an operator needs neither alembic nor its files."""
