"""Which transaction a message belongs to, our branches, and which worker a datagram is for."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.settings import Limits
from proxy.matching import looks_ours, loop_hash, make_branch, owner, server_key, worker_of
from proxy.message import Message
from proxy.parse import parse
from proxy.tokens import Tokens
from tests import strategies as sip
from tests.agents import ALICE, CARRIER
from tests.ladder import Ladder, Restart, Sent
from tests.world import World, keyring

LIMITS = Limits()
TOKENS = Tokens(keyring(3))
TARGET, HOP = b"sip:a@b", ("198.51.100.7", 5060)


def request(method: bytes = b"INVITE", via: bytes = b"10.1.1.23:5062;branch=z9hG4bKone", **changes: bytes) -> bytes:
    parts = {
        b"uri": b"sip:bob@example.com", b"tag": b"a", b"call_id": b"1@x", b"cseq": b"7",
        b"to": b"<sip:bob@example.com>",
        **{name.encode(): value for name, value in changes.items()},
    }  # fmt: skip
    return (
        b"%b %b SIP/2.0\r\nVia: SIP/2.0/UDP %b\r\nFrom: <sip:a@b>;tag=%b\r\nTo: %b\r\nCall-ID: %b\r\nCSeq: %b %b\r\n"
        b"Content-Length: 0\r\n\r\n"
    ) % (method, parts[b"uri"], via, parts[b"tag"], parts[b"to"], parts[b"call_id"], parts[b"cseq"], method)


def read(*args: bytes, **changes: bytes) -> Message:
    return parse(request(*args, **changes), LIMITS)


def branch(via: bytes = b"10.1.1.23:5062;branch=z9hG4bKone", worker: int = 0, loop: bytes = b"loop") -> bytes:
    return make_branch(TOKENS, server_key(read(via=via)), TARGET, HOP, loop, worker)


# --- server transactions


def test_branch_sent_by_and_method_identify_a_request() -> None:
    """RFC 3261 §17.2.3, rules 1 to 3; nothing else counts."""
    key = server_key(read())
    assert key == server_key(read(call_id=b"2", tag=b"b", cseq=b"8", uri=b"sip:other@x"))
    assert key != server_key(read(via=b"10.1.1.23:5062;branch=z9hG4bKtwo"))
    assert key != server_key(read(via=b"10.1.1.24:5062;branch=z9hG4bKone"))
    assert key != server_key(read(via=b"10.1.1.23:5063;branch=z9hG4bKone"))
    assert key != server_key(read(b"BYE"))


def test_ack_and_cancel_find_their_invite() -> None:
    """§17.2.3 rule 3 and §9.2."""
    assert server_key(read(b"ACK"), b"INVITE") == server_key(read())
    assert server_key(read(b"CANCEL"), b"INVITE") == server_key(read())


@pytest.mark.parametrize("via", [b"10.1.1.23:5062", b"10.1.1.23:5062;branch=old", b"iftgw.example.com;branch=1"])
def test_without_the_cookie_everything_that_identifies_the_request_counts(via: bytes) -> None:
    """§17.2.3 for RFC 2543: Request-URI, From tag, Call-ID, CSeq number, top Via; not the To tag."""
    key = server_key(read(via=via))
    assert key == server_key(read(via=via, to=b"<sip:bob@example.com>;tag=later"))
    assert key == server_key(read(b"ACK", via=via, to=b"<sip:bob@example.com>;tag=later"), b"INVITE")
    for change in ({"uri": b"sip:o@x"}, {"tag": b"b"}, {"call_id": b"2"}, {"cseq": b"8"}):
        assert key != server_key(read(via=via, **change))
    assert key != server_key(read(via=b"x" + via))


def test_old_and_new_keys_never_meet() -> None:
    """A sender cannot write a Call-ID that makes an RFC 2543 key look like another's."""
    for via in (b"a", b"a;branch=1"):
        assert not server_key(read(via=via)).startswith(b"z")
    assert server_key(read()).startswith(b"z9hG4bK")


def test_the_cookie_is_known_in_any_case() -> None:
    """Some write it in lower case; then the branch is still unique."""
    assert server_key(read(via=b"a;branch=Z9HG4BKone")) == b"Z9HG4BKone a:0 INVITE"


# --- our branches


def test_our_branch_is_a_token_with_the_cookie_the_worker_and_the_loop_hash() -> None:
    """§8.1.1.7 and RFC 5393 §4.2.1."""
    made = branch(worker=5)
    assert re.fullmatch(rb"z9hG4bKf[A-Za-z0-9_-]{12}\.loop", made)
    assert worker_of(made) == 5


