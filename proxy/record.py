"""Dialog records: what Sipveil must know later about a dialog, carried in the dialog's own messages.

The contract is dialogs.md; every field of it is here, also those that later work fills (binding and
flow of streams, recording mark, CSeq mapping), because the format may not change within a call.
Binary, length-prefixed, padded to size buckets so that a token's length tells little.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from config.vocabulary import Zone
from proxy.encoding import BYTES
from proxy.errors import Malformed
from proxy.flow import Flow
from proxy.headers import NameAddr
from proxy.memo import remembered, remembered_by_all
from proxy.pack import (
    Reader,
    pack_address,
    pack_call_id,
    pack_ip,
    pack_text,
    pack_uri,
    unpack_address,
    unpack_call_id,
    unpack_ip,
    unpack_uri,
)
from proxy.places import SERIAL, WORKER_SHIFT, Places, alone
from proxy.uri import without_push

BUCKETS = (64, 96, 128, 160, 192, 224, 256, 320, 384, 448, 512, 640, 768, 896, 1024)
"""Sizes that payloads are padded to."""
HARD_LIMIT = BUCKETS[-1]
"""What no budget exceeds: a record beyond it would not fit a Record-Route that carriers take."""
MAX_FIELD = 400
"""Longest URI, name or binding field that goes into a record; a token of ours as a URI has up to 300."""
MAX_ROUTES = 16
"""Most route entries of one side."""

_ZONES = (Zone.ACCESS, Zone.CORE, Zone.TRUNK, Zone.PSAP)
_TRUNKS = (Zone.TRUNK, Zone.PSAP)
_ZONE_CODES = {zone: code for code, zone in enumerate(_ZONES)}
_TRANSPORTS = ("UDP", "TCP", "TLS", "WS", "WSS")
_HEAD = struct.Struct(">BI9s6s6s8s")
_PADDED = tuple(next(bucket for bucket in BUCKETS if size <= bucket) for size in range(HARD_LIMIT + 1))
"""The bucket of each size."""


class Mark:
    """Properties of a dialog, and which side a record serves: bits of a plain number (an IntFlag is slow to test)."""

    FROM_CALLER: Final = 1
    """This record serves requests that come from the caller's side; else from the callee's."""
    EMERGENCY: Final = 2
    RECORDING: Final = 4
    CSEQ_MAPPED: Final = 8
    """CSeq of requests to the callee's side counts in steps of four (`proxy/cseq.py`)."""
    CSEQ_MAPPED_BACK: Final = 16
    """The same of requests to the caller's side."""
    ATTEMPT: Final = 96
    """Two bits, of one record alone: which attempt of an INVITE the response answers that carries it."""
    ATTEMPT_SHIFT: Final = 5
    PRIVATE: Final = 128
    """Somebody asked for privacy in this call, which recordings of it have to know (`proxy/wishes.py`)."""


class End(NamedTuple):
    """One side of a dialog: its zone, and the stable id of its trunk (0 where it is none)."""

    zone: Zone
    trunk_id: int = 0

    def pack(self) -> bytes:
        """Return the context under which this side's Call-IDs and tags are sealed."""
        return _packed_end(self)

    def is_side_of(self, other: End) -> bool:
        """Tell whether both are the same side: an emergency trunk is in zone psap or trunk as the call has it."""
        same_zone = self.zone is other.zone or (self.zone in _TRUNKS and other.zone in _TRUNKS)
        return same_zone and self.trunk_id == other.trunk_id


@remembered
def _packed_end(end: End) -> bytes:
    return bytes((_ZONE_CODES[end.zone],)) + end.trunk_id.to_bytes(4, "big")


@dataclass(frozen=True, slots=True)
class Binding:
    """Where a registered phone is found again once its connection is gone (RFC 5626)."""

    aor: bytes
    instance: bytes
    reg_id: int


_FIELDS: Final = (
    "marks", "issued", "caller", "callee", "to_callee", "to_caller", "subscriber", "call", "fingerprint", "target",
    "flow", "routes", "from_original", "from_outward", "to_original", "to_outward", "call_id", "binding", "node",
    "worker",
)  # fmt: skip


