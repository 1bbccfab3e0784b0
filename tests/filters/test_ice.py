"""Of all the addresses that a phone gathers, one a component arrives, and that as it tells least."""

from __future__ import annotations

import pytest

from filters.ice import Places, is_ip6, with_chosen

PLACES: Places = {b"1": (b"198.51.100.1", b"4000"), b"2": (b"198.51.100.1", b"4001")}
HOST = "Hc0a80105 1 UDP 2130706431 192.168.1.5 4000 typ host"
HOST_RTCP = "Hc0a80105 2 UDP 2130706430 192.168.1.5 4001 typ host"
PUBLIC = "H1 1 UDP 2130706431 203.0.113.5 5000 typ host"
SRFLX = "Sc0a80105 1 UDP 1694498815 198.51.100.7 40000 typ srflx raddr 192.168.1.5 rport 4000 generation 0"
RELAY = "R1 1 udp 16777215 198.51.100.9 50000 typ relay raddr 192.168.1.5 rport 4000 network-id 1"
TCP = "T1 1 tcp 16777215 198.51.100.9 9 typ host tcptype active"
MDNS = "x 1 udp 1 8f2f7c1a-0b0c-4c1e-9d2e-1f2a3b4c5d6e.local 1 typ host"


def chosen(*candidates: str, fragment: bool = False, places: Places = PLACES) -> list[str]:
    """Return the candidates that are left of a section that has nothing else."""
    section = [b"a=candidate:" + candidate.encode() for candidate in candidates]
    return [line.decode().removeprefix("a=candidate:") for line in with_chosen(section, places, fragment=fragment)]


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
    assert chosen(*candidates) == left


def test_the_rest_of_the_section_keeps_its_order() -> None:
    """The one that remains stands where the first of all stood; a section without any is the same object."""
    section = [b"m=audio 4000 RTP/AVP 0", b"a=mid:0", b"a=candidate:" + HOST.encode(), b"a=ptime:20"]
    section += [b"a=candidate:" + RELAY.encode(), b"a=sendrecv"]
    kept = with_chosen(section, PLACES, fragment=False)
    assert [line[:13] for line in kept] == [section[0][:13], b"a=mid:0", b"a=candidate:4", b"a=ptime:20", b"a=sendrecv"]
    assert with_chosen(others := [b"a=mid:0"], PLACES, fragment=False) is others


def test_a_trickled_private_host_falls() -> None:
    """RFC 8840: no default stands beside a fragment's candidates, so nothing needs a private address."""
    assert chosen(HOST, fragment=True) == []
    assert chosen(HOST, PUBLIC, fragment=True) == ["1 1 UDP 2130706431 203.0.113.5 5000 typ host"]
    assert chosen(SRFLX, fragment=True)[0].startswith("3 1 UDP 1694498815 198.51.100.7")


@pytest.mark.parametrize(
    ("text", "expected"),
    [(b"2001:db8::1", True), (b"::", True), (b"[::1]", False), (b"10.0.0.1", False), (b"abcd", False)],
)
def test_ipv6_is_told_from_what_only_looks_like_it(text: bytes, expected: bool) -> None:
    """RFC 4291 §2.2, without brackets."""
    assert is_ip6(text) is expected