@pytest.mark.parametrize("worker", [0, 1, 25, 26, 63])
def test_a_branch_names_its_worker(worker: int) -> None:
    """Sixty-four at most."""
    assert worker_of(branch(worker=worker)) == worker


@pytest.mark.parametrize("other", [b"", b"z9hG4bK", b"z9hG4bK=", b"old", b"Z9HG4BKaone"])
def test_branches_of_others_name_none(other: bytes) -> None:
    """-1."""
    assert worker_of(other) == -1


def test_a_restarted_node_makes_the_same_branch() -> None:
    """dialogs.md "Retransmission after restart": it repeats an INVITE, it does not place a second one."""
    again = make_branch(Tokens(keyring(3)), server_key(read()), TARGET, HOP, b"loop", 0)
    assert again == branch()
    ladder = Ladder(World()) >> ALICE.invite() << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    first = ladder[b"INVITE"]
    ladder = ladder >> Restart() >> ALICE.invite() << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    assert ladder[b"INVITE"] == first


def test_another_request_target_hop_or_key_makes_another_branch() -> None:
    """And nobody without the key can tell the branch of a request in advance."""
    key = server_key(read())
    made = {
        branch(),
        branch(via=b"10.1.1.23:5062;branch=z9hG4bKtwo"),
        make_branch(TOKENS, key, b"sip:c@d", HOP, b"loop", 0),
        make_branch(TOKENS, key, TARGET, ("198.51.100.8", 5060), b"loop", 0),
        make_branch(TOKENS, key + b" ACK", TARGET, HOP, b"loop", 0),
        make_branch(Tokens(keyring(4)), key, TARGET, HOP, b"loop", 0),
    }
    assert len(made) == 6


def test_the_loop_hash_is_over_what_decides_where_a_request_goes() -> None:
    """RFC 5393 §4.2.1: Request-URI, Routes and source, never the method."""
    same = loop_hash(TOKENS, read(), "access")
    assert same == loop_hash(TOKENS, read(b"OPTIONS", via=b"other;branch=z9hG4bKx", call_id=b"2"), "access")
    assert same != loop_hash(TOKENS, read(uri=b"sip:o@x"), "access")
    assert same != loop_hash(TOKENS, read(), "core")
    routed = parse(request().replace(b"From:", b"Route: <sip:x;lr>\r\nFrom:"), LIMITS)
    assert same != loop_hash(TOKENS, routed, "access")


# --- workers


@given(sip.requests, st.integers(1, 64))
def test_every_datagram_has_one_of_the_workers(data: bytes, workers: int) -> None:
    """Without being parsed."""
    assert 0 <= owner(data, workers) < workers
    assert owner(data, workers) == owner(data, workers)


@given(st.binary(max_size=300), st.integers(1, 64))
def test_any_bytes_have_a_worker(data: bytes, workers: int) -> None:
    """Garbage too, and it raises nothing."""
    assert 0 <= owner(data, workers) < workers


@given(st.integers(2, 64), st.text("abcdef0123456789", min_size=1, max_size=12).map(str.encode))
def test_retransmission_cancel_and_ack_have_the_invites_worker(workers: int, unique: bytes) -> None:
    """A hash of the Call-ID, which they have in common (§9.1, §17.1.1.3): compact, folded or spaced alike."""
    invite = request(call_id=unique)
    expected = owner(invite, workers)
    assert owner(request(b"ACK", call_id=unique, to=b"<sip:b@x>;tag=1"), workers) == expected
    assert owner(request(b"CANCEL", call_id=unique), workers) == expected
    assert owner(request(b"BYE", via=b"10.1.1.23;branch=z9hG4bKother", call_id=unique), workers) == expected
    for old, new in (
        (b"Call-ID: ", b"i:"),
        (b"Call-ID: ", b"CALL-ID : "),
        (b"Call-ID: ", b"Call-ID: \r\n  "),
        (b"Call-ID: ", b"Subject: x\r\nCall-ID:\t"),
        (unique + b"\r\n", unique + b" \r\n"),
        (b"\r\n", b"\n"),
    ):
        assert owner(invite.replace(old, new), workers) == expected


