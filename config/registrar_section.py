"""The section `[registrar]`: whose phones register here, for how long, and how many."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from config.address import is_ip
from config.section import Section


def _domain(text: str) -> str:
    """Refuse what no address of record can have behind its `@`."""
    if is_ip(text) or re.fullmatch(r"[0-9A-Za-z_-]+(\.[0-9A-Za-z_-]+)*\.?", text):
        return text
    raise ValueError('is no domain; write it as addresses of record have it, such as "example.net"')


Domain = Annotated[str, AfterValidator(_domain), Field(title="domain")]


class Registrar(Section):
    """Registrations of phones (RFC 3261 §10). Without this section a REGISTER is routed like any other request.

    With `mode = "local"` Sipveil is the registrar of `domains`: it knows by which flow each phone is reached, and
    `registered` in a route leads to all phones of the address of record in the Request-URI. With `mode = "forward"` the
    operator's own registrar (the core) is: a REGISTER goes there by the routing table, with a Path that leads back.
    """

    domains: tuple[Domain, ...] = Field(
        min_length=1,
        description="domains whose addresses of record phones may register; calls for an address of Sipveil's own look "
        "in them in this order",
    )
    mode: Literal["local", "forward"] = Field(
        default="local", description="`local`: phones are registered here; `forward`: at the core, with Path (RFC 3327)"
    )
    unauthenticated: bool = Field(
        default=False,
        description="lets whoever is in `access.networks` register any address of record where nobody is asked for "
        "a password: for closed networks alone",
    )
    minimum_expires: int = Field(
        default=60, ge=10, le=3600,
        description="shortest registration; a shorter one is answered with 423 (RFC 3261 §10.3: 3600 at most)",
    )  # fmt: skip
    default_expires: int = Field(
        default=3600, ge=10, le=604_800, description="how long a registration holds that does not say how long"
    )
    maximum_expires: int = Field(
        default=7200, ge=10, le=604_800, description="longest registration; a longer one is shortened"
    )
    bindings: int = Field(default=10, ge=1, le=30, description="most phones (bindings) of one address of record")
    all_bindings: int = Field(
        default=100_000, ge=1, le=5_000_000, description="most bindings of all together; about 1 KiB of memory each"
    )
    account_bindings: int = Field(
        default=100, ge=1, le=2_000, description="most bindings of all addresses of one account; a further one is 503"
    )
    source_bindings: int = Field(
        default=10_000, ge=1, le=5_000_000,
        description="most bindings from one address (IPv6: one /64), by UDP and by connections so many each, those "
        "behind edge proxies not counted; a further one is 503",
    )  # fmt: skip
    account_rate: int = Field(
        default=120, ge=1, le=100_000,
        description="most REGISTERs a minute of one account, counted once it is proved; a further one is 503",
    )  # fmt: skip
    source_rate: int = Field(
        default=20_000, ge=1, le=5_000_000,
        description="most REGISTERs a minute from one address (IPv6: one /64), by UDP and by connections so many each, "
        "those behind edge proxies not counted, and where phones prove who they are only such; a further one is 503",
    )  # fmt: skip
    flow_timer: int = Field(
        default=120, ge=0, le=7_200,
        description="how often phones with Outbound over TCP or TLS have to be heard of (Flow-Timer, RFC 5626): a "
        "connection from which nothing came for so long, and up to 45 s more, is closed and the phone not "
        "registered by it any more; 0: by `streams.idle` alone. With `forward`: phones whose Outbound the core "
        "accepts",
    )  # fmt: skip
    ring: float = Field(
        default=20.0, ge=1, le=180,
        description="how long phones ring before those with a lower `q` do; they are not waited for when all have "
        "refused",
    )  # fmt: skip
    store: str = Field(
        default="registrations.db",
        description="SQLite file that outlasts a restart; relative to `state_dir`, made where there is none",
    )
