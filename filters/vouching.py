"""The last stage of a request: what its next hop is told of who calls, once every other edit is made (RFC 8224 §4).

Everything here works on what the message says as it leaves, so that nothing it adds tells more than the message does.
"""

from __future__ import annotations

from collections.abc import Callable

from config.vocabulary import Zone
from filters.diverter import divert
from filters.identity_header import Verdict, judge
from filters.said import leaving, received
from filters.signer import Signer
from filters.verifier import Verifier
from filters.zones import Towards
from proxy.message import Draft
from proxy.policy import Origin
from proxy.verstat import RESULT, disclaim

_WHY = {
    Verdict.BROKEN: "an edit changed what it signs (RFC 5379 §5.3.1)",
    Verdict.REVEALING: "it tells in base64 what is hidden here (RFC 8588 §10)",
    Verdict.UNREADABLE: "a PASSporT that cannot be read",
}
Counted = list[tuple[str, str]]
"""Counter and label, for each thing that was done."""


class Vouching:
    """The stage for one decision towards one hop."""

    __slots__ = ("_decision", "_leaks", "_signer", "_verifier", "_zone")

    def __init__(
        self, decision: int, zone: Towards | None, leaks: Callable[[bytes], bool], signer: Signer | None = None,
        verifier: Verifier | None = None,
    ) -> None:  # fmt: skip
        """Prepare.

        Args:
            decision: packed actions.
            zone: where the hop stands.
            leaks: tells whether a text holds a device id or an address that the decision hides.
            signer: where the hop wants calls signed.
            verifier: where the hop is told what a caller's signature is worth.
        """
        self._verifier = verifier
        self._signer = None if zone is Towards.PSAP else signer
        self._decision = decision
        self._zone = zone
        self._leaks = leaks

    @property
    def always(self) -> bool:
        """Whether there is something to do for requests that say nothing themselves."""
        return self._signer is not None or self._verifier is not None

    def __call__(self, draft: Draft, origin: Origin) -> Counted:
        """Settle every header about who calls; returns what there is to count.

        Towards a PSAP everything stays as it is: no check is worth an emergency call (RFC 6443 §16).
        """
        counted: Counted = []
        if self._zone is Towards.PSAP:
            return counted
        disclaim(draft, origin.source)
        is_call = origin.request.method == b"INVITE" and not origin.request.to_tag
        if self._verifier is not None and is_call and origin.source.zone is Zone.TRUNK:
            _tell(draft, origin, self._verifier, counted)
        if b"identity" in draft:
            self._sift(draft, origin, counted)
        if self._signer is not None and is_call:
            self._sign(draft, origin, self._signer, counted)
        return counted

    def _sift(self, draft: Draft, origin: Origin, counted: Counted) -> None:
        """Take out the Identity headers that may not go on."""
        before, after = received(origin.request), leaving(draft)
        for position in draft.find(b"identity"):
            verdict = judge(draft.value(position), before, after, self._decision, self._leaks)
            counted.append(("identity", verdict.value))
            if verdict is not Verdict.KEPT:
                draft.settle(position, None, _WHY[verdict])

    def _sign(self, draft: Draft, origin: Origin, signer: Signer, counted: Counted) -> None:
        """Sign a new call that nobody has signed, and a diverted one that somebody has.

        What a phone signed stands for nothing where we attest; whose signature did not get past us came from elsewhere.
        """
        if origin.source.zone is Zone.ACCESS:
            for position in draft.find(b"identity"):
                draft.settle(position, None, "Sipveil signs instead")
        if not draft.find(b"identity"):
            relayed = origin.source.zone is not Zone.ACCESS and b"identity" in origin.request.index
            counted.append(("signing", signer.sign(draft, origin, relayed=relayed).value))
            return
        diverted = divert(draft, origin, signer.credential, self._decision)
        if diverted is not None:
            counted.append(("signing", diverted.value))


def _tell(draft: Draft, origin: Origin, verifier: Verifier, counted: Counted) -> None:
    """Add what the signatures of a call are worth, as it came."""
    result, attest = verifier.verify(origin.request, origin.wall)
    counted.append(("verification", result.value))
    line = b"P-Sipveil-Verstat: " + result.value.encode()
    draft.bottom.append(line + b";attest=" + attest.encode() if attest else line)
    draft.note(RESULT.decode(), "what the signatures of the call are worth")