@given(st.integers(2, 64), st.text("abcdef0123456789", min_size=1, max_size=12).map(str.encode))
def test_an_rfc_2543_ack_has_its_invites_worker(workers: int, call_id: bytes) -> None:
    """No branch: the Call-ID is what they have in common."""
    invite = request(via=b"iftgw.example.com", call_id=call_id)
    assert owner(request(b"ACK", via=b"iftgw.example.com", call_id=call_id), workers) == owner(invite, workers)


@pytest.mark.parametrize("worker", [0, 1, 3])
def test_a_response_belongs_to_the_worker_in_our_branch(worker: int) -> None:
    """Whoever sent the request has its transaction."""
    via = b"192.0.2.1:5060;branch=" + branch(worker=worker)
    data = request(via=via).replace(b"INVITE sip:bob@example.com SIP/2.0", b"SIP/2.0 200 OK")
    assert owner(data, 4) == worker


@pytest.mark.parametrize("workers", [2, 3, 4, 8])
@pytest.mark.parametrize(
    "pattern",
    [
        b"%d-2345@127.0.0.1", b"a84b4c76-%d-2345@10.77.31.4", b"2345%d", b"%08x@10.1.1.23", b"1-%d",
        b"0015655e-a17b%04x-3b2f1c4d-5e6f7a8b@10.1.1.23", b"00000000-0000-4000-8000-%012x",
        b"%d@gateway-in-a-long-domain",
        b"call-of-a-carrier-with-a-long-fixed-name.sbc1.example.net-%06d",
    ],
)  # fmt: skip
def test_requests_spread_evenly(pattern: bytes, workers: int) -> None:
    """Counters in the Call-IDs of SIPp, telephones and carriers, wherever they stand."""
    owners = Counter(owner(request(call_id=pattern % nth), workers) for nth in range(1000, 3000))
    assert min(owners.values()) >= 0.8 * 2000 / workers, owners
    assert len(owners) == workers


@given(
    st.sampled_from([b"Via: ", b"v:", b"VIA : ", b"Max-Forwards: 70\r\nvia:\t"]),
    st.sampled_from([b";branch=", b" ; Branch = ", b";rport;x=y;branch=", b"\r\n ;branch=", b";branchy=1;branch="]),
    st.sampled_from([b"", b";rport", b" ;received=192.0.2.9", b" ", b", SIP/2.0/UDP x;branch=z9hG4bKy", b"\r\n\t;x"]),
    st.text("abcdef0123456789.-", min_size=1, max_size=12).map(str.encode),
)
def test_however_a_via_is_written_its_branch_decides(name: bytes, before: bytes, after: bytes, unique: bytes) -> None:
    """The quick way for what nearly everybody sends and the thorough one for the rest agree."""
    plain = request(via=b"10.1.1.23:5062;branch=z9hG4bK" + unique)
    odd = request(via=b"10.1.1.23:5062" + before + b"z9hG4bK" + unique + after).replace(b"Via: ", name, 1)
    response = plain.replace(b"INVITE sip:bob@example.com SIP/2.0", b"SIP/2.0 200 OK")
    odd_response = odd.replace(b"INVITE sip:bob@example.com SIP/2.0", b"SIP/2.0 200 OK")
    assert owner(odd_response, 64) == owner(response, 64)


@pytest.mark.parametrize("worker", [0, 1, 3])
def test_a_request_to_ourselves_belongs_to_who_sent_it(worker: int) -> None:
    """Only that worker knows from which side it came (`Core.looped`)."""
    data = request(via=b"192.0.2.1:5060;branch=" + branch(worker=worker))
    assert owner(data, 4, from_us=True) == worker


def test_a_branch_of_a_worker_that_is_no_more_has_an_owner() -> None:
    """Configured with fewer workers than before."""
    via = b"192.0.2.1:5060;branch=" + branch(worker=9)
    data = request(via=via).replace(b"INVITE sip:bob@example.com SIP/2.0", b"SIP/2.0 200 OK")
    assert owner(data, 2) == 1


def test_a_branch_of_ours_looks_like_one() -> None:
    """So that what a loop through another of our addresses brings back is told from what phones send."""
    tokens = Tokens(keyring())
    assert looks_ours(make_branch(tokens, b"key", b"sip:a@b", ("192.0.2.7", 5060), b"loophash", 0))
    assert looks_ours(make_branch(tokens, b"key", b"sip:a@b", ("192.0.2.7", 5060), b"", 63))
    for theirs in (b"z9hG4bK776asdhds", b"", b"z9hG4bK-524287-1---0123456789.ab", b"01234567890123456789."):
        assert not looks_ours(theirs)
