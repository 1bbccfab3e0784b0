"""What a forwarded message still tells, and whom.

The catalogue says which of the lines that left disclose something. Beside them stands what no privacy setting can
take away: that there is a call, whom it is for, and, as long as there is no media relay, where the media goes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from config.vocabulary import Category, Zone
from filters.catalogue import Catalogue
from proxy.message import Message
from proxy.pack import ANONYMOUS
from proxy.party import Party
from proxy.routing import Network
from proxy.uri import parse_sip_uri
from tap.compare import fields
from tap.explain import Crossed
from tap.explain_rewrite import read
from tap.field_facts import facts

NO_RELAY = "no media relay is configured"
#: Lines of a response that its receiver wrote itself, in its request.
_ECHOED = frozenset(("start", "via", "from", "to", "call-id", "cseq"))
#: What of a session description tells where media goes, or with what key; each the sender's own.
_MEDIA = {
    "c=": "media address",
    "m=": "media port and codecs",
    "a=candidate": "media address (ICE candidate)",
    "a=remote-candidates": "media address (ICE candidate)",
    "a=rtcp": "media port",
    "a=ice-ufrag": "random name of the media session",
    "a=ice-pwd": "random password of the media session",
    "a=fingerprint": "fingerprint of the media certificate: the same in every call if the phone keeps its certificate",
    "a=tls-id": "random name of the media's TLS association",
    "a=zrtp-hash": "hash of the first message of the media's key agreement: another in every call",
    "a=crypto": "key of the media: without it the far side hears nothing",
    "a=ssrc": "random number of the media stream",
    "a=rtpmap": "codecs",
    "a=fmtp": "codecs",
}
_TOPOLOGY = frozenset(("contact", "record-route", "route", "via", "path", "service-route"))
_BY_NATURE = frozenset(("max-forwards", "max-breadth", "content-length", "content-type"))


class Disclosure(NamedTuple):
    """Something that the receiver of a message learns."""

    what: str
    field: str
    """Where it stands; empty for what no field says."""
    value: str
    category: str
    """Data category, or empty."""
    whom: str


def whom(party: Party | None) -> str:
    """Return who a party is, in words."""
    if party is None:
        return "this proxy itself"
    if party.trunk is not None:
        trust = "trusted" if party.trunk.trusted else "untrusted"
        kind = "emergency trunk" if party.trunk.emergency else "trunk"
        return f"{kind} {party.trunk.name} ({trust})"
    return "the operator's core (trusted)" if party.zone is Zone.CORE else "the phone (access, untrusted)"


def disclosures(crossed: Crossed, catalogue: Catalogue, network: Network) -> list[Disclosure]:
    """Return what the receiver of a forwarded message learns from it."""
    sent, received = read(crossed.sent), read(crossed.received)
    if sent is None or received is None:
        return []
    reader = _Reader(crossed, sent, received, catalogue, network)
    found = [*_of_the_fact(crossed, sent)]
    for field, text in fields(crossed.sent):
        if not (sent.status and field in _ECHOED):
            found += reader.line(field, text)
    kind = (sent.value(b"content-type") or b"").decode("utf-8", "replace")
    if sent.body and not sent.body.startswith(b"v=") and "multipart" not in kind:
        found.append(Disclosure("message body", "body", kind, "content", whom(crossed.receiver)))
    return list(dict.fromkeys(found))


def _of_the_fact(crossed: Crossed, sent: Message) -> Iterator[Disclosure]:
    receiver = whom(crossed.receiver)
    host, port = crossed.to.local
    method = (sent.method or sent.cseq_method).decode("ascii", "replace")
    if method == "INVITE" and sent.method:
        yield Disclosure("that there is a call: when, and how long it lasts", "", "", "", receiver)
    elif sent.method:
        yield Disclosure(f"that there is a {method}, and when", "", "", "", receiver)
    yield Disclosure("this proxy's own address, as the sender's", "", f"{host}:{port}", "", receiver)


class _Reader:
    """Reads what the lines of one message disclose."""

    def __init__(
        self, crossed: Crossed, sent: Message, received: Message, catalogue: Catalogue, network: Network
    ) -> None:  # fmt: skip
        self._sent, self._received = sent, received
        self._catalogue, self._network = catalogue, network
        self._to = whom(crossed.receiver)
        trusted = crossed.receiver is not None and crossed.receiver.zone is Zone.CORE
        self._beyond = f"{self._to if trusted else self._to + ' and whoever it passes them to'}: {NO_RELAY}"

    def line(self, field: str, text: str) -> Iterator[Disclosure]:
        """Yield what a line of the message discloses."""
        value = text.partition(":")[2].strip() if "=" not in field and field != "start" else text
        if field in _MEDIA:
            category = "network" if "address" in _MEDIA[field] else ""
            yield Disclosure(_MEDIA[field], field, value, category, self._beyond)
        elif field in ("start", "to"):
            what = "whom the message is for: the number or address dialled"
            yield Disclosure(what, "Request-URI" if field == "start" else "To", value, "number", self._to)
        elif field == "from":
            yield from _of_from(value, self._sent, self._received, self._to)
        elif field in _TOPOLOGY:
            if not _is_ours(field, value, self._network):
                yield Disclosure("address in the sender's network", field, value, "network", self._to)
        else:
            yield from self._other(field, value)

    def _other(self, field: str, value: str) -> Iterator[Disclosure]:
        if field == "call-id":
            if self._sent.call_id == self._received.call_id:
                yield Disclosure("the sender's own Call-ID", "Call-ID", value, "network", self._to)
            return
        if field == "cseq":
            yield Disclosure("a count that both ends agree on (RFC 3261 §12.2)", "CSeq", value, "", self._to)
            return
        known = facts(field, self._catalogue)
        if known.categories and not _is_neutral(field, value, _own_hosts(self._network)):
            categories = " and ".join(category.name.lower() for category in known.categories)
            yield Disclosure(f"{categories}, in a field that was let through", field, value, categories, self._to)
        elif not known.categories and field not in _BY_NATURE and "=" not in field:
            what = "what the sender's software can do: no personal data, but together it may tell the make"
            if field == "privacy":
                what = "that the sender asks for privacy"
            yield Disclosure(what, field, value, "", self._to)


def _of_from(value: str, sent: Message, received: Message, receiver: str) -> Iterator[Disclosure]:
    if sent.from_.uri != ANONYMOUS.uri:
        yield Disclosure("who sends it", "From", value, Category.NUMBER.name.lower(), receiver)
        if sent.from_.display:
            yield Disclosure("the sender's name", "From", value, Category.NAME.name.lower(), receiver)
    if sent.from_tag and sent.from_tag == received.from_tag:
        tag = sent.from_tag.decode("utf-8", "replace")
        yield Disclosure("the tag that the sender chose for this dialog", "From", tag, "", receiver)


def _own_hosts(network: Network) -> frozenset[str]:
    """Return the hosts that lines of a description hold when this proxy has put itself there."""
    return frozenset(listener.address for listener in network.settings.listeners) | {
        listener.advertised.host for listener in network.settings.listeners if listener.advertised
    }


def _is_neutral(field: str, text: str, ours: frozenset[str]) -> bool:
    """Tell whether a line of a description says nothing any more: `s=-`, `o=- … our own address`."""
    value = text[2:].strip()
    if field == "o=":
        parts = value.split()
        return len(parts) == 6 and parts[0] == "-" and parts[5] in ours
    return field in ("s=", "i=") and value in ("-", "")


def _is_ours(field: str, value: str, network: Network) -> bool:
    """Tell whether a Contact, Route or Via value names this proxy."""
    if field == "via":
        host = value.partition(" ")[2].partition(";")[0].strip()
        return _named(f"sip:{host}", network)
    inner = value.partition("<")[2].partition(">")[0] or value.partition(";")[0]
    return value == "*" or _named(inner, network)


def _named(uri: str, network: Network) -> bool:
    parsed = parse_sip_uri(uri.encode("utf-8", "backslashreplace"))
    return parsed is not None and network.is_us(parsed.host, parsed.port)
