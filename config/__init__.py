"""What an operator writes, and what the rest of Sipveil reads.

A TOML file goes through `load` into the immutable `settings.Settings`, or comes back as the list of
all its mistakes with file, line and key:

    lines                          which line each key stands on
    settings, address, vocabulary  the schema, and the words that it shares with plans and records
    wording (with schema)          what pydantic found wrong, in an operator's words
    check_names, check_networks    what no single key can get wrong, looked up with draft
    advice                         what is legal and yet hardly meant
    problem                        how a mistake reads

`keys` and `keyring` are the key ring, `retired` the deleted trunks and recorders that still serve their
dialogs; both live in a private `statefile`. `reference` writes docs/configuration.md from the schema.
What single subscribers want is not in that file but in a store of its own:

    subscriber_address, subscriber               who somebody is, and settings in a subscriber's words
    subscriber_change                            what a command or a row says about somebody
    subscriber_csv, subscriber_json, subscriber_rows     whole files of that
    store                                        where it is kept
    subscribers                                  what the hot path asks, in memory

So are the accounts that phones authenticate with: `account` is one, and a change to it; `accounts` all, in memory.

Nothing here imports proxy, filters or tap.
"""
