"""Where subscribers' settings are kept: an SQLite file in the state folder, by SQLAlchemy Core.

    tables       what is stored, and the places of what is yet to be
    migrations   how a file that an older Sipveil made gets there (Alembic)
    schema       whether a file is of today's schema, and the making of it
    database     connections, transactions, and errors without personal data
    revisions    the numbers of changes, for readers to go on from
    book         what `sipveil subscriber` does to it, by rows
    account_book the same for `sipveil account`, by account_rows
    reader       what a running Sipveil reads of it: all at first, then what has changed

Only tap/ imports this. The core knows config.subscribers, which is memory.
"""
