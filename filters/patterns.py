"""Device ids and private addresses wherever they stand inside a value that is kept.

Clean text costs a few counts of bytes and at most one search for each kind of sign that it holds; a
candidate that only looks like one (no Luhn digit, no address) is rejected afterwards. Sources:
standards.md §0 F6 and §6. What must not be taken for one: random hex, fingerprints, ICE passwords,
E.164 numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from ipaddress import AddressValueError, IPv6Address, IPv6Network
from types import MappingProxyType
from typing import NamedTuple

from config.vocabulary import Action, Category
from filters.entry import Actions
from proxy.memo import remembered

OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
# RFC 1918, RFC 6598, RFC 1122 §3.2.1.3, RFC 3927
PRIVATE4 = (
    rf"(?:(?:10|127)\.{OCTET}|172\.(?:1[6-9]|2\d|3[01])|192\.168|169\.254|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7]))"
    rf"\.{OCTET}\.{OCTET}"
)
# RFC 4291 §2.5.6 fe80::/10, RFC 3879 fec0::/10, RFC 4193 fc00::/7: four digits first, which no fingerprint has
PRIVATE6 = r"[Ff](?:[Ee][89A-Fa-f]\h|[CDcd]\h\h):[0-9A-Fa-f:]{1,35}"
LOCAL6 = tuple(map(IPv6Network, ("fe80::/10", "fec0::/10", "fc00::/7")))
# Prefixes of Snom, Polycom, Grandstream, Yealink, Aastra and Fanvil; then of Linksys (SPA), AudioCodes, Avaya, Mitel,
# Gigaset and Obihai
OUI = (
    r"(?:000413|0004[Ff]2|64167[Ff]|000[Bb]82|[Cc]074[Aa][Dd]|001565|805[Ee][Cc]0|805[Ee]0[Cc]|249[Aa][Dd]8|00085[Dd]"
    r"|0[Cc]383[Ee]|000[Ee]08|00908[Ff]|00040[Dd]|08000[Ff]|7[Cc]2[Ff]80|9[Cc][Aa][Dd][Ee][Ff])"
)


class Signs(NamedTuple):
    """What is searched for only in texts that hold mark at least so many times.

    In the patterns \\h stands for a hexadecimal digit and \\> for a place behind which none stands;
    before stands once before all of them, so that the inside of a long word costs nothing.
    """

    mark: bytes
    times: int
    before: str
    patterns: dict[str, str]


TABLE = (
    Signs(b":", 2, r"(?<![0-9A-Fa-f])", {
        # 00:1b:21:12:34:56, not within a longer row of pairs, which is a fingerprint or an EUI-64;
        # EUI-64: the MAC with ff:fe in its middle, in pairs, or as the interface id of an IPv6 address
        "mac": r"(?<!\h:)\h\h(?::\h\h){5}(?!:?\h)|(?<!\h:)\h\h:\h\h:\h\h:[Ff]{2}:[Ff][Ee](?::\h\h){3}(?!:?\h)"
               r"|\h{1,4}:\h{0,2}[Ff]{2}:[Ff][Ee]\h\h:\h{1,4}\>",
        "address": rf"(?<!:)(?:::1(?![0-9A-Fa-f:])|{PRIVATE6})",
        "imei": r"[Gg][Ss][Mm][Aa]:[Ii][Mm][Ee][Ii]:",  # RFC 7254 §4
    }),
    Signs(b".", 2, r"", {
        # Cisco's 001b.2112.3456; and pairs, where a colon may not stand, as in tags
        "mac": r"(?<![0-9A-Fa-f.])(?:\h{4}\.\h{4}\.\h{4}\>|\h\h(?:\.\h\h){5}(?!\.?\h))",
        "address": rf"(?<!\d)(?<!\d\.){PRIVATE4}(?!\d|\.\d)",
        # Grandstream writes the phone's IPv4 address into the Call-ID with A for 0 to J for 9 (standards.md F6)
        "letters": r"@[A-J]{1,3}(?:\.[A-J]{1,3}){3}(?![0-9A-Za-z.])",
    }),
    Signs(b"-", 1, r"(?<![0-9A-Fa-f])", {
        # Pairs; EUI-64; and how Cisco phones and gateways begin Call-ID and tag with the MAC (standards.md F6)
        "mac": r"(?<!\h-)\h\h(?:-\h\h){5}(?!-?\h)|(?<!\h-)\h\h-\h\h-\h\h-[Ff]{2}-[Ff][Ee](?:-\h\h){3}(?!-?\h)"
               r"|(?:\h{8}-\h{8}-\h{8}|\h{24})-\h{8}\>",
        # RFC 9562 §5: versions 1, 2 and 6 hold the node's MAC; Cisco writes zeros before it
        "uuid": r"\h{8}-\h{4}-[126]\h{3}-[89ABab]\h{3}-\h{12}\>|0{8}-0{4}-0{4}-0{4}-\h{12}\>",
        # as cloud hosts are named: ip-10-0-0-1
        "address": r"(?<!\d-)" + PRIVATE4.replace(r"\.", "-") + r"(?!\d|-\d)",
        "imei": r"(?<![0-9A-Za-z+-])\d{8}-\d{6}-\d(?![0-9A-Za-z@-])",
        # RFC 8599 §14, Linphone
        "push-token": r"[Pp][Nn]-(?:[Tt][Oo][Kk]|[Pp][Rr][Ii][Dd]|[Pp][Aa][Rr][Aa][Mm]|[Pp][Uu][Rr][Rr])=",
    }),
    # The empty mark stands once more often than there are bytes: texts of at least 12.
    Signs(b"", 13, r"(?<![0-9A-Za-z])", {
        # Cisco device names; a bare EUI-64; bare digits only behind the prefix of a maker of phones
        "mac": r"(?:SEP|ATA|sep|(?:mac|MAC)[=:_-]?)\h{12}\>|\h{6}[Ff]{3}[Ee]\h{6}\>"
               rf"|{OUI}\h{{6}}(?![0-9A-Za-z])",
        # Only with a time stamp of the years 2010 to 2040 (11d… to 11f…): other random hex would be hit.
        "uuid": r"\h{12}11[DEFdef]\h[89ABab]\h{15}\>",
        # With the Luhn digit, and never behind + or sip: or before @, where a number stands
        "imei": r"(?<![+-])(?<!tel:)(?<!sip:)(?<!sips:)\d{15}(?![0-9A-Za-z@-])",
    }),
    Signs(b"APA91", 1, r"", {"push-token": r"APA91[0-9A-Za-z_-]{20}"}),  # a Firebase registration token
    Signs(b"PushToken[", 1, r"", {"push-token": r"PushToken\["}),
)  # fmt: skip
PATTERNS = frozenset(name for signs in TABLE for name in signs.patterns)
"""The names of all patterns, which are the keys of config/catalogue.toml's [patterns]."""