class Record:  # noqa: PLW1641 - nobody asks for its hash
    """One dialog record; never changed. `caller` is the side that sent the dialog-forming request.

    A class with slots replaces a NamedTuple: each call makes five of them, and asks for their fields many times.
    """

    __slots__ = _FIELDS

    def __init__(  # noqa: PLR0913, PLR0917 - what each record holds
        self, marks: int, issued: int, caller: End, callee: End, to_callee: int, to_caller: int, subscriber: bytes,
        call: bytes, fingerprint: bytes, target: bytes, flow: Flow | None, routes: tuple[bytes, ...] = (),
        from_original: NameAddr | None = None, from_outward: NameAddr | None = None,
        to_original: NameAddr | None = None, to_outward: NameAddr | None = None, call_id: bytes = b"",
        binding: Binding | None = None, node: int = 0, worker: int = 0,
    ) -> None:  # fmt: skip
        """Hold what a dialog needs to be known of.

        Args:
            marks: bits of `Mark`.
            issued: wall clock, seconds.
            caller: the side that began the dialog.
            callee: the other one.
            to_callee: packed actions for what is sent towards the callee's side (`policy.pack`).
            to_caller: the same towards the caller's.
            subscriber: six bytes of keyed pseudonym of the subscriber.
            call: six bytes of keyed pseudonym of the call.
            fingerprint: eight bytes over the initiator's Call-ID and tag.
            target: the URI that requests to the far side carry as Request-URI.
            flow: how the far side is reached.
            routes: route set behind us towards the far side, nearest first.
            from_original: From as the caller wrote it.
            from_outward: From as the callee's side knows it.
            to_original: the same of To.
            to_outward: the same of To.
            call_id: the initiator's Call-ID where it is too long to be sealed into the outward one.
            binding: where the phone is found again whose connection flow is.
            node: of a flow that is a connection: whose it is.
            worker: likewise.
        """
        self.marks = marks
        self.issued = issued
        self.caller = caller
        self.callee = callee
        self.to_callee = to_callee
        self.to_caller = to_caller
        self.subscriber = subscriber
        self.call = call
        self.fingerprint = fingerprint
        self.target = target
        self.flow = flow
        self.routes = routes
        self.from_original = from_original
        self.from_outward = from_outward
        self.to_original = to_original
        self.to_outward = to_outward
        self.call_id = call_id
        self.binding = binding
        self.node = node
        self.worker = worker

    def replace(self, **changes: object) -> Record:
        """Return a record of which some fields differ."""
        fields: dict[str, Any] = {name: getattr(self, name) for name in _FIELDS}
        fields |= changes
        return Record(**fields)

    def __eq__(self, other: object) -> bool:
        """Tell whether two records say the same."""
        return isinstance(other, Record) and all(getattr(self, name) == getattr(other, name) for name in _FIELDS)

    @property
    def near(self) -> End:
        """The side whose requests this record serves."""
        return self.caller if self.marks & Mark.FROM_CALLER else self.callee

    @property
    def far(self) -> End:
        """The side that those requests go to."""
        return self.callee if self.marks & Mark.FROM_CALLER else self.caller


class RecordTooBig(Malformed):
    """A record does not fit its budget even without names."""

    def __init__(self) -> None:
        """Answer with 513 (dialogs.md)."""
        super().__init__("Message Too Large", 513)


def encode(record: Record, budget: int) -> bytes:
    """Write a record within `budget` bytes: over it push parameters leave first, then display names, then the To URIs.

    Raises:
        RecordTooBig: when it does not fit all the same.
    """
    return fit(record, budget)[0]


def fit(record: Record, budget: int) -> tuple[bytes, Record]:
    """Return what `encode` writes, and as much of the record as that holds; raises as `encode`."""
    packed = _pack(record) if len(record.target) <= MAX_FIELD else b""
    if not packed or len(packed) > budget:
        record = record.replace(target=without_push(record.target))
        packed = _pack(record)
    if len(packed) > budget or (len(packed) > MAX_FIELD and _has_long_name(record)):
        record = _without_names(record)
        packed = _pack(record)
        if len(packed) > budget:
            record = _without_to(record)
            packed = _pack(record)
            if len(packed) > budget:
                raise RecordTooBig
    return packed.ljust(_PADDED[len(packed)], b"\0"), record


def _has_long_name(record: Record) -> bool:
    addresses = (record.from_original, record.to_original)
    return any(address and len(address.display) > MAX_FIELD for address in addresses)


def _without_names(record: Record) -> Record:
    def bare(address: NameAddr | None) -> NameAddr | None:
        return address and address._replace(display=b"")

    return record.replace(from_original=bare(record.from_original), to_original=bare(record.to_original))


def _without_to(record: Record) -> Record:
    return _without_names(record).replace(to_original=None, to_outward=None)


def _pack(record: Record) -> bytes:
    bits, names = _pack_names(record)
    place = pack_flow(record.flow, record.node, record.worker) + _packed_uri(record.target)
    return b"".join((
        BYTES[record.marks], _pack_head(record, record.issued, bits), place, _pack_routes(record.routes), names,
    ))  # fmt: skip


