"""Whether what is recorded would travel in the clear (RFC 7866 §12.2): RTP/AVP and RTP/AVPF in place of SAVP, SAVPF."""

from __future__ import annotations

import re

# RFC 8866 §5.14: m=<media> <port>[/<number of ports>] <proto> <fmt> ...; port 0: not used
_MEDIA = re.compile(rb"^m=[^ \r\n]+ +(\d+)[^ \r\n]* +([^ \r\n]+)", re.MULTILINE)
_ENCRYPTED = (b"/SAVP", b"/SAVPF", b"MSRPS", b"/TLS/")


def is_plain(body: bytes) -> bool:
    """Tell whether a body, or any part of it, names media that nothing encrypts."""
    return any(
        int(port) and not (proto.upper().endswith(_ENCRYPTED[:3]) or _ENCRYPTED[3] in proto.upper())
        for port, proto in _MEDIA.findall(body)
    )
