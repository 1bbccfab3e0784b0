"""Whether what is recorded would travel in the clear (RFC 7866 §12.2): RTP/AVP and RTP/AVPF in place of SAVP, SAVPF.

What is not known to be encrypted is plain, and what cannot be read too: some reader may take it for a stream.
"""

from __future__ import annotations

import re

from proxy.message import Message
from proxy.recording_bodies import BodyReader

# RFC 8866 §5.14: m=<media> <port>[/<number of ports>] <proto> <fmt> ...; some take tabs, and lines that end with CR
_MEDIA = re.compile(rb"(?:\A|(?<=[\r\n]))m=([^\r\n]*)")
_ENCRYPTED = frozenset((b"SAVP", b"SAVPF", b"TLS", b"DTLS", b"MSRPS"))
"""Words of a proto: RTP with SRTP, and what stands on TLS or DTLS."""
_BUNDLED = b"a=bundle-only"
"""RFC 9143 §6: port 0, and yet used."""
# RFC 4568 §6.3.2, and cipher suites without a cipher
_UNENCRYPTED = re.compile(rb"(?:\A|(?<=[\r\n]))a=crypto:(?:[0-9]+[ \t]+NULL|[^\r\n]*UNENCRYPTED_SRTP)", re.IGNORECASE)


def names_plain_media(message: Message) -> bool:
    """Tell whether the body of a message, or any part of it, encoded ones too, names media that nothing encrypts."""
    if not message.body or message.body[:2] == b"v=":
        return is_plain(message.body)
    reader = BodyReader()
    reader.read_message(message)
    return is_plain(message.body) or any(map(is_plain, reader.leaves))


def is_plain(body: bytes) -> bool:
    """Tell whether a text names media that nothing encrypts."""
    bundled = _BUNDLED in body
    if any(_is_open(line.split(), bundled=bundled) for line in _MEDIA.findall(body)):
        return True
    return _UNENCRYPTED.search(body) is not None


def _is_open(words: list[bytes], *, bundled: bool) -> bool:
    if len(words) < 3:
        return True
    port = words[1].partition(b"/")[0]
    if port and not port.strip(b"0") and not bundled:
        return False  # not used
    return _ENCRYPTED.isdisjoint(words[2].upper().split(b"/"))