def _pack_head(record: Record, issued: int, bits: int) -> bytes:
    """Return what stands between marks and flow: up to the fingerprint, which fields there are, and the trunks."""
    zones, ids, trunks = _pack_ends(record.caller, record.callee)
    actions = (record.to_callee | record.to_caller << 36).to_bytes(9, "big")
    head = _HEAD.pack(zones, issued, actions, record.subscriber, record.call, record.fingerprint)
    return b"".join((head, BYTES[ids | bits], trunks))


def _pack_names(record: Record) -> tuple[int, bytes]:
    """Return addresses, Call-ID and binding, and the bits of those that there are."""
    bits, names = 0, b""
    if record.from_original is not None:
        bits, names = 1, _packed_address(record.from_original)
    if record.from_outward is not None:
        bits, names = bits | 2, names + _packed_address(record.from_outward)
    if record.to_original is not None:
        bits, names = bits | 4, names + _packed_address(record.to_original)
    if record.to_outward is not None:
        bits, names = bits | 8, names + _packed_address(record.to_outward)
    if record.call_id:
        bits, names = bits | 64, names + pack_text(pack_call_id(_limited(record.call_id)))
    if record.binding is not None:
        bits, names = bits | 128, names + _pack_binding(record.binding)
    return bits, names


@remembered_by_all
def _pack_ends(caller: End, callee: End) -> tuple[int, int, bytes]:
    """Return both zones, the bits of the ends that are trunks, and their ids."""
    ids = [(bit, end.trunk_id.to_bytes(4, "big")) for bit, end in ((16, caller), (32, callee)) if end.trunk_id]
    zones = _ZONE_CODES[caller.zone] << 4 | _ZONE_CODES[callee.zone]
    return zones, sum(bit for bit, _ in ids), b"".join(packed for _, packed in ids)


def _pack_routes(routes: tuple[bytes, ...]) -> bytes:
    if len(routes) > MAX_ROUTES:
        raise RecordTooBig
    return b"".join((BYTES[len(routes)], *map(_packed_uri, routes)))


_HERE = alone(0)


class Mould:
    """Makes the records of one crossing, which differ in little: marks, flow, target, routes, and whether in full.

    Replaces building a `Record` to take it apart in `encode`, for each of the two tokens of each message. What
    does not come out plainly is left to `fit`; where both write a record they write the same bytes.
    """

    __slots__ = (
        "_bare",
        "_base",
        "_flow",
        "_is_datagram",
        "_issued",
        "_names",
        "_place",
        "_places",
        "_target",
        "_whole",
    )

    def __init__(self, base: Record, issued: int, places: Places = _HERE) -> None:
        """Make records like base, at another time; `places` know whose a flow is that is a connection."""
        self._base = base
        self._places = places
        self._issued = issued
        self._bare = _pack_head(base, issued, 0)
        self._whole = b""
        self._names = b""
        # Contact and Record-Route of one message lead to the same place, mostly.
        self._flow: Flow | None = None
        self._is_datagram = False
        self._target = b""
        self._place = b""

    def make(
        self, marks: int, flow: Flow | None, target: bytes, routes: tuple[bytes, ...], budget: int, *, whole: bool
    ) -> tuple[bytes, Record | None] | None:
        """Return a payload, and its record where that comes back as it is; None where something must leave to fit.

        Raises:
            RecordTooBig: when a URI is too long.
        """
        if flow is None or len(target) > MAX_FIELD:
            return None
        if flow is not self._flow or target != self._target:
            is_datagram = flow.transport == "UDP"
            node = 0 if is_datagram else self._places.node(flow)
            self._place = pack_flow(flow, node, self._places.worker) + _packed_uri(target)
            self._flow, self._is_datagram, self._target = flow, is_datagram, target
        behind = _pack_routes(routes) if routes else b"\0"
        if not whole:
            packed = b"".join((BYTES[marks], self._bare, self._place, behind))
        else:
            if not self._whole:
                self._pack_whole()
            packed = b"".join((BYTES[marks], self._whole, self._place, behind, self._names))
        size = len(packed)
        if size > budget or size > MAX_FIELD:
            return None
        packed = packed.ljust(_PADDED[size], b"\0")
        # What TLS vouched for is not in it, so that a record of a stream is read anew.
        return packed, self.record(marks, flow, target, routes, whole=whole) if self._is_datagram else None

    def packed(self) -> bytes:
        """Return what `decode` reads as the whole record, of nowhere: without target, flow and routes.

        Raises:
            RecordTooBig: when a URI is too long.
        """
        if not self._whole:
            self._pack_whole()
        return b"".join((BYTES[self._base.marks], self._whole, _NOWHERE, self._names))

    def _pack_whole(self) -> None:
        """Pack the names once they are asked for: where nobody does, they may be longer than a record takes."""
        bits, self._names = _pack_names(self._base)
        bare, at = self._bare, _HEAD.size
        self._whole = b"".join((bare[:at], BYTES[bare[at] | bits], bare[at + 1 :]))

    def record(self, marks: int, flow: Flow | None, target: bytes, routes: tuple[bytes, ...], *, whole: bool) -> Record:
        """Return a record, for `fit` to write."""
        base = self._base
        node, worker = (base.node, base.worker) if whole else (0, 0)
        if flow is not None and flow.transport != "UDP":
            node = self._places.node(flow)
            worker = flow.connection >> WORKER_SHIFT if flow.connection else self._places.worker
        if not whole:
            return Record(
                marks, self._issued, base.caller, base.callee, base.to_callee, base.to_caller, base.subscriber,
                base.call, base.fingerprint, target, flow, routes, node=node, worker=worker,
            )  # fmt: skip
        return Record(
            marks, self._issued, base.caller, base.callee, base.to_callee, base.to_caller, base.subscriber,
            base.call, base.fingerprint, target, flow, routes, base.from_original, base.from_outward,
            base.to_original, base.to_outward, base.call_id, base.binding, node, worker,
        )  # fmt: skip


