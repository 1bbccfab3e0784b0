"""Dialog records: every field comes back, within budget, in sizes that tell little (dialogs.md)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.vocabulary import Zone
from proxy.errors import Malformed
from proxy.flow import Flow
from proxy.headers import NameAddr
from proxy.pack import ANONYMOUS
from proxy.places import alone
from proxy.record import (
    BUCKETS,
    HARD_LIMIT,
    MAX_FIELD,
    MAX_ROUTES,
    Binding,
    End,
    Mark,
    Mould,
    Record,
    RecordTooBig,
    decode,
    encode,
    fit,
)
from tests import strategies as sip

TYPICAL = Record(
    marks=Mark.FROM_CALLER,
    issued=1_790_000_000,
    caller=End(Zone.ACCESS),
    callee=End(Zone.TRUNK, 0xDEADBEEF),
    to_callee=0o777777777777,
    to_caller=0o123456701234,
    subscriber=b"subscr",
    call=b"callid",
    fingerprint=b"fingerpr",
    target=b"sip:alice@10.1.1.23:5062",
    flow=Flow("UDP", ("192.0.2.1", 5060), ("10.1.1.23", 5062)),
    from_original=NameAddr(b'"Alice Liddell"', b"sip:+15550100@sip.example.net", b""),
    from_outward=ANONYMOUS,
    to_original=NameAddr(b'"Bob"', b"sip:+15550199@sip.example.net", b""),
    to_outward=NameAddr(b"", b"sip:+15550199@198.51.100.7", b""),
)


@given(sip.records)
def test_every_field_comes_back(record: Record) -> None:
    """dialogs.md "What a record holds"."""
    try:
        payload = encode(record, HARD_LIMIT)
    except RecordTooBig:
        return
    decoded = decode(payload)
    if len(payload) < HARD_LIMIT - 256:
        assert decoded == record
    assert decoded.replace(from_original=None, to_original=None, to_outward=None) == record.replace(
        from_original=None, to_original=None, to_outward=None
    )


@given(sip.records, st.integers(64, HARD_LIMIT))
def test_at_every_budget_only_names_and_to_are_lost(record: Record, budget: int) -> None:
    """Over budget the display names leave first, then the To URIs, then the record is refused."""
    try:
        payload = encode(record, budget)
    except RecordTooBig:
        return
    decoded = decode(payload)

    def bare(address: NameAddr | None) -> NameAddr | None:
        return address and address._replace(display=b"")

    nameless = record.replace(from_original=bare(record.from_original), to_original=bare(record.to_original))
    assert decoded in (record, nameless, nameless.replace(to_original=None, to_outward=None))


@given(sip.records, st.integers(64, HARD_LIMIT))
def test_payloads_come_in_buckets_within_the_budget(record: Record, budget: int) -> None:
    """Padded to size buckets, so that a token's length tells little; never padded beyond what the hop takes."""
    try:
        payload = encode(record, budget)
    except RecordTooBig:
        return
    assert len(payload) in BUCKETS
    assert len(payload) <= next(size for size in BUCKETS if size >= budget)


@given(sip.records, st.integers(0, 2**32 - 1), st.integers(64, HARD_LIMIT), st.booleans())
def test_a_mould_makes_what_the_plain_form_makes(record: Record, issued: int, budget: int, whole: bool) -> None:
    """Or leaves it to that; the second one of a mould as the first, and the fields as the bytes."""
    mould = Mould(record, issued, alone(record.node, record.worker))
    plain = mould.record(record.marks, record.flow, record.target, record.routes, whole=whole)
    if whole:
        assert plain == record.replace(issued=issued)
    else:
        nobody = dict.fromkeys(("from_original", "from_outward", "to_original", "to_outward", "binding"))
        assert plain == record.replace(issued=issued, call_id=b"", **nobody)
    for target in (record.target, b"sip:other@h", record.target):
        made = mould.make(record.marks, record.flow, target, record.routes, budget, whole=whole)
        if made is None:
            continue
        payload, kept = made
        assert (payload, plain.replace(target=target)) == fit(plain.replace(target=target), budget)
        assert decode(payload) == plain.replace(target=target)
        assert kept in (None, decode(payload))
        assert kept is not None or record.flow is None or record.flow.transport != "UDP"


