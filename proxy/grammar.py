"""The grammar of RFC 3261 §25 as regular expressions, with the rule above each.

Everything works on bytes: SIP allows UTF-8 in texts and any octet after a backslash, and what is not
edited must leave as it came. Possessive quantifiers (`*+`) keep every rule linear in the length of hostile input.
"""

from __future__ import annotations

import re
from typing import Final

#: Compact forms (RFC 3261 §7.3.3 and the IANA registry). A filter that knew only the long names would
#: let `f:` and `m:` through.
COMPACT = {
    b"a": b"accept-contact", b"b": b"referred-by", b"c": b"content-type", b"d": b"request-disposition",
    b"e": b"content-encoding", b"f": b"from", b"i": b"call-id", b"j": b"reject-contact", b"k": b"supported",
    b"l": b"content-length", b"m": b"contact", b"n": b"identity-info", b"o": b"event", b"r": b"refer-to",
    b"s": b"subject", b"t": b"to", b"u": b"allow-events", b"v": b"via", b"x": b"session-expires", b"y": b"identity",
}  # fmt: skip

# token = 1*(alphanum / "-" / "." / "!" / "%" / "*" / "_" / "+" / "`" / "'" / "~" )
TOKEN_CLASS = rb"[A-Za-z0-9\-.!%*_+`'~]"
TOKEN = re.compile(TOKEN_CLASS + rb"+")
TOKEN_LETTERS = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.!%*_+`'~"
"""The same letters, for sets of letters that hold them."""


def is_token(text: bytes) -> bool:
    """Tell whether a text is a token; most tags and branches are letters and digits, which a look tells."""
    return text.isalnum() or TOKEN.fullmatch(text) is not None


def only(letters: bytes, meaning: bytes = b"") -> bytes:
    """Return a table for `translate` that makes one byte beyond ASCII of all but some letters of ASCII.

    `isascii` then tells of a text whether it has no others: `translate` with letters to delete makes a table of its
    own each time. The letters become those of meaning at the same places, or stay as they are.
    """
    table = bytearray(b"\xff" * 256)
    for letter, other in zip(letters, meaning or letters, strict=True):
        table[letter] = other
    return bytes(table)


# Letters as numbers: `COMMA in value` takes an eighth of `b"," in value`, which first tries to read b"," as a number.
TAB: Final = 0x09
LF: Final = 0x0A
CR: Final = 0x0D
SPACE: Final = 0x20
PERCENT: Final = 0x25
COMMA: Final = 0x2C
HYPHEN: Final = 0x2D
COLON: Final = 0x3A
SEMICOLON: Final = 0x3B
QUESTION: Final = 0x3F
BACKSLASH: Final = 0x5C

# LWS = [*WSP CRLF] 1*WSP; a fold reads as one space (§7.3.1).
# It is looked for at the first space of a run only: else a long run without a fold takes the square of its length.
FOLD = re.compile(rb"(?<![ \t])[ \t]*+(?:\r\n[ \t]++)+")
LWS = rb"[ \t\r\n]*+"

# Request-Line = Method SP Request-URI SP SIP-Version; exactly one SP each (§7.1)
REQUEST_LINE = re.compile(rb"(" + TOKEN_CLASS + rb"+) ([^ \t]+) ([Ss][Ii][Pp]/\d+\.\d+)")
# Status-Line = SIP-Version SP Status-Code SP Reason-Phrase; the phrase may be empty (RFC 4475 §3.1.1.13)
STATUS_LINE = re.compile(rb"[Ss][Ii][Pp]/2\.0 ([1-6]\d\d) (.*)", re.DOTALL)

# quoted-string = SWS DQUOTE *(qdtext / quoted-pair ) DQUOTE
QUOTED = rb'"(?>(?:[^"\\]++|\\.)*)"'

# generic-param = token [ EQUAL gen-value ]; gen-value = token / host / quoted-string
PARAM = re.compile(
    rb";" + LWS + rb"([^;=,\s\"<>]+)" + rb"(?:" + LWS + rb"=" + LWS + rb"(" + QUOTED + rb"|[^;,\s\"]*)" + rb")?" + LWS,
    re.DOTALL,
)

# via-parm = sent-protocol LWS sent-by *( SEMI via-params )
# sent-protocol = protocol-name SLASH protocol-version SLASH transport; sent-by = host [ COLON port ]
# Any version is read here, so that SIP/7.0 can be answered with 505 (RFC 4475 §3.1.2.16).
VIA = re.compile(
    LWS + rb"[Ss][Ii][Pp]" + LWS + rb"/" + LWS + rb"\d\.\d" + LWS + rb"/" + LWS + rb"(" + TOKEN_CLASS + rb"+)"
    rb"[ \t\r\n]+(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9\-._]+)" + LWS + rb"(?::" + LWS + rb"(\d{1,5}))?" + LWS,
)

# CSeq = 1*DIGIT LWS Method
CSEQ = re.compile(LWS + rb"(\d+)[ \t\r\n]+(" + TOKEN_CLASS + rb"+)" + LWS)

# SIP-URI = "sip:" [ userinfo ] hostport uri-parameters [ headers ]
SIP_URI = re.compile(
    rb"(?P<scheme>[Ss][Ii][Pp][Ss]?):"
    rb"(?:(?P<user>[A-Za-z0-9\-_.!~*'()&=+$,;?/%#]+)(?::(?P<password>[A-Za-z0-9\-_.!~*'()&=+$,%]*))?@)?"
    rb"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9\-._]+)(?::(?P<port>\d{1,5}))?"
    rb"(?P<params>(?:;[^;?\s<>\"]*)*)(?:\?(?P<headers>[^\s<>\"]*))?"
)
# absoluteURI = scheme ":" ( hier-part / opaque-part )
ANY_URI = re.compile(rb"([A-Za-z][A-Za-z0-9+\-.]*):([^\s<>\"]*)")

# word = 1*(alphanum / "-" / "." / "!" / "%" / "*" / "_" / "+" / "`" / "'" / "~" / "(" / ")" / "<" / ">" / ":" /
#           "\" / DQUOTE / "/" / "[" / "]" / "?" / "{" / "}" )
# callid = word [ "@" word ]
_WORD = rb"[A-Za-z0-9\-.!%*_+`'~()<>:\\\"/\[\]?{}]+"
CALL_ID = re.compile(_WORD + rb"(?:@" + _WORD + rb")?")