LETTER_ADDRESS = re.compile(rb"@([A-J]{1,3}(?:\.[A-J]{1,3}){3})(?![0-9A-Za-z.])")
TO_DIGITS = bytes.maketrans(b"ABCDEFGHIJ", b"0123456789")
PRIVATE = re.compile(f"{PRIVATE4}|::1|[Ff](?:[Ee][89A-Fa-f]|[CDcd]).*".encode())

Pattern = re.Pattern[bytes]
Leaks = Callable[[bytes], str | None]
_Search = Callable[[bytes, int], re.Match[bytes] | None]


def compile_leaks(names: Collection[str] = PATTERNS, own: Mapping[str, Pattern] = MappingProxyType({})) -> Leaks:
    """Return the search for the named patterns: text to the name of one that stands in it, or None.

    Args:
        names: of patterns.
        own: further ones, an operator's, by name.

    Raise ValueError for a name that is in neither.
    """
    if unknown := set(names) - PATTERNS - own.keys():
        raise ValueError(f"there is no pattern {min(unknown)!r}; write one of {', '.join(sorted(PATTERNS))}")
    rows = [_Row(*row) for row in _searches(names)]
    further = tuple((name, pattern.search) for name, pattern in own.items() if name in names)

    def leaks(text: bytes) -> str | None:
        for row in rows:
            name = row.found_in(text)
            if name is not None:
                return name
        return None

    def with_own(text: bytes) -> str | None:
        return leaks(text) or next((name for name, search in further if search(text)), None)

    return with_own if further else leaks


