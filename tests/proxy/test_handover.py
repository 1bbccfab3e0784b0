"""Frames, and who gets which datagram."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.settings import Limits
from proxy import handover
from proxy.flow import Flow
from proxy.handover import LONGEST_HEADER, MOST_NAMES, Framer, Matter, Owners, Sorter, StreamSorter
from proxy.matching import owner
from proxy.registration_owner import owner_of_address
from tests.phones import ALICE_AOR, Phone

ADDRESSES = [("192.0.2.1", 5060), ("2001:db8::1", 5060)]
LISTENERS = [(transport, address) for transport in ("UDP", "TLS") for address in ADDRESSES]
FLOW = Flow("UDP", ADDRESSES[0], ("10.1.1.23", 5062))
STREAM = Flow("TLS", ADDRESSES[1], ("10.1.1.23", 40_001), (3 << 32) + 7, ("one.example.net", "münchen.example"))
LIMITS = Limits()


@given(st.binary(max_size=200), st.sampled_from(ADDRESSES), st.ip_addresses().map(str), st.integers(0, 65535))
def test_a_frame_is_the_datagram_and_where_it_was_read(
    data: bytes, local: tuple[str, int], address: str, port: int
) -> None:
    """What the other end reads is what this one was given."""
    flow = Flow("UDP", local, (address, port))
    sender, receiver = Framer(LISTENERS), Framer(LISTENERS)
    for _ in range(2):  # made, then kept
        frame = sender.frame(data, flow, 5.5)
        assert len(frame) <= len(data) + LONGEST_HEADER
        assert receiver.read(frame) == (Matter.ARRIVED, data, flow, 5.5)


def test_a_scope_survives() -> None:
    """A link-local phone is answered on its own link."""
    flow = Flow("UDP", ADDRESSES[1], ("fe80::1%eth0", 5060))
    assert Framer(LISTENERS).read(Framer(LISTENERS).frame(b"x", flow, 5.5)) == (Matter.ARRIVED, b"x", flow, 5.5)


@given(st.binary(max_size=16))
def test_anything_else_is_no_frame(data: bytes) -> None:
    """ValueError and nothing worse, or a frame by accident."""
    try:
        Framer(LISTENERS).read(data)
    except ValueError:
        return
    assert data[9] < len(LISTENERS)


def test_an_unknown_listener_is_no_frame() -> None:
    """A header that names one that is not there."""
    frame = bytearray(Framer(LISTENERS).frame(b"x", FLOW, 5.5))
    frame[9] = 7
    with pytest.raises(ValueError, match="no frame"):
        Framer(LISTENERS).read(bytes(frame))


def test_forged_peers_fill_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Full, the stores begin anew, on both ends."""
    monkeypatch.setattr(handover, "KNOWN_PEERS", 4)
    framer = Framer(LISTENERS)
    for port in range(1, 20):
        flow = FLOW._replace(peer=("10.1.1.1", port))
        assert framer.read(framer.frame(b"x", flow, 5.5)) == (Matter.ARRIVED, b"x", flow, 5.5)
        assert len(framer._headers) <= 4
        assert len(framer._flows) <= 4


def message(branch: bytes) -> bytes:
    return b"OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/UDP x;branch=" + branch + b"\r\n\r\n"


def test_each_datagram_goes_to_its_owner_and_nowhere_else() -> None:
    """Ours to the core, the other's into its hands."""
    ours: list[bytes] = []
    theirs: list[tuple[int, bytes]] = []

    def hand_over(worker: int, data: bytes, flow: Flow, now: float) -> bool:
        theirs.append((worker, data))
        return True

    sorter = Sorter(
        1, Owners(3, lambda: LIMITS, registers=False), receive=lambda data, flow, now: ours.append(data),
        hand_over=hand_over, own=frozenset(ADDRESSES),
    )  # fmt: skip
    sent = [message(b"z9hG4bK%d" % number) for number in range(30)]
    for data in sent:
        sorter.receive(data, FLOW, 0.0)
    assert ours == [data for data in sent if owner(data, 3) == 1]
    assert theirs == [(owner(data, 3), data) for data in sent if owner(data, 3) != 1]