@given(sip.records, st.integers(64, MAX_FIELD))
def test_a_mould_leaves_to_the_plain_form_what_does_not_fit_as_it_is(record: Record, budget: int) -> None:
    """Names that must leave, streams, and nothing else."""
    flow, record = record.flow, record.replace(node=0, worker=0)
    made = Mould(record, record.issued).make(record.marks, flow, record.target, record.routes, budget, whole=True)
    if made is not None:
        return
    try:
        _, written = fit(record, budget)
    except RecordTooBig:
        return
    assert written != record or flow is None or flow.transport != "UDP"


def test_a_mould_refuses_what_the_plain_form_refuses() -> None:
    """dialogs.md: fields are length-limited, for either form."""
    mould = Mould(TYPICAL, TYPICAL.issued)
    long = b"sip:" + b"x" * MAX_FIELD
    assert mould.make(0, TYPICAL.flow, long, (), HARD_LIMIT, whole=True) is None, "it may be shortened there"
    with pytest.raises(RecordTooBig):
        encode(TYPICAL.replace(target=long), HARD_LIMIT)
    for target, routes in (
        (b"sip:a@h", (b"sip:" + b"x" * MAX_FIELD,)),
        (b"sip:a@h", (b"sip:h;lr",) * (MAX_ROUTES + 1)),
    ):
        with pytest.raises(RecordTooBig):
            mould.make(0, TYPICAL.flow, target, routes, HARD_LIMIT, whole=True)
        with pytest.raises(RecordTooBig):
            encode(TYPICAL.replace(target=target, routes=routes), HARD_LIMIT)


def test_names_that_are_too_long_matter_only_where_they_are_written() -> None:
    """A Contact token holds none: a MESSAGE from a long URI has one all the same."""
    mould = Mould(TYPICAL.replace(from_original=NameAddr(b"", b"sip:" + b"x" * MAX_FIELD, b"")), 5)
    assert mould.make(0, TYPICAL.flow, b"sip:a@h", (), 160, whole=False) is not None
    for _ in range(2):
        with pytest.raises(RecordTooBig):
            mould.make(0, TYPICAL.flow, b"sip:a@h", (), 160, whole=True)


def test_a_typical_udp_record_is_made_without_the_plain_form() -> None:
    """Else the mould would save nothing."""
    made = Mould(TYPICAL, 5).make(TYPICAL.marks, TYPICAL.flow, TYPICAL.target, (), 320, whole=True)
    assert made is not None
    assert made[1] == TYPICAL.replace(issued=5)


def test_a_typical_udp_record_loses_at_most_its_names_within_the_budget_of_160() -> None:
    """dialogs.md: 160 bytes towards a UDP hop by default; both URIs of both parties fit it."""
    decoded = decode(encode(TYPICAL, 160))
    assert decoded.to_original is not None
    assert decoded.to_outward == TYPICAL.to_outward


@pytest.mark.parametrize(
    ("budget", "names", "to"),
    [(HARD_LIMIT, True, True), (144, True, True), (128, False, True), (96, False, False)],
)
def test_display_names_leave_first_and_the_to_uri_next(budget: int, names: bool, to: bool) -> None:
    """The order of dialogs.md "What a record holds"."""
    decoded = decode(encode(TYPICAL, budget))
    assert decoded.from_original is not None
    assert bool(decoded.from_original.display) is names
    assert (decoded.to_original is not None) is to
    assert (decoded.to_outward is not None) is to
    assert decoded.target == TYPICAL.target


def test_what_does_not_fit_at_all_is_refused() -> None:
    """513 is the answer (dialogs.md)."""
    with pytest.raises(RecordTooBig) as caught:
        encode(TYPICAL.replace(routes=(b"sip:" + b"r" * 200 + b"@h;lr",)), 160)
    assert caught.value.code == 513


