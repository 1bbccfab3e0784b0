"""From, To and Request-URI as the far side may see them (RFC 3323 §4.1.1.3, standards.md §2.4)."""

from __future__ import annotations

import pytest

from config.vocabulary import Action, Category
from filters.address import outward
from proxy.headers import NameAddr
from proxy.policy import KEEP_ALL, pack

NAME, NUMBER, NETWORK = Category.NAME, Category.NUMBER, Category.NETWORK
ACTIONS = {NAME: Action.ANONYMISE, NUMBER: Action.ANONYMISE, NETWORK: Action.SEAL}
ALICE = NameAddr(b'"Alice"', b"sip:+15550123@pc33.atlanta.example:5062;epid=0013", b"")
ANONYMOUS = NameAddr(b'"Anonymous"', b"sip:anonymous@anonymous.invalid", b"")
DOMAIN = b"sip.example.net"
OURS = b"sip:+15550123@sip.example.net"


def seen(original: NameAddr, *hidden: Category, is_from: bool = True, domain: bytes = DOMAIN) -> NameAddr:
    return outward(original, pack({category: ACTIONS[category] for category in hidden}), domain, is_from=is_from)


@pytest.mark.parametrize(
    ("hidden", "from_", "to"),
    [
        ((), ALICE, ALICE),
        ((NAME,), ALICE._replace(display=b""), ALICE._replace(display=b"")),
        ((NUMBER,), ANONYMOUS, ALICE),
        ((NETWORK,), ALICE._replace(uri=OURS), ALICE._replace(uri=OURS)),
        ((NAME, NUMBER), ANONYMOUS, ALICE._replace(display=b"")),
        ((NAME, NETWORK), NameAddr(b"", OURS, b""), NameAddr(b"", OURS, b"")),
        ((NUMBER, NETWORK), ANONYMOUS, ALICE._replace(uri=OURS)),
        ((NAME, NUMBER, NETWORK), ANONYMOUS, NameAddr(b"", OURS, b"")),
    ],
)
def test_name_number_and_network_are_hidden_apart(hidden: tuple[Category, ...], from_: NameAddr, to: NameAddr) -> None:
    """A hidden number is the exact anonymous form in From; in To it is what the call is for, and stays."""
    assert seen(ALICE, *hidden) == from_
    assert seen(ALICE, *hidden, is_from=False) == to


@pytest.mark.parametrize("category", set(Category) - set(ACTIONS))
def test_other_categories_leave_it_as_it_is(category: Category) -> None:
    """Equal to what came: the core then sends the received bytes."""
    assert outward(ALICE, pack({category: Action.REMOVE}), DOMAIN, is_from=True) == ALICE
    assert outward(ALICE, KEEP_ALL, DOMAIN, is_from=True) == ALICE


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        (b"sip:alice@10.1.1.23:5062;transport=udp", b"sip:alice@sip.example.net"),
        (b"sip:alice:secret@10.1.1.23", b"sip:alice@sip.example.net"),
        (b"sips:alice@atlanta.example", b"sips:alice@sip.example.net"),
        (b"SIP:alice@atlanta.example", b"sip:alice@sip.example.net"),
        (b"sip:alice@[2001:db8::23]:5060;maddr=10.0.0.1", b"sip:alice@sip.example.net"),
        (b"sip:pc33.atlanta.example;lr", b"sip:sip.example.net"),
        (b"sip:alice@atlanta.example?Subject=secret", b"sip:alice@sip.example.net"),
        (b"sip:%61lice%20l@atlanta.example", b"sip:%61lice%20l@sip.example.net"),
        # RFC 3261 §19.1.1: the user part is a number; §19.1.4: parameters compare without regard to case
        (b"sip:+15550123@gw.example;user=phone", b"sip:+15550123@sip.example.net;user=phone"),
        (b"sip:+15550123@gw.example;x=1;User=PHONE", b"sip:+15550123@sip.example.net;user=phone"),
        (b"sip:+15550123@gw.example;user=ip", b"sip:+15550123@sip.example.net"),
        # RFC 4904 §4, RFC 3966 §3, RFC 4694: what stands behind the number within the user part
        (b"sip:+15550123;tgrp=T-7;trunk-context=+1@gw.example;user=phone", b"sip:+15550123@sip.example.net;user=phone"),
        (b"sip:0123;phone-context=+1555@gw.example", b"sip:0123@sip.example.net"),
        (b"sip:+15550123;isub=1;rn=+1666;npdi@gw.example", b"sip:+15550123@sip.example.net"),
        # RFC 3966 §3, and RFC 3261 §19.1.6 for the SIP URI that stands for it
        (b"tel:+1-555-0123", b"sip:+1-555-0123@sip.example.net;user=phone"),
        (b"TEL:0123;phone-context=pbx.example;ext=9", b"sip:0123@sip.example.net;user=phone"),
        # RFC 5031 §3: labels have digits and hyphens; §4.2 names sos.animal-control
        (b"urn:service:sos", b"urn:service:sos"),
        (b"URN:service:SOS.fire", b"URN:service:SOS.fire"),
        (b"urn:service:sos.animal-control", b"urn:service:sos.animal-control"),
        (b"urn:service:test.sos.police", b"urn:service:test.sos.police"),
    ],
)
def test_a_uri_keeps_user_or_number_and_nothing_else(uri: bytes, expected: bytes) -> None:
    """Towards whom the network is hidden: host, port, password, and every parameter but user=phone go."""
    assert seen(NameAddr(b"", uri, b""), NETWORK).uri == expected
    assert seen(NameAddr(b"", uri, b""), NETWORK, is_from=False).uri == expected


@pytest.mark.parametrize(
    "uri",
    [
        b"sip:", b"sip:alice@", b"sip:a@b@c", b"sip:alice@host:99999", b"sip:a?b@host", b"sip:a%zz@host", b"nonsense",
        b"tel:", b"tel:alice", b"tel:+1(555)secret", b"mailto:alice@example.com", b"http://alice.example/",
        b"urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6", b"urn:service:", b"urn:service:sos..fire", b"urn:service:-x",
        b"urn:service:sos@10.1.1.23",
    ],
)  # fmt: skip
def test_what_is_not_understood_becomes_anonymous(uri: bytes) -> None:
    """Never passed on as it came: the anonymous URI of RFC 3323 §4.1.1.3 in its place."""
    assert seen(NameAddr(b"", uri, b""), NETWORK).uri == ANONYMOUS.uri


@pytest.mark.parametrize("domain", [b"[2001:db8::1]:5060", b"[2001:db8::1]", b"192.0.2.1:5060", b"trunk.example"])
def test_the_domain_stands_as_it_is_given(domain: bytes) -> None:
    """host[:port] with its brackets (RFC 3261 §25.1)."""
    assert seen(ALICE, NETWORK, domain=domain).uri == b"sip:+15550123@" + domain
    assert seen(NameAddr(b"", b"tel:+1", b""), NETWORK, domain=domain).uri == b"sip:+1@" + domain + b";user=phone"
