"""Of all the addresses that a phone gathers, one a component arrives, and that as it tells least."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.ice import KINDS, Place, chosen, is_ip6, is_word
from filters.patterns import private_address

# RFC 8839 §5.1: foundation SP component-id SP transport SP priority SP connection-address SP port SP cand-type
# [SP rel-addr] [SP rel-port] *(SP cand-extension); RFC 6544 §4.5: SP "tcptype" SP type
CANDIDATE = re.compile(
    rb"a=candidate:\S{1,64} ([12]) (udp|tcp) (\d{1,10}) (\S{2,64}) (\d{1,5}) typ (host|srflx|prflx|relay)"
    rb"(?: raddr (\S+) rport \d+)?(?: tcptype (active|passive|so))?(?: .*)?",
    re.IGNORECASE,
)
PLACES: dict[bytes, Place] = {b"1": (b"198.51.100.1", b"4000"), b"2": (b"198.51.100.1", b"4001")}
HOST = "Hc0a80105 1 UDP 2130706431 192.168.1.5 4000 typ host"
HOST_RTCP = "Hc0a80105 2 UDP 2130706430 192.168.1.5 4001 typ host"
PUBLIC = "H1 1 UDP 2130706431 203.0.113.5 5000 typ host"
SRFLX = "Sc0a80105 1 UDP 1694498815 198.51.100.7 40000 typ srflx raddr 192.168.1.5 rport 4000 generation 0"
RELAY = "R1 1 udp 16777215 198.51.100.9 50000 typ relay raddr 192.168.1.5 rport 4000 network-id 1"
TCP = "T1 1 tcp 16777215 198.51.100.9 9 typ host tcptype active"
MDNS = "x 1 udp 1 8f2f7c1a-0b0c-4c1e-9d2e-1f2a3b4c5d6e.local 1 typ host"


def left_of(*candidates: str, fragment: bool = False) -> list[str]:
    """Return the candidates that are left of a section."""
    lines = [b"a=candidate:" + candidate.encode() for candidate in candidates]
    kept = chosen(lines, PLACES.__getitem__, fragment=fragment)
    return [line.decode().removeprefix("a=candidate:") for line in kept]


@pytest.mark.parametrize(
    ("candidates", "left"),
    [
        ([HOST], ["1 1 UDP 2130706431 192.168.1.5 4000 typ host"]),
        ([HOST, HOST_RTCP], ["1 1 UDP 2130706431 192.168.1.5 4000 typ host",
                             "1 2 UDP 2130706430 192.168.1.5 4001 typ host"]),
        ([HOST, PUBLIC], ["1 1 UDP 2130706431 203.0.113.5 5000 typ host"]),
        ([HOST, SRFLX], ["3 1 UDP 1694498815 198.51.100.7 40000 typ srflx raddr 0.0.0.0 rport 9"]),
        ([HOST, SRFLX, RELAY], ["4 1 udp 16777215 198.51.100.9 50000 typ relay raddr 0.0.0.0 rport 9"]),
        ([TCP, HOST], ["1 1 UDP 2130706431 192.168.1.5 4000 typ host"]),
        ([TCP], ["1 1 tcp 16777215 198.51.100.9 9 typ host tcptype active"]),
        (["x 1 udp 1 198.51.100.1 4000 typ host", RELAY], ["1 1 udp 1 198.51.100.1 4000 typ host"]),
        (["x 1 udp 1 2001:db8::1 1 typ srflx raddr fd00::1 rport 5"],
         ["3 1 udp 1 2001:db8::1 1 typ srflx raddr :: rport 9"]),
        ([MDNS, HOST], ["1" + MDNS[1:]]),
        (["x 1 udp 1 alices-laptop.local 1 typ host", HOST], ["1 1 UDP 2130706431 192.168.1.5 4000 typ host"]),
        (["x 1 udp 1 alice.example 1 typ host"], []),
        (["x 3 udp 1 192.0.2.1 1 typ host"], []),
        (["alice"], []),
    ],
)  # fmt: skip
def test_one_candidate_a_component(candidates: list[str], left: list[str]) -> None:
    """The one that c= and m= name (RFC 8839 §4.2.5), else relay, srflx, host; and none that tells more than it must."""
    assert left_of(*candidates) == left


def test_a_trickled_private_host_falls() -> None:
    """RFC 8840: no default stands beside a fragment's candidates, so nothing needs a private address."""
    assert left_of(HOST, fragment=True) == []
    assert left_of(HOST, PUBLIC, fragment=True) == ["1 1 UDP 2130706431 203.0.113.5 5000 typ host"]
    assert left_of(SRFLX, fragment=True)[0].startswith("3 1 UDP 1694498815 198.51.100.7")


places = st.sampled_from((*PLACES.values(), (b"192.168.1.5", b"4000"), (b"203.0.113.5", b"5000"), (b"fd00::1", b"1")))
well_formed = st.builds(
    lambda component, transport, place, kind: b"a=candidate:x %b %b 1 %b %b typ %b" % (
        component, transport, *place, kind
    ),
    st.sampled_from((b"1", b"2")), st.sampled_from((b"udp", b"UDP", b"tcp", b"Tcp")), places,
    st.sampled_from((*KINDS, b"Relay")),
)  # fmt: skip