@pytest.mark.parametrize(
    "change",
    [
        {"target": b"sip:" + b"x" * MAX_FIELD},
        {"routes": (b"sip:" + b"x" * MAX_FIELD,)},
        {"routes": (b"sip:h;lr",) * (MAX_ROUTES + 1)},
        {"call_id": b"x" * (MAX_FIELD + 1)},
        {"from_original": NameAddr(b"", b"sip:" + b"x" * MAX_FIELD, b"")},
        {"binding": Binding(b"x" * (MAX_FIELD + 1), b"", 1)},
        {"binding": Binding(b"", b"x" * (MAX_FIELD + 1), 1)},
    ],
)
def test_fields_are_limited_before_sealing(change: dict[str, object]) -> None:
    """dialogs.md: fields are length-limited; what a peer wrote cannot blow a record up."""
    with pytest.raises(RecordTooBig):
        encode(TYPICAL.replace(**change), HARD_LIMIT)


def test_a_display_name_beyond_the_limit_is_left_out() -> None:
    """A name is the first thing that can be spared."""
    long = TYPICAL.replace(from_original=NameAddr(b'"' + b"x" * MAX_FIELD + b'"', b"sip:a@h", b""))
    assert decode(encode(long, HARD_LIMIT)).from_original == NameAddr(b"", b"sip:a@h", b"")


@given(sip.records, st.data())
def test_a_record_cut_short_is_malformed(record: Record, data: st.DataObject) -> None:
    """Only a mistake of ours can cause it; it raises, and never makes up fields."""
    try:
        payload = encode(record, HARD_LIMIT).rstrip(b"\0")
    except RecordTooBig:
        return
    cut = payload[: data.draw(st.integers(0, min(len(payload), 36)))]
    with pytest.raises(Malformed):
        decode(cut)


@pytest.mark.parametrize("transport", ["TCP", "TLS", "WS", "WSS"])
def test_streams_carry_node_worker_and_connection(transport: str) -> None:
    """dialogs.md: for TCP, TLS and WebSocket the flow (node, worker, connection) and the binding."""
    flow = Flow(transport, ("2001:db8::1", 5061), ("2001:db8::23", 40000), (63 << 32) + 4_000_000_000)
    record = TYPICAL.replace(flow=flow, node=513, worker=63, binding=Binding(b"sip:a@h", b"<urn:uuid:1>", 1))
    assert decode(encode(record, HARD_LIMIT)) == record


def test_a_record_serves_one_side() -> None:
    """The side whose requests it serves, and the side they go to."""
    assert (TYPICAL.near, TYPICAL.far) == (TYPICAL.caller, TYPICAL.callee)
    other = TYPICAL.replace(marks=0)
    assert (other.near, other.far) == (TYPICAL.callee, TYPICAL.caller)


@given(sip.ends, sip.ends)
def test_ends_have_contexts_of_their_own(one: End, other: End) -> None:
    """What is sealed for one trunk opens for that trunk only."""
    assert (one.pack() == other.pack()) is (one == other)


def test_over_the_budget_push_parameters_leave_before_names() -> None:
    """What wakes a phone is not needed on its own flow (RFC 8599 §4.1), what calls a caller by name is."""
    short = TYPICAL.target + b";transport=udp"
    woken = TYPICAL.replace(target=short + b";pn-provider=fcm;pn-prid=" + b"x" * 80)
    assert fit(woken, HARD_LIMIT)[1] == woken, "where there is room the target is what the phone wrote"
    assert fit(woken, 160)[1] == TYPICAL.replace(target=short)
    decoded = decode(encode(woken.replace(target=woken.target + b"x" * MAX_FIELD), HARD_LIMIT))
    assert decoded.target == short, "longer than any field may be"
    with pytest.raises(RecordTooBig):
        fit(TYPICAL.replace(target=b"sip:a@h;x=" + b"x" * MAX_FIELD), HARD_LIMIT)
    mould = Mould(TYPICAL, TYPICAL.issued)
    for size in (80, MAX_FIELD):
        assert mould.make(0, TYPICAL.flow, short + b";pn-prid=" + b"x" * size, (), 160, whole=True) is None