def test_what_we_sent_ourselves_goes_by_our_letter() -> None:
    """A request to our own address belongs to the worker that made its branch."""
    theirs: list[int] = []

    def hand_over(worker: int, data: bytes, flow: Flow, now: float) -> bool:
        theirs.append(worker)
        return True

    sorter = Sorter(
        0, Owners(3, lambda: LIMITS, registers=False), receive=lambda data, flow, now: theirs.append(0),
        hand_over=hand_over, own=frozenset(ADDRESSES),
    )  # fmt: skip
    for letter in (b"a", b"b", b"c"):
        sorter.receive(message(b"z9hG4bK" + letter + b"xxxx"), FLOW._replace(peer=ADDRESSES[0]), 0.0)
    assert theirs == [0, 1, 2]


# --- connections


@pytest.mark.parametrize("matter", list(Matter))
def test_a_frame_of_a_connection_has_its_number_and_names(matter: Matter) -> None:
    """What decides whose a message is goes along; so does what is to become of it."""
    for flow in (STREAM, STREAM._replace(identity=()), FLOW, Flow("TLS", ADDRESSES[0], ("", 0))):
        frame = Framer(LISTENERS).frame(b"x", flow, 5.5, matter)
        assert Framer(LISTENERS).read(frame) == (matter, b"x", flow, 5.5)


def test_listeners_of_one_address_are_told_apart() -> None:
    framer = Framer(LISTENERS)
    flows = [Flow(transport, ADDRESSES[0], ("10.1.1.1", 5060)) for transport in ("UDP", "TLS")]
    assert [framer.read(framer.frame(b"", flow, 0.0))[2] for flow in flows] == flows


@pytest.mark.parametrize("flow", [STREAM._replace(identity=("x" * MOST_NAMES, "y")), STREAM._replace(transport="TCP")])
def test_what_fits_no_header_is_an_error(flow: Flow) -> None:
    """A certificate with ever so many names, and a listener that is not there."""
    with pytest.raises(ValueError, match="no flow"):
        Framer(LISTENERS).frame(b"x", flow, 0.0)


class Side:
    """A core, and the ways to other workers, that remember."""

    def __init__(self, *, full: bool = False, takes: bool = True) -> None:
        self.log: list[tuple[object, ...]] = []
        self._full, self._takes = full, takes

    def receive(self, data: bytes, flow: Flow, now: float) -> None:
        self.log.append(("ours", data))

    def unowned(self, data: bytes, flow: Flow, now: float) -> None:
        self.log.append(("refused", data))

    def unframed(self, data: bytes, flow: Flow, code: int, why: str) -> None:
        self.log.append(("unframed", code))


class CoreSide(Side):
    def undelivered(self, flow: Flow, data: bytes, now: float) -> None:
        self.log.append(("undelivered", data))

    def closed(self, flow: Flow, now: float) -> None:
        self.log.append(("closed", flow))

    def silence(self, flow: Flow) -> float:
        return 7.0


class WaysSide(Side):
    def takes(self, flow: Flow) -> bool:
        return self._takes

    def has(self, worker: int) -> bool:
        return worker in (0, 2)

    def hand_over(self, worker: int, data: bytes, flow: Flow, now: float) -> bool:
        self.log.append((worker, data))
        return not self._full

    def undelivered(self, worker: int, data: bytes, flow: Flow, now: float) -> None:
        self.log.append((worker, "undelivered", data))

    def closed(self, flow: Flow, now: float) -> None:
        self.log.append(("told", flow))


def sorter(core: CoreSide, ways: WaysSide, *, registers: bool = False) -> StreamSorter:
    owners = Owners(3, lambda: LIMITS, registers=registers)
    return StreamSorter(1, owners, core, ways, lambda host: host == "192.0.2.1")


def call(number: int, branch: bytes = b"z9hG4bKx") -> bytes:
    return message(branch)[:-2] + b"Call-ID: %d\r\n\r\n" % number


def test_messages_of_connections_go_by_the_same_rules() -> None:
    """A request by its Call-ID, a response by our branch: whichever connection brings it."""
    core, ways = CoreSide(), WaysSide()
    sorting = sorter(core, ways)
    sent = [call(number) for number in range(30)]
    sent += [b"SIP/2.0 200 OK" + call(1, b"z9hG4bK%cxxxxxxxxxxxx.l" % letter)[21:] for letter in b"abc"]
    for data in sent:
        sorting.receive(data, STREAM, 0.0)
    assert core.log == [("ours", data) for data in sent if owner(data, 3) == 1]
    assert ways.log == [(owner(data, 3), data) for data in sent if owner(data, 3) != 1]
    assert len(core.log) > 5
    assert len(ways.log) > 10


