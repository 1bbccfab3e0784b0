"""The proxy's configuration for a load test, put together of tables with addresses of its own."""

from __future__ import annotations

import json
from collections.abc import Iterable

from config.vocabulary import Category
from scripts.load.addresses import PHONES, Address

REALM = "sip.example.net"
STATE = "state"
"""The folder beside the file in which the proxy keeps its keys, and listens for commands."""
CATEGORIES = tuple(category.name.lower() for category in Category)
RELOADED = 'number = "pseudonymise"'
"""What a reload puts into the contract and takes out again: a line that shows the trunk nothing and changes a plan."""


def document(*tables: str, workers: int = 1) -> str:
    """Return the text of a file with these tables; all that they do not say has its default."""
    head = f'state_dir = "{STATE}"\nrealms = ["{REALM}"]\n'
    return "\n".join((head + (f"workers = {workers}\n" if workers > 1 else ""), *tables))


def table(header: str, **values: str | float | list[str]) -> str:
    """Return a table; header: `access`, or `[trunks]` for one of several."""
    # For such values TOML writes what JSON does.
    return f"[{header}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items())


def listener(name: str, address: Address, **more: str | list[str]) -> str:
    """Return a listener; of UDP, if more does not say otherwise."""
    return table("[listeners]", name=name, address=address[0], port=address[1], **more)


def access(listener: str, network: str = PHONES) -> str:
    """Return where phones are."""
    return table("access", networks=[network], listener=listener)


def trunk(name: str, address: Address, listener: str) -> str:
    """Return a trunk of one address."""
    return table("[trunks]", name=name, hosts=[f"{address[0]}:{address[1]}"], listener=listener)


def route(source: str, to: str) -> str:
    """Return a route for all calls from source."""
    return table("[routes]", source=source, to=[to])


MANY_CALLS = table("limits", transactions=1_000_000)
"""The default is for a carrier's traffic; a transaction lingers for 32 s, so 3,000 calls a second are 200,000."""
UNGUARDED = table(
    "guard", source_rate=1_000_000, source_burst=1_000_000, subscriber_calls=60_000_000, subscriber_messages=60_000_000
)
"""For calls that come from one source and one subscriber: they are counted like others, against limits of nobody."""
METRICS = table("metrics", port=0)


def configuration(
    proxy: Address, carrier: Address, *, workers: int = 1, contract: str = "", keep: Iterable[str] = ()
) -> str:
    """Return config/example.toml's shape; contract: lines of the trunk's privacy table; keep: categories that pass."""
    return document(
        listener("access", proxy),
        access("access"),
        trunk("carrier", carrier, "access"),
        f"[trunks.privacy]\n{contract}\n",
        route("access", "carrier"),
        route("trunk", "access"),
        table("privacy.default", **dict.fromkeys(keep, "keep")),
        MANY_CALLS,
        UNGUARDED,
        METRICS,
        workers=workers,
    )
