"""Counts of what sources and subscribers want, and bans: bounded, and of no use to who forges addresses."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.guard_section import Guard as Settings
from proxy.flow import Flow
from proxy.guard import BANS, PROVEN, Guard, Verdict, source_of
from tests.world import PROXY


def flow(host: str = "10.1.1.23", port: int = 5062, transport: str = "UDP") -> Flow:
    return Flow(transport, PROXY, (host, port), 0 if transport == "UDP" else 1)


def guard(workers: int = 1, **changes: object) -> Guard:
    return Guard(Settings.model_validate(changes), workers)


def sweep(of: Guard, where: Flow, now: float, first: int = 0, count: int = 250) -> bool:
    """Ask for many names in vain; tell whether that began a ban."""
    return 1 in [int(of.failed(where, b"sip:%d@x" % number, now)) for number in range(first, first + count)]


# --- how much a source may ask for


def test_a_source_has_its_burst_and_then_its_rate() -> None:
    limited = guard(source_rate=2, source_burst=3)
    assert [limited.admit(flow(), 0.0) for _ in range(4)] == [Verdict.PASS] * 3 + [Verdict.LIMITED]
    assert limited.active
    assert [limited.admit(flow(), 1.0) for _ in range(3)] == [Verdict.PASS] * 2 + [Verdict.LIMITED]
    assert limited.admit(flow("10.1.1.24"), 1.0) is Verdict.PASS, "each source by itself"
    assert limited.admit(flow(port=9), 1.0) is Verdict.LIMITED, "an address is one source, whatever its ports"


def test_it_is_judged_beforehand_without_being_counted() -> None:
    limited = guard(source_rate=2, source_burst=1)
    limited.admit(flow(), 0.0)
    limited.admit(flow(), 0.0)
    assert [limited.judge(flow(), 0.1) for _ in range(3)] == [Verdict.LIMITED] * 3
    assert limited.judge(flow(), 0.6) is Verdict.PASS
    assert limited.admit(flow(), 0.6) is Verdict.PASS


def test_no_limit_is_none() -> None:
    free = guard(source_rate=0, source_burst=1)
    assert {free.admit(flow(), 0.0) for _ in range(5000)} == {Verdict.PASS}
    assert not free.active


def test_workers_share_the_limits() -> None:
    """The requests of one source are spread among them by Call-ID."""
    one = guard(workers=4, source_rate=0.001, source_burst=400)
    assert [one.admit(flow(), 0.0) for _ in range(101)].count(Verdict.PASS) == 100
    assert sweep(guard(workers=4, sweep=200), flow(), 0.0, count=60)
    assert not sweep(guard(workers=4, sweep=200), flow(), 0.0, count=45)
    assert not sweep(guard(workers=4, sweep=5), flow(), 0.0, count=4)


def test_an_ipv6_customer_is_one_source() -> None:
    """RFC 6177 §2: a /64 at least is one customer's, who may have a new address for each datagram."""
    assert source_of(flow("2001:db8:1:2:3:4:5:6")) == source_of(flow("2001:db8:1:2::9")) == "2001:db8:1:2"
    assert source_of(flow("2001:db8::1")) == "2001:db8:0:0"
    assert source_of(flow("::1")) == "0:0:0:0"
    assert source_of(flow("fe80::1%eth0")) == "fe80:0:0:0"
    assert source_of(flow("2001:0db8:0001:0002::")) == "2001:db8:1:2"


@given(st.ip_addresses(v=6))
def test_every_ipv6_address_has_its_prefix(address: object) -> None:
    text = str(address)
    expected = ":".join(group.lstrip("0") or "0" for group in address.exploded.split(":")[:4])  # type: ignore[attr-defined]
    assert source_of(flow(text)) == expected


# --- how much a subscriber may ask for


def test_a_subscriber_has_calls_and_messages_a_minute() -> None:
    limited = guard(subscriber_calls=2, subscriber_messages=1)
    assert [bool(limited.admit_subscriber(b"alice", b"INVITE", 0.0)) for _ in range(3)] == [False, False, True]
    assert [bool(limited.admit_subscriber(b"alice", b"MESSAGE", 0.0)) for _ in range(2)] == [False, True]
    assert not limited.admit_subscriber(b"bob", b"INVITE", 0.0)
    assert not limited.admit_subscriber(b"alice", b"OPTIONS", 0.0)
    wait = limited.admit_subscriber(b"alice", b"INVITE", 0.0)
    assert not limited.admit_subscriber(b"alice", b"INVITE", float(wait)), "it says when to come again"


# --- who asks in vain


def test_a_sweep_is_a_ban_that_ends() -> None:
    banning = guard(ban=60)
    assert not sweep(banning, flow(), 0.0, count=150)
    assert banning.judge(flow(), 0.0) is Verdict.PASS
    assert sweep(banning, flow(), 1.0, first=150)
    assert banning.admit(flow(), 2.0) is Verdict.BANNED
    assert banning.admit(flow(port=999), 2.0) is Verdict.BANNED
    assert banning.admit(flow("10.1.1.24"), 2.0) is Verdict.PASS
    assert banning.admit(flow(), 61.5) is Verdict.PASS
    banning.tick(62.0)
    assert not banning.active


def test_who_begins_again_is_banned_for_longer_and_peace_is_remembered_too() -> None:
    banning = guard(ban=60, ban_longest=200, window=600)

    def length(begin: float) -> float:
        assert sweep(banning, flow(), begin)
        end = begin
        while banning.judge(flow(), end) is Verdict.BANNED:
            end += 1
            banning.tick(end)
        return end - begin

    assert [length(begin) for begin in (0.0, 100.0, 300.0)] == [60, 120, 200]
    assert length(600.0 + 3 * 600) == 60, "each window in peace takes one back"


