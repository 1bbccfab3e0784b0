"""The location service by itself: ends, flows that come and go, and what the journal hears."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from proxy.bindings import Binding, Bindings
from proxy.flow import Flow
from proxy.guard import source_of
from proxy.timers import TimerWheel
from tests.phones import ALICE_AOR

LOCAL = ("192.0.2.1", 5060)
ONE, TWO = Flow("TCP", LOCAL, ("10.0.0.1", 40001), 1), Flow("TCP", LOCAL, ("10.0.0.1", 40002), 2)
EPOCH = 1000
"""The wall clock is so far ahead."""


def binding(flow: Flow = ONE, until: float = 3600.0, **changes: object) -> Binding:
    made = Binding(b"sip:a@1.2.3.4", 1000, b"call", 1, until, flow, instance=b"<urn:x>", reg_id=1, since=EPOCH)
    return made._replace(**changes)  # type: ignore[arg-type]


class Heard:
    """A journal."""

    def __init__(self) -> None:
        self.lines: list[tuple[bytes, int]] = []

    def write(self, aor: bytes, bindings: tuple[Binding, ...], now: float) -> None:
        self.lines.append((aor, len(bindings)))


@pytest.fixture
def table() -> Bindings:
    table = Bindings(TimerWheel(0.0), EPOCH)
    table.journal = Heard()
    return table


def test_a_connection_takes_its_bindings_along(table: Bindings) -> None:
    table.replace(ALICE_AOR, (binding(ONE), binding(TWO, reg_id=2)), 0.0)
    table.replace(b"other@example.net", (binding(ONE),), 0.0)
    table.closed(ONE, 1.0)
    assert [each.flow for each in table.of(ALICE_AOR)] == [TWO]
    assert (len(table), table.addresses) == (1, 1)
    assert isinstance(table.journal, Heard)
    assert sorted(table.journal.lines[2:]) == [(ALICE_AOR, 1), (b"other@example.net", 0)]
    table.closed(ONE, 1.0)
    assert len(table.journal.lines) == 4


def test_bindings_are_counted_by_source(table: Bindings) -> None:
    """Through changes, ends and lost connections; what is behind an edge proxy is nobody's."""
    far = Flow("TCP", LOCAL, ("10.0.0.2", 40002), 2)
    table.replace(ALICE_AOR, (binding(ONE), binding(far, reg_id=2)), 0.0)
    table.replace(b"other@example.net", (binding(ONE), binding(far, path=(b"sip:edge;lr",))), 0.0)
    assert [table.from_source(source_of(each)) for each in (ONE, far)] == [2, 1]
    table.replace(ALICE_AOR, (binding(ONE),), 1.0)
    assert [table.from_source(source_of(each)) for each in (ONE, far)] == [2, 0]
    table.closed(ONE, 2.0)
    assert [table.from_source(source_of(each)) for each in (ONE, far)] == [0, 0]
    assert table._sources == {}


def test_flows_of_phones_with_outbound(table: Bindings) -> None:
    table.replace(ALICE_AOR, (binding(ONE, reg_id=1),), 0.0)
    table.replace(b"other@example.net", (binding(TWO, reg_id=1, path=(b"sip:edge;lr",)),), 0.0)
    assert (table.is_outbound(ONE), table.is_outbound(TWO)) == (True, False)
    table.replace(ALICE_AOR, (binding(ONE, reg_id=0),), 1.0)
    assert not table.is_outbound(ONE)


def test_a_renewed_binding_is_not_removed(table: Bindings) -> None:
    """A call that failed at the old one finds out late."""
    old, new = binding(ONE), binding(TWO, cseq=2)
    table.replace(ALICE_AOR, (new,), 0.0)
    table.lost(ALICE_AOR, old.flow, (), 1.0)
    assert table.of(ALICE_AOR) == (new,)
    table.lost(ALICE_AOR, new.flow, (b"sip:edge;lr",), 1.0)
    assert table.of(ALICE_AOR) == (new,)
    table.lost(ALICE_AOR, new.flow, (), 1.0)
    assert table.of(ALICE_AOR) == ()
    table.lost(ALICE_AOR, new.flow, (), 1.0)


def test_a_phone_is_followed_to_its_new_flow(table: Bindings) -> None:
    table.replace(ALICE_AOR, (binding(ONE),), 0.0)
    assert table.current(ONE, EPOCH) == ONE
    table.replace(ALICE_AOR, (binding(TWO, since=EPOCH + 10),), 10.0)
    assert table.current(ONE, EPOCH + 5) == TWO
    assert table.current(TWO, EPOCH + 5) == TWO


def test_a_dead_flow_is_found_again_when_the_phone_is_back(table: Bindings) -> None:
    table.replace(ALICE_AOR, (binding(ONE),), 0.0)
    table.closed(ONE, 10.0)
    assert table.current(ONE, EPOCH + 5) is None
    table.replace(ALICE_AOR, (binding(TWO),), 12.0)
    assert table.current(ONE, EPOCH + 5) == TWO


def test_nobody_is_taken_for_the_phone_that_had_a_flow_before(table: Bindings) -> None:
    """A NAT gives the same port to another phone, which is in dialogs of its own: those are not the first one's."""
    table.replace(ALICE_AOR, (binding(ONE),), 0.0)
    table.replace(ALICE_AOR, (binding(TWO),), 10.0)
    assert table.current(ONE, EPOCH + 11) == ONE
    assert table.current(ONE, EPOCH - 1) == ONE
    table.replace(b"other@example.net", (binding(ONE, since=EPOCH + 20),), 20.0)
    assert table.current(ONE, EPOCH + 5) == ONE


