"""The proxy's configuration for a load test: config/example.toml's shape, with addresses of its own."""

from __future__ import annotations

from collections.abc import Iterable

from config.vocabulary import Category
from scripts.load.addresses import PHONES, Address

STATE = "state"
"""The folder beside the file in which the proxy keeps its keys, and listens for commands."""
TEXT = """\
state_dir = "{state}"
realms = ["sip.example.net"]
{workers}
[[listeners]]
name = "access"
address = "{proxy[0]}"
port = {proxy[1]}

[access]
networks = ["{phones}"]
listener = "access"

[[trunks]]
name = "carrier"
hosts = ["{trunk[0]}:{trunk[1]}"]
listener = "access"

[trunks.privacy]
{contract}

[[routes]]
source = "access"
to = ["carrier"]

[[routes]]
source = "trunk"
to = ["access"]

[privacy.default]
{default}

[limits]
# The default is for a carrier's traffic; a transaction lingers for 32 s, so 3,000 calls a second are 200,000.
transactions = 1000000

[guard]
# All calls come from one source and one subscriber here; they are counted like others, against limits of nobody.
source_rate = 1000000
source_burst = 1000000
subscriber_calls = 60000000
subscriber_messages = 60000000

[metrics]
port = 0
"""

CATEGORIES = tuple(category.name.lower() for category in Category)


RELOADED = 'number = "pseudonymise"'
"""What a reload puts into the contract and takes out again: a line that shows the trunk nothing and changes a plan."""


def configuration(
    proxy: Address, trunk: Address, *, workers: int = 1, contract: str = "", keep: Iterable[str] = ()
) -> str:
    """Return the text of the file. contract: lines of the trunk's privacy table; keep: categories to let pass."""
    kept = "\n".join(f'{category} = "keep"' for category in keep)
    return TEXT.format(
        state=STATE,
        proxy=proxy,
        phones=PHONES,
        trunk=trunk,
        workers=f"workers = {workers}\n" if workers > 1 else "",
        contract=contract,
        default=kept,
    )