def test_the_same_name_again_and_again_is_no_sweep() -> None:
    """A phone that is set up wrongly asks for one number for ever, and 100 of them behind one address for 100."""
    banning = guard()
    for _ in range(50):
        assert not sweep(banning, flow(), 0.0, count=100)


def test_a_window_forgets() -> None:
    """Some misdialled numbers an hour are not a sweep, however many hours pass."""
    banning = guard(window=600)
    assert not any(sweep(banning, flow(), hour * 3600.0, first=hour * 100, count=100) for hour in range(20))


def test_a_shared_address_whose_phones_have_their_passwords_is_no_sweep() -> None:
    """Each is challenged once and comes again with credentials: 1,000 phones behind one address."""
    banning = guard()
    for number in range(1000):
        name = b"sip:%d@sip.example.net" % number
        assert not banning.failed(flow(port=1024 + number), name, 0.0)
        banning.retried(flow(port=1024 + number), name)


def test_a_sweep_with_wrong_passwords_is_one() -> None:
    """Credentials alone are no excuse: what fails again counts again."""
    banning = guard()

    def attempt(name: bytes) -> bool:
        first = banning.failed(flow(), name, 0.0)
        banning.retried(flow(), name)
        return banning.failed(flow(), name, 0.0) or first

    assert True in [attempt(b"sip:%d@x" % number) for number in range(250)]


def test_scanners_may_be_let_alone() -> None:
    assert not sweep(guard(scanners="off"), flow(), 0.0)
    assert not sweep(guard(enabled=False), flow(), 0.0)


# --- what an attacker can do with forged addresses


def test_a_phone_that_hears_us_is_in_no_ban_of_its_address() -> None:
    """Neither when somebody behind the same address scans, nor when somebody forges it."""
    banning = guard()
    banning.proved(flow())
    assert sweep(banning, flow(port=9), 0.0)
    assert banning.admit(flow(port=9), 1.0) is Verdict.BANNED
    assert banning.admit(flow(), 1.0) is Verdict.PASS


def test_a_phone_that_hears_us_has_a_limit_of_its_own() -> None:
    """So who uses up that of its address takes nothing from it."""
    limited = guard(source_rate=1, source_burst=2)
    limited.proved(flow())
    assert [limited.admit(flow(port=9), 0.0) for _ in range(3)][-1] is Verdict.LIMITED
    assert limited.judge(flow(), 0.0) is Verdict.PASS
    assert [limited.admit(flow(), 0.0) for _ in range(3)] == [Verdict.PASS] * 2 + [Verdict.LIMITED]
    assert limited.judge(flow(), 0.0) is Verdict.LIMITED


def test_a_forged_datagram_does_nothing_to_a_connection() -> None:
    banning = guard()
    assert sweep(banning, flow(), 0.0)
    assert banning.admit(flow(transport="TCP"), 1.0) is Verdict.PASS


def test_a_flood_from_forged_addresses_shuts_nobody_out() -> None:
    """More sources than are remembered: the eldest are forgotten, nobody is refused, and the table stays as it is."""
    flooded = guard(sources=1024)
    tracemalloc.start()
    for number in range(5000):
        flooded.admit(flow(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"), 0.0)
    before = tracemalloc.get_traced_memory()[0]
    verdicts = set()
    for number in range(5000, 40_000):
        verdicts.add(flooded.admit(flow(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"), 0.0))
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert verdicts == {Verdict.PASS}
    assert grown < 100_000


def test_bans_are_bounded() -> None:
    """There is room for so many; of further sources none is banned."""
    banning = guard(sweep=5, sources=1_048_576)
    begun = 0
    for number in range(BANS + 50):
        where = flow(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
        begun += [banning.failed(where, b"%d" % name, 0.0) for name in range(7)].count(True)
    assert begun == BANS
    banning.tick(1.0)
    assert banning.sizes()[0] == BANS
    banning.tick(5000.0)
    assert banning.sizes() == (0, 0)
    assert sweep(banning, flow("10.200.1.1"), 5001.0, count=20), "and there is room again"


def test_what_a_source_takes_up_is_bounded() -> None:
    """1,024 bits for its names, however many it asks for."""
    banning = guard(sweep=500)
    sweep(banning, flow(), 0.0, count=400)
    bucket = banning._buckets.get("10.1.1.23")
    assert bucket is not None
    assert bucket.names.bit_length() <= 1024


def test_who_was_heard_is_bounded() -> None:
    """Each port of an address may prove that it hears us; who did so last is remembered."""
    heard = guard()
    for number in range(PROVEN + 1000):
        heard.proved(flow(f"10.1.{number >> 16}.1", number & 65535))
    assert len(heard._proven) <= PROVEN
    assert heard.has_proved(flow(f"10.1.{number >> 16}.1", number & 65535))
    assert not heard.has_proved(flow("10.1.0.1", 0))


def test_time_that_stands_still_or_goes_back_gives_nothing() -> None:
    """Monotonic time does neither; a bucket that met both would not overflow."""
    limited = guard(source_rate=1, source_burst=2)
    limited.admit(flow(), 10.0)
    limited.admit(flow(), 5.0)
    assert limited.admit(flow(), 5.0) is Verdict.LIMITED


@pytest.mark.parametrize("change", [{"enabled": False}, {"source_rate": 0}])
def test_new_settings_hold_at_once(change: dict[str, object]) -> None:
    limited = guard(source_rate=1, source_burst=1)
    for _ in range(3):
        limited.admit(flow(), 0.0)
    assert limited.active
    limited.obey(Settings.model_validate(change))
    assert limited.judge(flow(), 0.5) is Verdict.PASS or not limited.active