def rank(line: bytes) -> tuple[bool, bool, int, bool]:
    """What counts, in its order, as standards.md §3.1 has it: the default, UDP, the type, a public address."""
    found = CANDIDATE.fullmatch(line)
    assert found
    return (
        (found[4], found[5]) == PLACES[found[1]], found[2].lower() == b"udp", KINDS[found[6].lower()],
        not private_address(found[4]),
    )  # fmt: skip


@given(st.lists(well_formed, max_size=8))
def test_the_best_of_each_component_is_chosen(lines: list[bytes]) -> None:
    """The number that candidates are ranked by orders them as the rule does, and the first of equals remains."""
    components = dict.fromkeys(line[14:15] for line in lines)
    best = [max((line for line in lines if line[14:15] == component), key=rank) for component in components]
    assert [line.split(b" ", 1)[1].lower() for line in chosen(lines, PLACES.__getitem__, fragment=False)] == [
        line.split(b" ", 1)[1].lower() for line in best
    ]


pieces = st.sampled_from(
    b"1|2|3|udp|TCP|ws|7|12345678901|123456|192.168.1.5|fd00::1|::|a.local|typ|Typ|host|RELAY|raddr|rport|tcptype|so|"
    b"activex|generation||a\tb|\v|x\x00|\xa0".split(b"|")
)
usual = st.tuples(
    st.sampled_from((b"a=candidate:x", b"a=candidate:" + b"x" * 65, b"a=candidate:", b"a=candidate:x\ty")),
    st.sampled_from((b"1", b"2", b"3")), st.sampled_from((b"udp", b"Tcp", b"ws")),
    st.sampled_from((b"1", b"12345678901", b"x")), st.sampled_from((b"192.0.2.1", b"fd00::1", b"::", b"a.local")),
    st.sampled_from((b"9", b"123456")), st.sampled_from((b"typ", b"TYP")), st.sampled_from((*KINDS, b"Host", b"hostx")),
).map(list)  # fmt: skip
ends = st.lists(
    st.sampled_from((
        [b"raddr", b"192.168.1.5", b"rport", b"5"], [b"RADDR", b"fd00::1", b"Rport", b"5"], [b"raddr", b"a", b"rport"],
        [b"raddr", b"", b"rport", b"5"], [b"tcptype", b"So"], [b"TCPTYPE", b"active"], [b"tcptype", b"activex"],
        [b"generation", b"0"], [b""], [b"raddr", b"a\tb", b"rport", b"5x"],
    )), max_size=3,
).map(lambda found: [word for words in found for word in words])  # fmt: skip


@given(usual, ends, st.lists(st.tuples(st.integers(0, 20), pieces), max_size=2))
def test_candidates_are_read_by_their_grammar(
    words: list[bytes], end: list[bytes], others: list[tuple[int, bytes]]
) -> None:
    """What no candidate is by RFC 8839 does not pass, and of what one is, each part in its place."""
    words = [*words, *end]
    for place, other in others:
        words[place : place + 1] = [other]
    line = b" ".join(words)
    found = CANDIDATE.fullmatch(line)
    kept = chosen([line], PLACES.__getitem__, fragment=False)
    if found is None or not (is_ip6(found[4]) or re.fullmatch(rb"[0-9.]+", found[4])):
        assert kept == []
        return
    kind = found[6].lower()
    expected = b"a=candidate:%d " % (KINDS[kind] + 1) + b" ".join((*found.groups()[:5], b"typ", kind))
    if found[7]:
        expected += b" raddr :: rport 9" if b":" in found[7] else b" raddr 0.0.0.0 rport 9"
    assert kept == [expected + b" tcptype " + found[8] if found[8] else expected]


def test_only_a_component_that_occurs_is_asked_for() -> None:
    """Where media goes without ICE is worked out once for each, and not where no candidate can be read."""
    asked: list[bytes] = []

    def default(component: bytes) -> Place:
        asked.append(component)
        return PLACES[component]

    lines = [b"a=candidate:" + line.encode() for line in (HOST, SRFLX, "alice")]
    assert len(chosen(lines, default, fragment=False)) == 1
    assert chosen([b"a=candidate", b"a=candidates:1"], default, fragment=False) == []
    assert asked == [b"1"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [(b"", True), (b"alice", True), (b"a\x00b\x1c\xa0", True), *((b"a%cb" % blank, False) for blank in b" \t\r\n\v\f")],
)
def test_a_word_has_no_white_space(text: bytes, expected: bool) -> None:
    """As `\\S*` of a regular expression of bytes has it."""
    assert is_word(text) is expected
    assert (re.fullmatch(rb"\S*", text) is not None) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [(b"2001:db8::1", True), (b"::", True), (b"[::1]", False), (b"10.0.0.1", False), (b"abcd", False)],
)
def test_ipv6_is_told_from_what_only_looks_like_it(text: bytes, expected: bool) -> None:
    """RFC 4291 §2.2, without brackets."""
    assert is_ip6(text) is expected
