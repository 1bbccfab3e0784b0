"""Frames, and who gets which datagram."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy import handover
from proxy.flow import Flow
from proxy.handover import LONGEST_HEADER, Framer, Sorter
from proxy.matching import owner

LISTENERS = [("192.0.2.1", 5060), ("2001:db8::1", 5060)]
FLOW = Flow("UDP", LISTENERS[0], ("10.1.1.23", 5062))


@given(st.binary(max_size=200), st.sampled_from(LISTENERS), st.ip_addresses().map(str), st.integers(0, 65535))
def test_a_frame_is_the_datagram_and_where_it_was_read(
    data: bytes, local: tuple[str, int], address: str, port: int
) -> None:
    """What the other end reads is what this one was given."""
    flow = Flow("UDP", local, (address, port))
    sender, receiver = Framer(LISTENERS), Framer(LISTENERS)
    for _ in range(2):  # made, then kept
        frame = sender.frame(data, flow, 5.5)
        assert len(frame) <= len(data) + LONGEST_HEADER
        assert receiver.read(frame) == (data, flow, 5.5)


def test_a_scope_survives() -> None:
    """A link-local phone is answered on its own link."""
    flow = Flow("UDP", LISTENERS[1], ("fe80::1%eth0", 5060))
    assert Framer(LISTENERS).read(Framer(LISTENERS).frame(b"x", flow, 5.5)) == (b"x", flow, 5.5)


@given(st.binary(max_size=16))
def test_anything_else_is_no_frame(data: bytes) -> None:
    """ValueError and nothing worse, or a frame by accident."""
    try:
        Framer(LISTENERS).read(data)
    except ValueError:
        return
    assert data[8] < len(LISTENERS)


def test_an_unknown_listener_is_no_frame() -> None:
    """A header that names one that is not there."""
    frame = bytearray(Framer(LISTENERS).frame(b"x", FLOW, 5.5))
    frame[8] = 7
    with pytest.raises(ValueError, match="no frame"):
        Framer(LISTENERS).read(bytes(frame))


def test_forged_peers_fill_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Full, the stores begin anew, on both ends."""
    monkeypatch.setattr(handover, "KNOWN_PEERS", 4)
    framer = Framer(LISTENERS)
    for port in range(1, 20):
        flow = FLOW._replace(peer=("10.1.1.1", port))
        assert framer.read(framer.frame(b"x", flow, 5.5)) == (b"x", flow, 5.5)
        assert len(framer._headers) <= 4
        assert len(framer._flows) <= 4


def message(branch: bytes) -> bytes:
    return b"OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/UDP x;branch=" + branch + b"\r\n\r\n"


def test_each_datagram_goes_to_its_owner_and_nowhere_else() -> None:
    """Ours to the core, the other's into its hands."""
    ours: list[bytes] = []
    theirs: list[tuple[int, bytes]] = []
    sorter = Sorter(
        1, 3, receive=lambda data, flow, now: ours.append(data),
        hand_over=lambda worker, data, flow, now: theirs.append((worker, data)), own=frozenset(LISTENERS),
    )  # fmt: skip
    sent = [message(b"z9hG4bK%d" % number) for number in range(30)]
    for data in sent:
        sorter.receive(data, FLOW, 0.0)
    assert ours == [data for data in sent if owner(data, 3) == 1]
    assert theirs == [(owner(data, 3), data) for data in sent if owner(data, 3) != 1]


def test_what_we_sent_ourselves_goes_by_our_letter() -> None:
    """A request to our own address belongs to the worker that made its branch."""
    theirs: list[int] = []
    sorter = Sorter(
        0, 3, receive=lambda data, flow, now: theirs.append(0),
        hand_over=lambda worker, data, flow, now: theirs.append(worker), own=frozenset(LISTENERS),
    )  # fmt: skip
    for letter in (b"a", b"b", b"c"):
        sorter.receive(message(b"z9hG4bK" + letter + b"xxxx"), FLOW._replace(peer=LISTENERS[0]), 0.0)
    assert theirs == [0, 1, 2]
