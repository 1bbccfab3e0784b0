"""GRUUs open for their instance alone and tell nobody which that is. Calls by them are in test_registered.py."""

from __future__ import annotations

from proxy import gruu
from proxy.bindings import Binding
from proxy.flow import udp_flow
from proxy.tokens import Tokens
from proxy.uri import SipUri, parse_sip_uri
from tests.phones import ALICE_AOR
from tests.world import keyring

TOKENS = Tokens(keyring(3))
BINDING = Binding(
    b"sip:a@1.2.3.4", 1000, b"call@phone", 7, 100.0, udp_flow(("192.0.2.1", 5060), "1.2.3.4", 5060),
    instance=b"<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>",
)  # fmt: skip


def uri(text: bytes) -> SipUri:
    parsed = parse_sip_uri(text)
    assert parsed is not None
    return parsed


def means(text: bytes, binding: Binding, tokens: Tokens = TOKENS) -> bool:
    opened = gruu.open_gruu(tokens, uri(text))
    return opened is not None and opened.aor == ALICE_AOR and gruu.means(tokens, opened, binding)


def test_both_reach_the_instance() -> None:
    for text in gruu.make(TOKENS, ALICE_AOR, BINDING):
        assert gruu.is_gruu(uri(text))
        assert means(text, BINDING)
        assert b"f81d4fae" not in text
        assert not means(text, BINDING._replace(instance=b"<urn:other>"))
        assert not means(text, BINDING._replace(instance=b""))


def test_the_temporary_one_changes_and_ends() -> None:
    """Another one with each REGISTER, all of them for as long as the Call-ID stays (RFC 5627 §4.3)."""
    public, temporary = gruu.make(TOKENS, ALICE_AOR, BINDING)
    later = BINDING._replace(cseq=8)
    assert gruu.make(TOKENS, ALICE_AOR, later)[0] == public
    assert gruu.make(TOKENS, ALICE_AOR, later)[1] != temporary
    assert means(temporary, later)
    assert not means(temporary, BINDING._replace(call_id=b"new@phone"))
    assert means(public, BINDING._replace(call_id=b"new@phone"))
    assert b"alice" not in temporary


def test_an_older_key_still_opens() -> None:
    texts = gruu.make(TOKENS, ALICE_AOR, BINDING)
    assert all(means(text, BINDING, Tokens(keyring(3, 4))) for text in texts)
    assert not any(means(text, BINDING, Tokens(keyring(4))) for text in texts)


def test_one_does_not_pass_for_the_other() -> None:
    public, temporary = (uri(text) for text in gruu.make(TOKENS, ALICE_AOR, BINDING))
    swapped = b"sip:%b@example.net;gr" % (public.param(b"gr") or b"")
    assert gruu.open_gruu(TOKENS, uri(swapped)) is None
    assert gruu.open_gruu(TOKENS, uri(b"sip:alice@example.net;gr=" + temporary.user)) is None
    assert gruu.open_gruu(TOKENS, uri(b"sip:alice@example.net;gr=urn:uuid:f81d4fae")) is None
    assert gruu.open_gruu(TOKENS, uri(b"sip:alice@example.net;gr")) is None
