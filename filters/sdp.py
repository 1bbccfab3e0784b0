"""Session descriptions: line by line, what standards.md §3.1 lets pass an untrusted border.

`compile_sdp` turns catalogue and actions into edits once. A description that cannot be read in full
raises FormError: it is never passed on half edited. The same description and context always give the
same bytes, so the sess-version of o= needs no counter of ours. Media addresses stay as they are: they
change only together with a media relay.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from zlib import crc32

from config.vocabulary import Action, Category
from filters.catalogue import Actions, Catalogue, HeaderEntry
from filters.fate import Fate
from filters.forms import Form, FormError
from filters.ice import IP4, chosen, is_ip6, is_word
from filters.patterns import Leaks, compile_hidden, private_address
from proxy.grammar import CR, LF
from proxy.memo import remembered

Pseudonym = Callable[[bytes], bytes]
"""A token to another one: letters and digits only, keyed, and stable within the dialog."""


class SdpContext:
    """What differs from dialog to dialog; origin_address stands for that of o=: b"IP4 192.0.2.1"."""

    __slots__ = ("origin_address", "pseudonym")

    def __init__(self, pseudonym: Pseudonym, origin_address: bytes) -> None:
        """Note both."""
        self.pseudonym = pseudonym
        self.origin_address = origin_address


class _Section:
    """What an edit may ask of the part of the description that its line stands in: the session, or a medium."""

    __slots__ = ("_address", "candidates", "context", "lines", "place", "session", "start")

    def __init__(self, context: SdpContext, lines: list[bytes], start: int, session: _Section | None) -> None:
        """Begin a section.

        Args:
            context: of the dialog.
            lines: of the whole description.
            start: the first of the section; of a medium the one behind m=.
            session: of a medium, where it looks for what it does not say itself.
        """
        self.context = context
        self.lines = lines
        self.start = start
        self.session = session
        self.candidates: list[bytes] = []
        """Candidates that have been met, of which few will pass."""
        self.place = 0
        """Where among the lines that pass those will stand: where the first of all stood."""
        self._address: bytes | None = None

    def add(self, candidate: bytes, passed: list[bytes]) -> None:
        """Note a candidate, and with the first one where among the lines that pass all of them stand."""
        if not self.candidates:
            self.place = len(passed)
            passed.append(b"")
        self.candidates.append(candidate)

    def address(self) -> bytes:
        """Return the address of the first c= line, of the session's where there is none; b"" without.

        It is looked for once: many lines may ask, and of hostile ones each would look through all others.
        """
        if self._address is None:
            self._address = self._found_address()
        return self._address

    def _found_address(self) -> bytes:
        lines = self.lines
        for place in range(self.start, len(lines)):
            line = lines[place]
            if line.startswith(b"c="):
                return _address(line[2:])
            if line.startswith(b"m="):
                break
        return self.session.address() if self.session is not None else b""

    def port(self) -> bytes:
        """Return the port of the m= line; b"" for the session."""
        words = self.lines[self.start - 1].split(b" ", 2) if self.session is not None else ()
        return words[1].partition(b"/")[0] if len(words) > 1 else b""

    def default(self, component: bytes) -> tuple[bytes, bytes]:
        """Return address and port of a component without ICE, which RFC 8839 §4.2.5 wants among the candidates."""
        address, port = self.address(), self.port()
        if component == b"1":
            return address, port
        lines = self.lines
        for place in range(self.start, len(lines)):
            line = lines[place]
            if line.startswith(b"a=rtcp:") and (found := RTCP.fullmatch(line[7:])):
                return (found[2] and _address(found[2])) or address, found[1]
            if line.startswith(b"m="):
                break
        return address, b"%d" % ((int(port) if port.isdigit() and len(port) <= 5 else 0) + 1)


SdpFilter = Callable[[bytes, SdpContext], bytes]
_Edit = Callable[[bytes, _Section], bytes | None]

# RFC 8866 §9: connection-address without the names, which could say anything; ttl and count of multicast
CONNECTION = re.compile(rf"IN (?:IP4 ({IP4})(?:/\d{{1,3}}){{0,2}}|IP6 ([0-9A-Fa-f:.]{{2,45}})(?:/\d{{1,3}})?)".encode())
LONG_NUMBER = 12
"""As many digits as a MAC has; what is made of the time, as most do, has ten (RFC 8866 §5.2)."""
MAX_NUMBER = 20
"""Most digits of a number in o= that passes: those of 64 bits."""
# RFC 8866 §5.6: phone-number without the name that may stand around it
PHONE = re.compile(rb"\+?[0-9][0-9 -]{0,30}")
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
    rb"(?>((?: |;)(?:pt=\d{1,3}(?>(?:,\d{1,3})*)|max-(?:width|height|fps|fs|br|pps|bpp)=\d{1,10}(?:\.\d{1,4})?))*)"
)
# RFC 8853 §5.1: direction SP list [SP direction SP list]
# Lists of bounded length: each of their ids may cost a keyed hash.
SIMULCAST = re.compile(rb"(?:send|recv) [A-Za-z0-9_,;~-]{1,512}(?: (?:send|recv) [A-Za-z0-9_,;~-]{1,512})?")
RID_ID = re.compile(rb"[A-Za-z0-9_-]+")
_31_BITS = 0x7FFFFFFF
MAX_REMEMBERED = 256
"""Longest line whose edit is remembered, in bytes."""
MAX_ADDRESS = 64
"""Longest value of c= that is read: IN IP6, 45 letters, a count and what may be between."""
MAX_LINES = 1024
"""Lines whose edit each filter remembers; they are forgotten together, and what is in use is soon back."""
_NEVER_REMEMBERED = frozenset((b"o=", b"m="))
"""Lines that hang on more than themselves: o= on our address, and where m= stands a medium begins."""
MANDATORY = frozenset({b"v=", b"o=", b"s=", b"t=", b"c=", b"m="})
"""Lines without which the rest has no meaning: one that has no form fails the whole description."""


def compile_sdp(
    catalogue: Catalogue, actions: Actions, *, fragment: bool = False, uniform: bool = False
) -> SdpFilter:  # fmt: skip
    """Return the filter of a description for a hop with these actions.

    With fragment, of `application/trickle-ice-sdpfrag` (RFC 8840): the candidates come one by one and
    no default stands beside them, so host candidates of private networks fall even where none remains.
    With uniform, the numbers of o= do not tell either which stack made them.
    Where every action is KEEP the body comes back as the same object; lines end in CRLF otherwise. The
    filter raises FormError for what is no description.
    """
    fixed = catalogue.fixed & {"sdp.lines", "sdp.attributes"}
    if not (fixed or uniform) and all(actions[category] is Action.KEEP for category in Category):
        return _keep_all
    return _Filter(catalogue, actions, fragment, uniform).clean


def _keep_all(body: bytes, _: SdpContext) -> bytes:
    return body


class _Filter:
    """Catalogue and actions, compiled to an edit for each kind of line, and what is remembered of whole lines."""

    __slots__ = (
        "_actions", "_attributes", "_chooses", "_fragment", "_known", "_leaks", "_lines", "_table", "_unknown_line",
    )  # fmt: skip

    def __init__(self, catalogue: Catalogue, actions: Actions, fragment: bool, uniform: bool = False) -> None:
        self._actions, self._table = actions, catalogue.sdp_attributes
        self._leaks = leaks = compile_hidden(catalogue.patterns, actions, catalogue.searches)
        self._lines = _line_edits(catalogue, actions, uniform, leaks)
        self._unknown_line = _edit(catalogue.sdp_lines.find(b""), actions, None, leaks)
        self._attributes = {name: _edit(entry, actions, _CORE_ATTRIBUTES.get(name), leaks)
                            for name, entry in self._table.exact.items()}  # fmt: skip
        self._chooses = _hides(actions, self._table.find(b"candidate"))
        self._fragment = fragment
        # Most lines are the same in every call of a phone, and their edit depends on nothing else. A plain
        # dictionary replaces `Recent`: the call of its method would cost as much as all else that such a line costs.
        self._known: dict[bytes, bytes] = {}

    def clean(self, body: bytes, context: SdpContext) -> bytes:
        """Return what may pass of a description.

        Raises:
            FormError: for what is none.
        """
        lines = body.split(b"\r\n")
        while lines and not lines[-1]:
            lines.pop()
        if not lines or not lines[0]:
            _with_crlf(body)
            return b""
        known = self._known
        passed: list[bytes] = []
        session = section = _Section(context, lines, 0, None)
        for number, line in enumerate(lines):
            clean = known.get(line)
            if clean is None:
                if not line or LF in line or CR in line:
                    return self._clean_odd(body, context)
                if self._chooses and line.startswith(b"a=candidate"):
                    section.add(line, passed)
                    continue
                if line.startswith(b"m="):
                    self._choose(section, passed)
                    section = _Section(context, lines, number + 1, session)
                clean = self._cleaned(line, section)
            passed.append(clean)
        self._choose(section, passed)
        return b"".join(passed)

    def _clean_odd(self, body: bytes, context: SdpContext) -> bytes:
        """Clean a description with a line that ends in LF, or a blank one, which may only stand at the end."""
        mended = _with_crlf(body)
        if mended == body:
            raise FormError("a line of the session description is blank")
        return self.clean(mended, context)

    def _choose(self, section: _Section, passed: list[bytes]) -> None:
        """Put the chosen candidates of a section that has ended where they belong."""
        if section.candidates:
            kept = chosen(section.candidates, section.default, fragment=self._fragment)
            passed[section.place] = b"\r\n".join([*kept, b""])

    def _cleaned(self, line: bytes, section: _Section) -> bytes:
        """Return what may pass of a line, with its end, b"" for nothing; remembered where it hangs on nothing else."""
        head, value = line[:2], line[2:]
        if head == b"a=":
            name, colon, value = value.partition(b":")
            head += name.rstrip(b" \t") + colon
            edit = self._attribute(name)
        else:
            edit = self._lines.get(head) or self._unknown(head)
        kept = edit(value, section)
        if kept is None and head in MANDATORY:
            raise FormError(f"{head.decode()} has no form that may pass")
        passed = b"" if kept is None else head + kept + b"\r\n"
        if head not in _NEVER_REMEMBERED and edit not in _BY_SECTION and len(line) <= MAX_REMEMBERED:
            if len(self._known) >= MAX_LINES:
                self._known.clear()
            self._known[line] = passed
        return passed

    def _attribute(self, name: bytes) -> _Edit:
        # A flag may have blanks behind it; other names are the catalogue's globs, or unknown.
        edits = self._attributes
        known = edits.get(name) or edits.get(name.rstrip(b" \t"))
        return known or _edit(self._table.find(name), self._actions, None, self._leaks)

    def _unknown(self, head: bytes) -> _Edit:
        # RFC 8866 §9: every line is type "=" value
        if head[1:] != b"=" or not head[:1].isalpha():
            raise FormError("a line of the session description is not of the form x=…")
        return self._unknown_line


def _with_crlf(body: bytes) -> bytes:
    """Return a description whose lines all end in CRLF; RFC 8866 §5 tolerates LF.

    Raises:
        FormError: for a bare CR, which some take for the end of a line.
    """
    text = body.replace(b"\r\n", b"\n")
    if CR in text:
        raise FormError("a line of the session description holds a bare CR")
    return text.replace(b"\n", b"\r\n")


# ---- lines ----------------------------------------------------------------------------------------------


def _line_edits(catalogue: Catalogue, actions: Actions, uniform: bool, leaks: Leaks | None) -> dict[bytes, _Edit]:
    find = catalogue.sdp_lines.find
    edits = {name + b"=": _edit(entry, actions, _CORE_LINES.get(name), leaks)
             for name, entry in catalogue.sdp_lines.exact.items() if name.isalpha()}  # fmt: skip
    hidden = _hides(actions, find(b"o-user")), _hides(actions, find(b"o-address"))
    edits[b"o="] = _origin_edit(*hidden, actions, uniform, leaks)
    if _hides(actions, find(b"s")):
        edits[b"s="] = _dash
    elif leaks:
        edits[b"s="] = lambda value, _: b"-" if leaks(value) else value
    if not _hides(actions, find(b"p")) and actions[Category.NAME] is not Action.KEEP:
        edits[b"p="] = _number_alone
    return edits


def _dash(_: bytes, __: _Section) -> bytes | None:
    return b"-"  # RFC 8866 §5.3: s= must not be empty


def _number_alone(value: bytes, _: _Section) -> bytes | None:
    return value if PHONE.fullmatch(value.rstrip(b" \t")) else None


def _origin_edit(
    hides_user: bool, hides_address: bool, actions: Actions, uniform: bool, leaks: Leaks | None
) -> _Edit:  # fmt: skip
    if not (hides_user or hides_address or uniform or leaks or actions[Category.UNKNOWN] is not Action.KEEP):
        return _keep

    def edit(value: bytes, section: _Section) -> bytes | None:
        # RFC 8866 §9: username SP sess-id SP sess-version SP nettype SP addrtype SP unicast-address
        words = value.rstrip(b" \t").split(b" ")
        if len(words) != 6:
            return None
        user, session, version, network, kind, address = words
        if (
            network != b"IN" or kind not in (b"IP4", b"IP6") or not (_is_number(session) and _is_number(version))
            or not user or not address or not is_word(user) or not is_word(address)
        ):  # fmt: skip
            return None
        if hides_user or (leaks and leaks(user)):
            user = b"-"
        # A device id in place of a number, such as an IMEI
        is_long = len(session) >= LONG_NUMBER or len(version) >= LONG_NUMBER
        if uniform or (leaks and is_long and leaks(session + b" " + version)):
            session, version = _moved(session, version, section.context.pseudonym)
        shown = section.context.origin_address if hides_address else kind + b" " + address
        return b" ".join((user, session, version, b"IN", shown))

    return edit


def _is_number(text: bytes) -> bool:
    return len(text) <= MAX_NUMBER and text.isdigit()


def _moved(session: bytes, version: bytes, pseudonym: Pseudonym) -> tuple[bytes, bytes]:
    """Return sess-id and sess-version of o= moved by amounts of the dialog's own.

    The version still counts up by one where it did (RFC 3264 §8), with no state kept: the same amount is added to
    each version of a session. Both stay within 31 bits, which stacks with small numbers take too; that one change
    meets the overflow has a chance of one in two thousand million.
    """
    return (
        b"%d" % (crc32(pseudonym(b"sess-id " + session)) & _31_BITS),
        b"%d" % ((int(version) + crc32(pseudonym(b"sess-version " + session))) & _31_BITS),
    )


def _connection(value: bytes, _: _Section) -> bytes | None:
    return value if _address(value.rstrip(b" \t")) else None


def _address(connection: bytes) -> bytes:
    """Return the address in the value of a c= line, empty if it is none."""
    return _short_address(connection) if len(connection) <= MAX_ADDRESS else b""


@remembered
def _short_address(connection: bytes) -> bytes:
    found = CONNECTION.fullmatch(connection)
    if not found:
        return b""
    return found[1] or (found[2] if is_ip6(found[2]) else b"")


# ---- attributes -----------------------------------------------------------------------------------------


def _edit(entry: HeaderEntry, actions: Actions, core: _Edit | None, leaks: Leaks | None) -> _Edit:
    """Return what to do with a line: keep it, drop it, or bring it into its form."""
    if entry.fixed:
        return _drop
    if not _hides(actions, entry):
        return _swept(leaks) if leaks and _may_be_swept(entry) else _keep
    if entry.core and core is not None:
        return core
    return _formed(entry.form) if entry.form else _drop


def fate_of_line(catalogue: Catalogue, actions: Actions, name: bytes, *, sweeps: bool) -> Fate:
    """Return what becomes of lines of this type; `o-user` and `o-address` are those of o=.

    Args:
        catalogue: as it holds towards the hop.
        actions: for each category.
        name: of the entry.
        sweeps: whether what is kept is searched for device ids and addresses.
    """
    entry = catalogue.sdp_lines.find(name)
    if name in (b"o-user", b"o-address"):
        kept = Fate.SWEPT if sweeps and name == b"o-user" else Fate.KEPT
        return Fate.NEUTRAL if _hides(actions, entry) else kept
    edit = _line_edits(catalogue, actions, False, None).get(name + b"=")
    if edit in _SAID:
        return _SAID[edit]
    return _fate(entry, actions, _CORE_LINES.get(name), Fate.FORM, sweeps)


def fate_of_attribute(entry: HeaderEntry, actions: Actions, name: bytes, *, sweeps: bool) -> Fate:
    """Return what becomes of an attribute of this entry; sweeps as for `fate_of_line`."""
    return _fate(entry, actions, _CORE_ATTRIBUTES.get(name), Fate.IN_PART, sweeps)


def _fate(entry: HeaderEntry, actions: Actions, core: _Edit | None, by_core: Fate, sweeps: bool) -> Fate:
    edit = _edit(entry, actions, core, None)
    if edit is _drop:
        return Fate.NEVER if entry.fixed else Fate.REMOVED
    if not _hides(actions, entry):
        return Fate.SWEPT if sweeps and _may_be_swept(entry) else Fate.KEPT
    return by_core if edit is core else Fate.FORM


def _may_be_swept(entry: HeaderEntry) -> bool:
    # What discloses something may disclose something else besides. What the core edits is left to it, and a
    # function may be opaque.
    return entry.category is not None and not entry.core


def _hides(actions: Actions, entry: HeaderEntry) -> bool:
    # What a form cuts out is what nobody knows, so forms hold wherever the unknown may not pass.
    categories = (Category.UNKNOWN, *entry.besides) if entry.category is None else (entry.category,)
    return entry.fixed or any(actions[category] is not Action.KEEP for category in categories)


def _keep(value: bytes, _: _Section) -> bytes | None:
    return value


def _drop(_: bytes, __: _Section) -> bytes | None:
    return None


def _swept(leaks: Leaks) -> _Edit:
    return lambda value, _: None if leaks(value) else value


def _formed(form: Form) -> _Edit:
    return lambda value, _: form(value.rstrip(b" \t"))


def _short(token: bytes, section: _Section) -> bytes:
    return token if SHORT.fullmatch(token) else section.context.pseudonym(token)


def _words(value: bytes, section: _Section) -> bytes:
    """Replace each word of msid and msid-semantic, but the - and * that mean none and all."""
    pseudonym = section.context.pseudonym
    return b" ".join(word if word in {b"-", b"*", b"WMS"} else pseudonym(word) for word in value.split())


def _group(value: bytes, section: _Section) -> bytes | None:
    found = GROUP.fullmatch(value.rstrip(b" \t"))
    return b" ".join((found[1], *(_short(mid, section) for mid in found[2].split()))) if found else None


def _token(value: bytes, section: _Section) -> bytes | None:
    return _short(value.rstrip(b" \t"), section)


def _rid(value: bytes, section: _Section) -> bytes | None:
    found = RID.fullmatch(value.rstrip(b" \t"))
    return _short(found[1], section) + found[0][found.end(1) :] if found else None


def _simulcast(value: bytes, section: _Section) -> bytes | None:
    if not SIMULCAST.fullmatch(value.rstrip(b" \t")):
        return None
    words = value.split()
    words[1::2] = [RID_ID.sub(lambda found: _short(found[0], section), word) for word in words[1::2]]
    return b" ".join(words)


def _ssrc(value: bytes, section: _Section) -> bytes | None:
    found = SSRC.fullmatch(value)
    return b"".join((found[1], b" ", found[2], b":", _words(found[3], section))) if found else None


def _rtcp(value: bytes, section: _Section) -> bytes | None:
    """Drop an address that c= already tells, or that nobody reaches; RTCP would be lost without any other.

    standards.md §3.1; a private address beside a public c= is a slip of the phone's, and tells its network.
    """
    found = RTCP.fullmatch(value.rstrip(b" \t"))
    if not found or (found[2] and not (address := _address(found[2]))):
        return None
    return value if found[2] and address != section.address() and not private_address(address) else found[1]


_BY_SECTION = frozenset({_token, _group, _rid, _simulcast, _words, _ssrc, _rtcp})
"""Edits that depend on more than the line."""
_CORE_LINES: dict[bytes, _Edit] = {b"c": _connection}
_CORE_ATTRIBUTES: dict[bytes, _Edit] = {
    b"mid": _token, b"label": _token, b"group": _group, b"rid": _rid, b"simulcast": _simulcast,
    b"msid": _words, b"msid-semantic": _words, b"ssrc": _ssrc, b"rtcp": _rtcp,
    b"candidate": _keep,  # `with_chosen` has written them by then
}  # fmt: skip
_SAID: dict[_Edit | None, Fate] = {_dash: Fate.NEUTRAL, _number_alone: Fate.NAMELESS}
"""Edits that are told in words of their own."""
