"""`[guard]`: who is kept out at the door, and how much a source and a subscriber may ask for."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from config.address import Network
from config.section import Section

Tool = Annotated[str, Field(pattern=r"^[ -~]{4,64}$", title="text")]


class Guard(Section):
    """Who is kept out at the door, and how much a source and a subscriber may ask for.

    `deny` and `allow` stand in front of all zones. What follows is about phones alone: trunks, the core and edge
    proxies are exempt, so that nobody shuts them out by forging their address. A source is an IPv4 address or an IPv6
    /64; what is counted is its new requests, never those of a call that is up. An emergency call passes every limit and
    every ban; it does not pass `deny`, which leaves no way in at all, nor does that of a scanner, which would ring at
    the PSAP for each number that it tries.

    A ban ends by itself. A phone that has shown that it hears us (it acknowledged a call or was registered) is in no
    ban of its address, whoever else is behind it or forges it. With several workers each has its share of the limits.
    """

    enabled: bool = Field(
        default=True, description="whether anything is limited or banned; `deny` and `allow` hold all the same"
    )
    deny: tuple[Network, ...] = Field(
        default=(), description="networks that get silence, whatever zone they are in; stronger than `allow`"
    )
    allow: tuple[Network, ...] = Field(
        default=(), description="if there are any, all others get silence; trunks and the core have to be among them"
    )
    source_rate: float = Field(
        default=100, ge=0,
        description="new requests a second from one source, 503 above; 0: no limit. 1,000 phones behind one address "
        "ask for less than 10 (Kamailio's pike blocks at 15, which shuts such an address out)",
    )  # fmt: skip
    source_burst: int = Field(
        default=2000, ge=1,
        description="so many at once: 1,000 phones that register anew after a power failure, twice each",
    )  # fmt: skip
    subscriber_calls: int = Field(
        default=120, ge=0,
        description="calls a minute of one subscriber, and as many at once, 503 above; 0: no limit. A subscriber is an "
        "account, or, where nobody is asked for one, From together with the source (carriers begin at one a second)",
    )  # fmt: skip
    subscriber_messages: int = Field(default=120, ge=0, description="the same for MESSAGE")
    scanners: Literal["silence", "delay", "off"] = Field(
        default="silence",
        description="what scanners and banned sources get: nothing, a refusal after `delay`, or what others get",
    )
    tools: tuple[Tool, ...] = Field(
        default=("friendly-scanner", "friendly-request", "sipvicious", "sipcli", "sip-scan", "sundayddr", "pplsip",
                 "vaxsipuseragent", "sivus", "smap"),
        description="what User-Agent, or the name in From, begins with where a scanner writes it, in any case "
        "(Kamailio's example configuration drops most of these)",
    )  # fmt: skip
    sweep: int = Field(
        default=200, ge=5, le=500,
        description="so many different users and numbers that one source asked for in vain (401, 403, 404, 407) within "
        "`window` ban it; a phone that asks for the same again and again does not, nor one that has its password right",
    )  # fmt: skip
    window: int = Field(default=600, ge=10, le=86_400, description="seconds; fail2ban counts over ten minutes too")
    ban: int = Field(
        default=60, ge=1, le=86_400, description="seconds of the first ban; each further one lasts twice as long"
    )
    ban_longest: int = Field(
        default=3600, ge=1, le=86_400, description="longest ban; each `window` in peace takes one doubling back"
    )
    delay: float = Field(default=10.0, ge=1, le=30, description="seconds until a scanner is answered")
    sources: int = Field(
        default=65_536, ge=1024, le=1_048_576,
        description="most sources, and subscribers, that are remembered, 20 MB; of more the eldest are forgotten, so a "
        "flood from forged addresses makes the limits lax and shuts nobody out",
    )  # fmt: skip