def compile_hidden(
    patterns: Mapping[str, Category], actions: Actions, own: Mapping[str, Pattern] = MappingProxyType({})
) -> Leaks | None:  # fmt: skip
    """Return the search for those patterns whose category is hidden; None where none is.

    Args:
        patterns: name to what it would disclose, as the catalogue has it.
        actions: for each category.
        own: an operator's patterns, by name.
    """
    names = [name for name, category in patterns.items() if actions[category] is not Action.KEEP]
    return compile_leaks(names, own) if names else None


def letter_address(text: bytes) -> str | None:
    """Return the IPv4 address that a Grandstream Call-ID spells in letters at its end, or None."""
    for letters in LETTER_ADDRESS.findall(text):
        octets = tuple(map(int, letters.translate(TO_DIGITS).split(b".")))
        if max(octets) <= 255:
            return ".".join(map(str, octets))
    return None


@remembered
def private_address(address: bytes) -> bool:
    """Tell whether an IPv4 or IPv6 literal, without brackets, has no meaning outside its own network."""
    return PRIVATE.fullmatch(address) is not None


def luhn(digits: bytes) -> bool:
    """Tell whether the last digit is the check digit of the others (ISO/IEC 7812-1 Annex B)."""
    values = [digit - 48 for digit in reversed(digits)]
    return sum(values[::2] + [sum(divmod(2 * value, 10)) for value in values[1::2]]) % 10 == 0


class _Row:
    """A row of TABLE, compiled."""

    __slots__ = ("_letter", "_mark", "_search", "_times")

    def __init__(self, mark: bytes, times: int, search: _Search) -> None:
        self._mark, self._times, self._search = mark, times, search
        self._letter = mark[-1] if mark else -1
        """A letter of the mark: most texts do not even have that."""

    def found_in(self, text: bytes) -> str | None:
        """Return the name of a pattern of the row that stands in text."""
        if self._letter < 0:
            holds_mark = len(text) + 1 >= self._times
        else:
            holds_mark = self._letter in text and text.count(self._mark) >= self._times
        return _verified(text, self._search) if holds_mark else None


def _searches(names: Collection[str]) -> Iterator[tuple[bytes, int, _Search]]:
    for mark, times, before, patterns in TABLE:
        groups = [f"(?P<{_group(name)}>{pattern})" for name, pattern in patterns.items() if name in names]
        if groups:
            pattern = f"{before}(?:{'|'.join(groups)})"
            pattern = pattern.replace(r"\h", "[0-9A-Fa-f]").replace(r"\>", "(?![0-9A-Fa-f])")
            yield mark, times, re.compile(pattern.encode()).search


def _group(name: str) -> str:
    # The name of a regular expression's group has no hyphens.
    return name.replace("-", "_")


def _verified(text: bytes, search: _Search) -> str | None:
    found = search(text, 0)
    while found:
        name = str(found.lastgroup).replace("_", "-")
        if _VERIFY.get(name, bool)(found[0]):
            return name
        found = search(text, found.start() + 1)
    return None


def _is_private(text: bytes) -> bool:
    if text[:1] not in b"fF":
        return True  # the other alternatives of the pattern are exact
    try:
        address = IPv6Address(text.decode())
    except AddressValueError:
        return False
    return any(address in network for network in LOCAL6)


def _is_imei(text: bytes) -> bool:
    return text.endswith(b":") or luhn(text.replace(b"-", b""))


_VERIFY: dict[str, Callable[[bytes], bool]] = {
    "address": _is_private, "letters": lambda text: letter_address(text) is not None, "imei": _is_imei,
}  # fmt: skip

leaks = compile_leaks()
"""All patterns: the name of one that stands in a text, or None."""
