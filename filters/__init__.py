"""Classify, decide, edit: what each field discloses, what is to be done about it, and the doing.

`catalogue` reads which category each field belongs to (config/catalogue.toml), `policy` decides an
action for each category, `plan` compiles catalogue and decision into edits once, and applies them to
a draft in one pass. `leaks` looks for given values in what left; `decodings` and `masks` undo what may
hide them. The remaining files are the edits, one behaviour each.
"""