def test_what_we_sent_ourselves_by_a_connection_goes_by_our_letter() -> None:
    """The port says nothing there; and who is at our address and is not us goes by Call-ID."""
    for letter, where in ((b"a", 0), (b"c", 2)):
        core, ways = CoreSide(), WaysSide()
        data = call(7, b"z9hG4bK" + letter + b"x" * 12 + b".loop")
        sorter(core, ways).receive(data, STREAM._replace(peer=("192.0.2.1", 40_000)), 0.0)
        assert ways.log == [(where, data)]
    core, ways = CoreSide(), WaysSide()
    sorter(core, ways).receive(call(7), STREAM._replace(peer=("192.0.2.1", 40_000)), 0.0)
    assert (core.log or ways.log) == [("ours" if owner(call(7), 3) == 1 else owner(call(7), 3), call(7))]


def test_who_takes_nothing_more_costs_no_sender_a_timer() -> None:
    """Nothing is repeated over a connection, so it is answered here."""
    core, ways = CoreSide(), WaysSide(full=True)
    data = next(each for each in map(call, range(30)) if owner(each, 3) != 1)
    sorter(core, ways).receive(data, STREAM, 0.0)
    assert core.log == [("refused", data)]


def test_what_fits_no_frame_is_handled_where_it_was_read() -> None:
    core, ways = CoreSide(), WaysSide(takes=False)
    for number in range(9):
        sorter(core, ways).receive(call(number), STREAM, 0.0)
    assert (len(core.log), ways.log) == (9, [])


def test_what_never_left_is_told_whoever_has_the_transaction() -> None:
    """A response has another way from here; a branch of nobody's, or of a worker that there is not, is ours to drop."""
    core, ways = CoreSide(), WaysSide()
    theirs, none = call(1, b"z9hG4bKcxxxxxxxxxxxx.l"), call(1, b"z9hG4bKdxxxxxxxxxxxx.l")
    mine, answer = call(1, b"z9hG4bKbxxxxxxxxxxxx.l"), b"SIP/2.0 200 OK" + call(1)[21:]
    for data in (theirs, none, mine, answer):
        sorter(core, ways).undelivered(STREAM, data, 0.0)
    assert ways.log == [(2, "undelivered", theirs)]
    assert core.log == [("undelivered", data) for data in (none, mine, answer)]


def test_an_end_is_told_everybody() -> None:
    core, ways = CoreSide(), WaysSide()
    sorter(core, ways).closed(STREAM, 0.0)
    sorter(core, ways).unframed(b"x", STREAM, 400, "why")
    assert core.log == [("closed", STREAM), ("unframed", 400)]
    assert ways.log == [("told", STREAM)]
    assert sorter(core, ways).silence(STREAM) == 7.0


@pytest.mark.parametrize("before", [b"", b"\r\n", b"\r\n\r\n"])
def test_registers_go_by_their_address_and_nothing_else_does(before: bytes) -> None:
    """Over UDP and connections alike, behind empty lines too (RFC 3261 §7.5); who is no registrar sorts by Call-ID."""
    phone = Phone(("10.1.1.23", 5062))
    sent = [before + phone.register(call_id=b"%d@x" % number).data for number in range(20)]
    by_address = {Owners(3, lambda: LIMITS, registers=True).of(data, from_us=False) for data in sent}
    assert by_address == {owner_of_address(ALICE_AOR, 3)}
    assert len({Owners(3, lambda: LIMITS, registers=False).of(data, from_us=False) for data in sent}) == 3
    from_us = {Owners(3, lambda: LIMITS, registers=True).of(data, from_us=True) for data in sent}
    assert from_us == {owner(sent[0], 3, from_us=True)}
    where: list[int] = []

    def hand_over(worker: int, data: bytes, flow: Flow, now: float) -> bool:
        where.append(worker)
        return True

    sorting = Sorter(
        1, Owners(3, lambda: LIMITS, registers=True), receive=lambda data, flow, now: where.append(1),
        hand_over=hand_over, own=frozenset(ADDRESSES),
    )  # fmt: skip
    for data in sent:
        sorting.receive(data, FLOW, 0.0)
    assert set(where) == by_address
