"""Session descriptions: line by line, what standards.md §3.1 lets pass an untrusted border.

`compile_sdp` turns catalogue and actions into edits once. A description that cannot be read in full
raises FormError: it is never passed on half edited. The same description and context always give the
same bytes, so the sess-version of o= needs no counter of ours. Media addresses stay as they are: they
change only together with a media relay.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from config.vocabulary import Action, Category
from filters.catalogue import Actions, Catalogue, HeaderEntry
from filters.forms import Form, FormError
from filters.ice import IP4, Places, is_ip6, with_chosen
from proxy.memo import Recent, remembered

Pseudonym = Callable[[bytes], bytes]
"""A token to another one: letters and digits only, keyed, and stable within the dialog."""


class SdpContext(NamedTuple):
    """What differs from dialog to dialog; origin_address stands for that of o=: b"IP4 192.0.2.1"."""

    pseudonym: Pseudonym
    origin_address: bytes


class _Media(NamedTuple):
    """What an edit knows of the section that its line stands in: c= address and m= port, empty without."""

    context: SdpContext
    address: bytes
    port: bytes


SdpFilter = Callable[[bytes, SdpContext], bytes]
_Edit = Callable[[bytes, _Media], bytes | None]
_Edits = Callable[[bytes], _Edit]

# RFC 8866 §9: connection-address without the names, which could say anything; ttl and count of multicast
CONNECTION = re.compile(rf"IN (?:IP4 ({IP4})(?:/\d{{1,3}}){{0,2}}|IP6 ([0-9A-Fa-f:.]{{2,45}})(?:/\d{{1,3}})?)".encode())
# RFC 8866 §9: origin-field = %s"o" "=" username SP sess-id SP sess-version SP nettype SP addrtype SP unicast-address
ORIGIN = re.compile(rb"(\S+) (\d{1,20} \d{1,20}) IN (IP[46] \S+)")
# RFC 3605 §2.1: port [SP nettype SP addrtype SP connection-address]
RTCP = re.compile(rb"(\d{1,5})(?: (IN IP[46] \S+))?")
# RFC 5576 §4.1: ssrc-id SP attribute [":" value]
SSRC = re.compile(rb"(\d{1,10}) (cname|msid|mslabel|label):(.+)")
# What stacks write as a=mid, a=rid and a=label; anything else is replaced.
SHORT = re.compile(rb"(?:audio|video|text|data|application|image|sdparta_|rid|hi|mid|lo|[a-z])?-?\d{0,3}")
# RFC 5888 §5, RFC 9143, RFC 5956, RFC 7104, RFC 4091
GROUP = re.compile(rb"(BUNDLE|LS|FID|FEC|FEC-FR|DUP|ANAT|SRF|DDP|CS)((?: \S+)*)")
# RFC 8851 §10: id SP direction [SP pt=…;restriction=…]
RID = re.compile(
    rb"([A-Za-z0-9_-]+) (send|recv)"
    rb"((?: |;)(?:pt=\d{1,3}(?:,\d{1,3})*+|max-(?:width|height|fps|fs|br|pps|bpp)=\d{1,10}(?:\.\d{1,4})?))*+"
)
# RFC 8853 §5.1: direction SP list [SP direction SP list]
SIMULCAST = re.compile(rb"(?:send|recv) [A-Za-z0-9_,;~-]+(?: (?:send|recv) [A-Za-z0-9_,;~-]+)?")
RID_ID = re.compile(rb"[A-Za-z0-9_-]+")
MAX_REMEMBERED = 256
"""Longest line whose edit is remembered, in bytes."""
MANDATORY = frozenset({b"v=", b"o=", b"s=", b"t=", b"c=", b"m="})
"""Lines without which the rest has no meaning: one that has no form fails the whole description."""


def compile_sdp(catalogue: Catalogue, actions: Actions, *, fragment: bool = False) -> SdpFilter:
    """Return the filter of a description for a hop with these actions.

    With fragment, of `application/trickle-ice-sdpfrag` (RFC 8840): the candidates come one by one and
    no default stands beside them, so host candidates of private networks fall even where none remains.
    Where every action is KEEP the body comes back as the same object; lines end in CRLF otherwise. The
    filter raises FormError for what is no description.
    """
    if all(actions[category] is Action.KEEP for category in Category):
        return lambda body, _: body
    edit, known = _line_edit(catalogue, actions)
    hides_candidates = _hides(actions, catalogue.sdp_attributes.find(b"candidate"))

    def clean(body: bytes, context: SdpContext) -> bytes:
        result: list[bytes] = []
        session = _Media(context, b"", b"")
        has_choice = hides_candidates and b"a=candidate" in body
        for section in _sections(body):
            media = _media_of(section, session)
            if section[0][:2] != b"m=":
                session = media
            lines = section
            if has_choice and any(line.startswith(b"a=candidate") for line in section):
                lines = with_chosen(section, _default_places(section, media), fragment=fragment)
            for line in lines:
                passed = known.get(line)
                if passed is None:
                    passed = edit(line, media)
                if passed:
                    result.append(passed)
        return b"\r\n".join([*result, b""]) if result else b""

    return clean


def _line_edit(catalogue: Catalogue, actions: Actions) -> tuple[Callable[[bytes, _Media], bytes], Recent[bytes, bytes]]:
    """Return the edit of a whole line, to b"" for one that may not pass, and what it remembers of lines.

    Most lines are the same in every call of a phone, and their edit depends on nothing else.
    """
    lines, attributes = _line_edits(catalogue, actions), _attribute_edits(catalogue, actions)
    known: Recent[bytes, bytes] = Recent(1024)

    def edit(line: bytes, media: _Media) -> bytes:
        # RFC 8866 §9: every line is type "=" value
        if line[1:2] != b"=" or not line[:1].isalpha():
            raise FormError("a line of the session description is not of the form x=…")
        if line[:2] == b"a=":
            name, colon, value = line[2:].partition(b":")
            head, one = b"a=" + name.rstrip(b" \t") + colon, attributes(name)
        else:
            head, value = line[:2], line[2:]
            one = lines(head)
        kept = one(value, media)
        if kept is None and head in MANDATORY:
            raise FormError(f"{head.decode()} has no form that may pass")
        passed = b"" if kept is None else head + kept
        if head != b"o=" and one not in _BY_MEDIA and len(line) <= MAX_REMEMBERED:
            known.put(line, passed)
        return passed

    return edit, known


def _sections(body: bytes) -> Iterator[list[bytes]]:
    """Yield the lines of the session, then those of each medium; RFC 8866 §5: CRLF, LF tolerated."""
    text = body.replace(b"\r\n", b"\n").rstrip(b"\n")
    if b"\r" in text:
        raise FormError("a line of the session description holds a bare CR")
    lines = text.split(b"\n")
    if not lines[0]:
        return
    if b"\nm=" not in text:
        yield lines
        return
    starts = [index for index, line in enumerate(lines) if line[:2] == b"m="]
    for start, end in zip([0, *starts], [*starts, len(lines)], strict=True):
        if start < end:
            yield lines[start:end]


def _media_of(section: list[bytes], session: _Media) -> _Media:
    address = session.address
    for line in section:
        if line[:2] == b"c=":
            address = _address(line[2:])
            break
    words = section[0].split(b" ", 2) if section[0][:2] == b"m=" else ()
    return _Media(session.context, address, words[1].partition(b"/")[0] if len(words) > 1 else b"")


# ---- lines ----------------------------------------------------------------------------------------------


def _line_edits(catalogue: Catalogue, actions: Actions) -> _Edits:
    find = catalogue.sdp_lines.find
    edits = {name + b"=": _edit(entry, actions, _CORE_LINES.get(name))
             for name, entry in catalogue.sdp_lines.exact.items()}  # fmt: skip
    edits[b"o="] = _origin_edit(_hides(actions, find(b"o-user")), _hides(actions, find(b"o-address")), actions)
    if _hides(actions, find(b"s")):
        edits[b"s="] = lambda _, __: b"-"  # RFC 8866 §5.3: s= must not be empty
    unknown = _edit(find(b""), actions, None)
    return lambda kind: edits.get(kind, unknown)


def _origin_edit(hides_user: bool, hides_address: bool, actions: Actions) -> _Edit:
    if not (hides_user or hides_address or actions[Category.UNKNOWN] is not Action.KEEP):
        return _keep

    def edit(value: bytes, media: _Media) -> bytes | None:
        found = ORIGIN.fullmatch(value.rstrip(b" \t"))
        if not found:
            return None
        user = b"-" if hides_user else found[1]
        return user + b" " + found[2] + b" IN " + (media.context.origin_address if hides_address else found[3])

    return edit


def _connection(value: bytes, _: _Media) -> bytes | None:
    return value if _address(value.rstrip(b" \t")) else None


@remembered
def _address(connection: bytes) -> bytes:
    """Return the address in the value of a c= line, empty if it is none."""
    found = CONNECTION.fullmatch(connection)
    if not found:
        return b""
    return found[1] or (found[2] if is_ip6(found[2]) else b"")


def _default_places(section: list[bytes], media: _Media) -> Places:
    """Component to where its media goes without ICE, which RFC 8839 §4.2.5 wants among the candidates."""
    rtcp = next((found for line in section if line[:7] == b"a=rtcp:" and (found := RTCP.fullmatch(line[7:]))), None)
    port = media.port if media.port.isdigit() and len(media.port) <= 5 else b"0"
    address = (rtcp[2] and _address(rtcp[2])) or media.address if rtcp else media.address
    return {
        b"1": (media.address, media.port),
        b"2": (address, rtcp[1] if rtcp else str(int(port) + 1).encode()),
    }


# ---- attributes -----------------------------------------------------------------------------------------


def _attribute_edits(catalogue: Catalogue, actions: Actions) -> _Edits:
    find = catalogue.sdp_attributes.find
    edits = {name: _edit(entry, actions, _CORE_ATTRIBUTES.get(name))
             for name, entry in catalogue.sdp_attributes.exact.items()}  # fmt: skip

    def lookup(name: bytes) -> _Edit:
        # A flag may have blanks behind it; other names are the catalogue's globs, or unknown.
        return edits.get(name) or edits.get(name.rstrip(b" \t")) or _edit(find(name), actions, None)

    return lookup


def _edit(entry: HeaderEntry, actions: Actions, core: _Edit | None) -> _Edit:
    """Return what to do with a line: keep it, drop it, or bring it into its form."""
    if not _hides(actions, entry):
        return _keep
    if entry.core and core is not None:
        return core
    return _formed(entry.form) if entry.form else _drop


def _hides(actions: Actions, entry: HeaderEntry) -> bool:
    # What a form cuts out is what nobody knows, so forms hold wherever the unknown may not pass.
    return actions[Category.UNKNOWN if entry.category is None else entry.category] is not Action.KEEP


def _keep(value: bytes, _: _Media) -> bytes | None:
    return value


def _drop(_: bytes, __: _Media) -> bytes | None:
    return None


def _formed(form: Form) -> _Edit:
    return lambda value, _: form(value.rstrip(b" \t"))


def _short(token: bytes, media: _Media) -> bytes:
    return token if SHORT.fullmatch(token) else media.context.pseudonym(token)


def _words(value: bytes, media: _Media) -> bytes:
    """Replace each word of msid and msid-semantic, but the - and * that mean none and all."""
    pseudonym = media.context.pseudonym
    return b" ".join(word if word in {b"-", b"*", b"WMS"} else pseudonym(word) for word in value.split())


def _group(value: bytes, media: _Media) -> bytes | None:
    found = GROUP.fullmatch(value.rstrip(b" \t"))
    return b" ".join((found[1], *(_short(mid, media) for mid in found[2].split()))) if found else None


def _token(value: bytes, media: _Media) -> bytes | None:
    return _short(value.rstrip(b" \t"), media)


def _rid(value: bytes, media: _Media) -> bytes | None:
    found = RID.fullmatch(value.rstrip(b" \t"))
    return _short(found[1], media) + found[0][found.end(1) :] if found else None


def _simulcast(value: bytes, media: _Media) -> bytes | None:
    if not SIMULCAST.fullmatch(value.rstrip(b" \t")):
        return None
    words = value.split()
    words[1::2] = [RID_ID.sub(lambda found: _short(found[0], media), word) for word in words[1::2]]
    return b" ".join(words)


def _ssrc(value: bytes, media: _Media) -> bytes | None:
    found = SSRC.fullmatch(value)
    return b"".join((found[1], b" ", found[2], b":", _words(found[3], media))) if found else None


def _rtcp(value: bytes, media: _Media) -> bytes | None:
    """Drop an address that c= already tells; RTCP would be lost without any other (standards.md §3.1)."""
    found = RTCP.fullmatch(value.rstrip(b" \t"))
    if not found or (found[2] and not (address := _address(found[2]))):
        return None
    return value if found[2] and address != media.address else found[1]


_BY_MEDIA = frozenset({_token, _group, _rid, _simulcast, _words, _ssrc, _rtcp})
"""Edits that depend on more than the line."""
_CORE_LINES: dict[bytes, _Edit] = {b"c": _connection}
_CORE_ATTRIBUTES: dict[bytes, _Edit] = {
    b"mid": _token, b"label": _token, b"group": _group, b"rid": _rid, b"simulcast": _simulcast,
    b"msid": _words, b"msid-semantic": _words, b"ssrc": _ssrc, b"rtcp": _rtcp,
    b"candidate": _keep,  # `with_chosen` has written them by then
}  # fmt: skip
