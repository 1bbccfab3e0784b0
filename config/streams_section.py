"""The section of the configuration about connections: TCP, TLS and WebSockets."""

from __future__ import annotations

from pydantic import Field

from config.section import Section


class Streams(Section):
    """Bounds on connections (TCP, TLS, WebSockets): what a stranger may hold, and for how long.

    Connections from the addresses of core, trunks and edge proxies are bounded by `connections`, times and
    `write_buffer` alone.
    """

    connections: int = Field(
        default=20_000, ge=10, le=1_000_000,
        description="most connections at once; each is an open file, so there are fewer where the limit of these is "
        "lower (`LimitNOFILE` of systemd)",
    )  # fmt: skip
    per_source: int = Field(default=256, ge=1, description="most connections at once from one address, or IPv6 /64")
    per_source_rate: int = Field(
        default=50, ge=1,
        description="most new connections a second from one address, or IPv6 /64, once it has made `per_source` of "
        "them in a row: what a stranger's handshakes may cost",
    )  # fmt: skip
    greeting: float = Field(
        default=20.0, gt=0, le=300,
        description="how long a new connection may take until its first message or keep-alive is complete, handshakes "
        "included",
    )  # fmt: skip
    message_time: float = Field(
        default=10.0, gt=0, le=300, description="how long a message may take from its first byte to its last"
    )
    idle: float = Field(
        default=900.0, gt=0,
        description="how long a connection is kept without a message or keep-alive in either direction; phones send "
        "keep-alives every two minutes (RFC 5626 §4.4.1)",
    )  # fmt: skip
    connect_time: float = Field(
        default=4.0, gt=0, le=30, description="how long connecting to a next hop may take, handshakes included"
    )
    write_buffer: int = Field(
        default=1_048_576, ge=65_536, description="most bytes that wait for one peer; one that does not read is cut off"
    )
    stalled: float = Field(
        default=20.0, gt=0, le=300, description="how long a peer may read nothing of what waits for it"
    )
    rate: int = Field(
        default=200, ge=1,
        description="most messages and keep-alives a second of one connection; more of them wait at the sender",
    )  # fmt: skip
