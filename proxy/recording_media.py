"""Whether what is recorded would travel in the clear (RFC 7866 §12.2): RTP/AVP and RTP/AVPF in place of SAVP, SAVPF.

What is not known to be encrypted is plain, and what cannot be read too: some reader may take it for a stream.
"""

from __future__ import annotations

import re
from functools import partial

from proxy.message import Draft, Message
from proxy.recording_bodies import BodyReader

# RFC 8866 §5.14: m=<media> <port>[/<number of ports>] <proto> <fmt> ...; some take tabs, and lines that end with CR
_MEDIA = re.compile(rb"(?:\A|(?<=[\r\n]))m=([^\r\n]*)")
_ENCRYPTED = frozenset((b"SAVP", b"SAVPF", b"TLS", b"DTLS", b"MSRPS"))
"""Words of a proto: RTP with SRTP, and what stands on TLS or DTLS."""
_STREAM = re.compile(rb"[\r\n]m=")
_DIRECTION = re.compile(rb"[\r\n]a=(sendrecv|sendonly|recvonly|inactive)(?=[ \t\r\n]|\Z)")
_INACTIVE = re.compile(rb"[\r\n]a=inactive(?=[ \t\r\n]|\Z)")
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
    return _names_plain(reader, message.body)


def names_plain_media_once_opened(draft: Draft) -> bool:
    """Tell the same of a body that came encrypted and stands in a draft, opened."""
    reader = BodyReader()
    reader.read(draft.first(b"content-type") or b"", draft.first(b"content-disposition") or b"", draft.body)
    return _names_plain(reader, draft.body)


def _names_plain(reader: BodyReader, body: bytes) -> bool:
    """Tell whether a body that was looked through names such media, in its parts or beside them."""
    for each in filter(None, reader.encrypted):
        body = body.replace(each, b"")
    return is_plain(body) or any(map(is_plain, reader.leaves))


def is_silent(message: Message) -> bool:
    """Tell whether a message offers media of which none flows: each is inactive or not used (RFC 7866 §7.1.1).

    So a recording session may begin before there is anybody to record (RFC 8068 §3.4). What cannot be read is not.
    """
    reader = BodyReader()
    reader.read_message(message)
    offers = [each for each in reader.leaves if each[:2] == b"v="]
    return bool(offers) and all(map(_flows_nowhere, offers))


def _flows_nowhere(session: bytes) -> bool:
    common, *streams = _STREAM.split(session)
    rests = _INACTIVE.search(common) is not None
    return bool(streams) and all(map(partial(_rests, rests=rests), streams))


def _rests(stream: bytes, *, rests: bool) -> bool:
    """Tell whether a stream is not used or inactive; `rests`: whether that is what the session says of all."""
    words = stream.partition(b"\n")[0].split()
    if len(words) > 1 and not words[1].strip(b"0"):
        return True
    directions = _DIRECTION.findall(stream)
    return all(each == b"inactive" for each in directions) if directions else rests


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
