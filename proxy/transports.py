"""What is known of each transport, as flows name it: `UDP`, `TCP`, `TLS`, `WS` and `WSS`."""

from __future__ import annotations

from typing import Final

DATAGRAM: Final = "UDP"
"""The one transport without connections: a message may be lost or come twice."""
SECURE = frozenset(("TLS", "WSS"))
"""Those that keep a message from others and show who is at the far end."""
WEBSOCKET = frozenset(("WS", "WSS"))
DEFAULT_PORTS = {"UDP": 5060, "TCP": 5060, "TLS": 5061, "WS": 80, "WSS": 443}
"""RFC 3261 §19.1.2; of WebSockets RFC 6455 §3."""
URI_PARAMS = {
    "UDP": b"", "TCP": b";transport=tcp", "TLS": b";transport=tls", "WS": b";transport=ws", "WSS": b";transport=ws"
}  # fmt: skip
"""How a sip URI of ours names its transport. RFC 5630 has no `transport=tls`; but without it a sip URI says UDP or TCP,
and a sips URI is more than most calls ask for: those who speak TLS write and read it."""
SIPS_PARAMS = {"TLS": b"", "WSS": b";transport=ws"}
"""The same of a sips URI (RFC 5630 §5; RFC 7118 §5.2.4 has `ws` for both)."""
VIA_HEADS = {
    "UDP": b"Via: SIP/2.0/UDP ", "TCP": b"Via: SIP/2.0/TCP ", "TLS": b"Via: SIP/2.0/TLS ", "WS": b"Via: SIP/2.0/WS ",
    "WSS": b"Via: SIP/2.0/WSS ",
}  # fmt: skip
"""What a Via of ours begins with (§18.1.1, RFC 7118 §5.2.1)."""