def _pack_binding(binding: Binding) -> bytes:
    texts = pack_text(_limited(binding.aor)) + pack_text(_limited(binding.instance))
    return texts + binding.reg_id.to_bytes(2, "big")


def _limited(value: bytes) -> bytes:
    if len(value) > MAX_FIELD:
        raise RecordTooBig
    return value


@remembered
def _packed_uri(uri: bytes) -> bytes:
    return pack_uri(_limited(uri))


@remembered
def _packed_address(address: NameAddr) -> bytes:
    _limited(address.uri)
    return pack_address(address)


@remembered_by_all
def pack_flow(flow: Flow | None, node: int, worker: int) -> bytes:
    """Write a flow; node and worker tell whose it is, of a connection that there is its number the worker."""
    if flow is None:
        return b"\xff"
    head = bytes((_TRANSPORTS.index(flow.transport),))
    for host, port in (flow.local, flow.peer):
        packed = pack_ip(host)  # b"" for what is no plain address: fe80::1%eth0
        head += bytes((len(packed),)) + (packed or pack_text(host.encode())) + port.to_bytes(2, "big")
    if flow.transport != "UDP":
        worker = flow.connection >> WORKER_SHIFT if flow.connection else worker
        head += node.to_bytes(2, "big") + bytes((worker,)) + (flow.connection & SERIAL).to_bytes(4, "big")
    return head


_NOWHERE = pack_flow(None, 0, 0) + pack_uri(b"") + _pack_routes(())


def decode(payload: bytes) -> Record:
    """Read what `encode` wrote.

    Raises:
        Malformed: when the payload is cut short, which only a mistake of ours can cause.
    """
    reader = Reader(payload)
    marks = reader.number(1)
    zones, issued, actions, subscriber, call, fingerprint = _HEAD.unpack(reader.take(_HEAD.size))
    bits = reader.number(1)
    caller = End(_ZONES[zones >> 4], reader.number(4) if bits & 16 else 0)
    callee = End(_ZONES[zones & 15], reader.number(4) if bits & 32 else 0)
    flow, node, worker = unpack_flow(reader)
    target = unpack_uri(reader)
    routes = tuple(unpack_uri(reader) for _ in range(reader.number(1)))
    from_original, from_outward, to_original, to_outward = (
        unpack_address(reader) if bits >> bit & 1 else None for bit in range(4)
    )
    call_id = unpack_call_id(reader.text()) if bits & 64 else b""
    binding = Binding(reader.text(), reader.text(), reader.number(2)) if bits & 128 else None
    packed = int.from_bytes(actions, "big")
    return Record(
        marks, issued, caller, callee, packed & (1 << 36) - 1, packed >> 36, subscriber, call, fingerprint,
        target, flow, routes, from_original, from_outward, to_original, to_outward, call_id, binding, node, worker,
    )  # fmt: skip


def unpack_flow(reader: Reader) -> tuple[Flow | None, int, int]:
    """Return the flow that `pack_flow` wrote, and node and worker of one that is a connection."""
    code = reader.number(1)
    if code == 255:
        return None, 0, 0
    ends = []
    for _ in range(2):
        size = reader.number(1)
        host = unpack_ip(reader.take(size)) if size else reader.text().decode("ascii", "replace")
        ends.append((host, reader.number(2)))
    if not code:
        return Flow("UDP", ends[0], ends[1]), 0, 0
    node, worker, serial = reader.number(2), reader.number(1), reader.number(4)
    connection = worker << WORKER_SHIFT | serial if serial else 0
    return Flow(_TRANSPORTS[code], ends[0], ends[1], connection), node, worker
