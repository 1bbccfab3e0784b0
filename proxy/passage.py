"""A passage: what all crossings between two parties have in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from proxy.headers import NameAddr
from proxy.identity import Side
from proxy.memo import remembered_by_all
from proxy.message import Draft
from proxy.pack import DERIVED
from proxy.policy import Plan
from proxy.record import Record
from proxy.verstat import disclaimed


@dataclass(frozen=True, slots=True, eq=False)
class Passage:
    """What all crossings between two parties under the same decisions share."""

    near: Side
    """How identifiers look towards the sender."""
    far: Side
    to_far: Plan
    to_near: Plan
    near_origin: bytes
    """Host that the near side is told of us."""
    far_origin: bytes
    far_domain: bytes
    """Host that Request-URI and To carry towards the far side."""
    near_budget: int
    """Plain bytes that a record towards the sender may have."""
    far_budget: int
    """Plain bytes that a record towards the far side may have."""
    write_near: Callable[[Draft], bytes]
    """Makes the bytes of what goes to the near side."""
    write_far: Callable[[Draft], bytes]
    pseudonym: Callable[[bytes], bytes]
    """Makes a keyed token of a value: the same towards this far side, another towards any other."""
    near_pseudonym: Callable[[bytes], bytes]
    """The same towards the near side."""
    believed: bool = True
    """Whether what the near side says of a verification goes on."""
    near_way: str = "UDP"
    """Transport by which the near side reaches us."""
    far_way: str = "UDP"
    far_user: int = 1500
    """Longest user part of a URI that the far side takes."""
    marks: int = 0
    """Bits of `Mark` in the records of all dialogs that begin so: whose CSeq is mapped."""
    numbered: Callable[[NameAddr], NameAddr] | None = None
    """Writes an address's number as the far side wants it; None where that is as it came."""

    def outward(self, from_: NameAddr | None, to: NameAddr | None) -> tuple[NameAddr | None, NameAddr | None]:
        """Return From and To as the callee's side sees them where that is the far one, by the originals."""
        return outward_pair(self, from_, to)

    def addresses(self, record: Record) -> tuple[NameAddr | None, NameAddr | None]:
        """Return the outward addresses of a record from the caller, those too that it left to be derived."""
        from_, to = record.from_outward, record.to_outward
        if from_ is DERIVED or to is DERIVED:
            made = self.outward(record.from_original, record.to_original)
            from_ = made[0] if from_ is DERIVED else from_
            to = made[1] if to is DERIVED else to
        return from_, to


@remembered_by_all
def outward_pair(
    passage: Passage, from_: NameAddr | None, to: NameAddr | None
) -> tuple[NameAddr | None, NameAddr | None]:  # fmt: skip
    """Work out `Passage.outward`: requests of a call ask for the same again."""
    plan = passage.to_far
    if from_ is not None and not passage.believed:
        from_ = disclaimed(from_)
    if passage.numbered is not None:
        from_, to = from_ and passage.numbered(from_), to and passage.numbered(to)
    return (
        from_ and plan.address(from_, passage.far_origin, is_from=True, pseudonym=passage.pseudonym),
        to and plan.address(to, passage.far_domain, is_from=False),
    )