def test_another_instance_is_another_phone(table: Bindings) -> None:
    table.replace(ALICE_AOR, (binding(ONE),), 0.0)
    table.replace(ALICE_AOR, (binding(TWO, instance=b"<urn:y>"),), 10.0)
    assert table.current(ONE, EPOCH + 5) is None


def test_without_an_instance_the_call_id_tells(table: Bindings) -> None:
    """A phone keeps it for all its registrations (RFC 3261 §10.2)."""
    table.replace(ALICE_AOR, (binding(ONE, instance=b"", reg_id=0),), 0.0)
    table.replace(ALICE_AOR, (binding(TWO, instance=b"", reg_id=0, uri=b"sip:b@1.2.3.4"),), 10.0)
    assert table.current(ONE, EPOCH + 5) == TWO


def test_the_flow_of_an_edge_proxy_is_nobodys(table: Bindings) -> None:
    table.replace(ALICE_AOR, (binding(ONE, path=(b"sip:edge;lr",)),), 0.0)
    table.replace(ALICE_AOR, (binding(TWO),), 10.0)
    assert table.current(ONE, EPOCH + 5) == ONE


def test_ends_are_told_to_the_journal() -> None:
    wheel = TimerWheel(0.0)
    table = Bindings(wheel, EPOCH)
    table.journal = heard = Heard()
    table.replace(ALICE_AOR, (binding(until=60.0), binding(TWO, reg_id=2, until=90.0)), 0.0)
    wheel.advance(61.0)
    wheel.advance(91.0)
    assert heard.lines == [(ALICE_AOR, 2), (ALICE_AOR, 1), (ALICE_AOR, 0)]
    assert len(wheel) == 0


def test_what_the_journal_says_is_not_told_it() -> None:
    table = Bindings(TimerWheel(0.0), EPOCH)
    table.journal = heard = Heard()
    table.replace(ALICE_AOR, (binding(),), 0.0, known=True)
    assert (heard.lines, len(table)) == ([], 1)


class Crew:
    """Other workers; we own what begins with an a."""

    def __init__(self) -> None:
        self.log: list[tuple[object, ...]] = []
        self.news: list[Callable[[], None]] = []

    def owns(self, aor: bytes) -> bool:
        return aor.startswith(b"a")

    def changed(self, aor: bytes, bindings: tuple[Binding, ...]) -> None:
        self.log.append(("changed", aor, len(bindings)))

    def lost(self, aor: bytes, flow: Flow, path: tuple[bytes, ...]) -> None:
        self.log.append(("lost", aor, flow))

    def catch_up(self) -> None:
        while self.news:
            self.news.pop()()


THEIRS = b"bob@example.net"
FAR = TWO._replace(connection=(1 << 32) + 2)


def test_the_others_are_told_by_the_owner_alone(table: Bindings) -> None:
    """What others tell, and what ends by itself with what they own, goes no further."""
    crew = table.others = Crew()
    table.replace(ALICE_AOR, (binding(ONE),), 0.0)
    table.replace(THEIRS, (binding(ONE), binding(FAR, reg_id=2)), 0.0, known=True)
    table.closed(ONE, 1.0)
    assert crew.log == [("changed", ALICE_AOR, 1), ("changed", ALICE_AOR, 0)]
    table.lost(THEIRS, FAR, (), 1.0)
    assert crew.log[2:] == [("lost", THEIRS, FAR)]
    assert isinstance(table.journal, Heard)
    assert {aor for aor, _ in table.journal.lines} == {ALICE_AOR}
    assert len(table) == 0
    assert (table.owns(ALICE_AOR), table.owns(THEIRS)) == (True, False)


def test_what_was_told_before_is_known(table: Bindings) -> None:
    """By whatever way it is asked for."""
    crew = table.others = Crew()

    def told() -> None:
        table.replace(THEIRS, (binding(ONE),), 5.0, known=True)

    crew.news.append(told)
    recorded = table.recorded(ONE)
    assert recorded is not None
    crew.news.append(lambda: table.replace(THEIRS, (binding(TWO),), 6.0, known=True))
    assert table.current(ONE, EPOCH + 5) == TWO
    crew.news.append(lambda: table.replace(THEIRS, (binding(FAR),), 7.0, known=True))
    assert table.found_again(recorded) == FAR


def test_a_worker_takes_its_connections_along(table: Bindings) -> None:
    """Nobody else's, and no datagrams."""
    udp = Flow("UDP", LOCAL, ("10.0.0.1", 5062))
    table.replace(ALICE_AOR, (binding(ONE), binding(FAR, reg_id=2), binding(udp, reg_id=3)), 0.0)
    table.worker_ended(1, 1.0)
    assert [each.flow for each in table.of(ALICE_AOR)] == [ONE, udp]
    table.worker_ended(0, 2.0)
    assert [each.flow for each in table.of(ALICE_AOR)] == [udp]
    assert table.own_addresses(4, len) == []
    assert table.own_addresses(len(ALICE_AOR), len) == [ALICE_AOR]
