"""Real phones before and behind a carrier: a call that rings at two of them, and an attended transfer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from urllib.parse import quote

from tests.real import leaks
from tests.real.baresip import Baresip
from tests.real.carrier import INSIDE, Carrier
from tests.real.dialogs import call_ids, faults, renumbered
from tests.real.harness import NO_KEYS, PHONE, ROOMY, Lab, Sipveil, wait_for
from tests.real.sip import Message, param, target

ALICE = "+4930555017342"
BOB, CAROL = leaks.DIALLED, "+4989555010188"
SECRETS = {key: leaks.CALLER[key] for key in ("first name", "family name", "number", "address that Sipveil sees")}
SOFTWARE = {"software": b"baresip"}
HOLDER = {"address inside the carrier": INSIDE.encode(), "name": b"Baumeister"}


class Scene:
    """Alice, who is a subscriber, Sipveil, and a carrier."""

    def __init__(self, lab: Lab, sipveil: Sipveil, keys: Mapping[str, int] = NO_KEYS) -> None:
        """Start Sipveil and alice. keys: further ones of the trunk."""
        self._lab = lab
        self.carrier = Carrier(lab, sipveil)
        sipveil.configure(self.carrier.relay.outer, keys)
        sipveil.start()
        self.alice = Baresip(
            lab, PHONE, sipveil.address, name="Ottilie Quandtner", user=ALICE, domain="sip.example.net"
        )
        self._others: list[Baresip] = []

    def phone(self, name: str, number: str, *, answer: str = "auto") -> Baresip:
        """Start a phone of the carrier."""
        made = Baresip(
            self._lab, INSIDE, self.carrier.inside, name=f"{name} Baumeister", user=number,
            domain="carrier.example.net", answer=answer,
        )  # fmt: skip
        self._others.append(made)
        return made

    def dial(self, number: str) -> None:
        """Let alice call."""
        self.alice.command("dial", f"sip:{number}@sip.example.net")

    def expect_unchanged(self, *refused: int, places: int = 1) -> None:
        """Assert that to each phone its calls look as if nobody stood between."""
        everybody = [self.alice, *self._others]
        for phone in everybody:
            wait_for(f"all requests to be answered for {phone.name}", partial(_answered, phone))
        for phone in everybody:
            assert (phone.name, faults(phone.tape, refused, names=False, places=places)) == (phone.name, [])

    def expect_private(self) -> None:
        """Assert that no byte towards the carrier tells of alice, nor one towards her of its phones."""
        calls = {f"Call-ID {number}": call_id.encode() for number, call_id in enumerate(call_ids(self.alice.tape))}
        own = SECRETS | SOFTWARE | calls
        assert set(leaks.everywhere(self.alice.sent, own)) == set(own)
        # The connection address is where the media go: exempt as long as Sipveil does not relay them.
        assert leaks.everywhere(_without(self.carrier.relay.received, PHONE), own) == []
        assert leaks.everywhere(_without(self.alice.received, INSIDE), HOLDER | SOFTWARE) == []


def _without(messages: Iterable[bytes], host: str) -> list[bytes]:
    return [data.replace(f"c=IN IP4 {host}\r\n".encode(), b"") for data in messages]


def _answered(phone: Baresip) -> bool | None:
    """Return True once every request that a phone has sent or received has its final answer; an ACK needs none."""
    messages = [Message(wire.data) for wire in phone.tape]
    asked = {(each.branch, each.cseq) for each in messages if not each.status and each.method != "ACK"}
    return asked <= {(each.branch, each.cseq) for each in messages if each.status >= 200} or None


def early_dialogs(phone: Baresip) -> bool | None:
    """Return True once it has rung in two places."""
    ringing = [Message(data) for data in phone.received]
    return len({param(each.value("to"), "tag") for each in ringing if each.status == 180}) == 2 or None


def test_fork(lab: Lab, sipveil: Sipveil) -> None:
    """Kamailio lets the number ring at two phones, alice hears of both; one is taken, the other falls silent."""
    scene = Scene(lab, sipveil)
    desk, mobile = (scene.phone(name, BOB, answer="manual") for name in ("Bob", "Bert"))
    scene.carrier.start({BOB: [desk.address, mobile.address]})
    scene.dial(BOB)
    for phone in (desk, mobile):
        phone.event("CALL_INCOMING")
    wait_for("two early dialogs", partial(early_dialogs, scene.alice))
    mobile.command("accept")
    desk.event("CALL_CLOSED")
    for phone in (scene.alice, mobile):
        phone.event("CALL_ESTABLISHED")
    scene.alice.command("hangup")
    mobile.event("CALL_CLOSED")
    scene.expect_unchanged(487, places=2)
    assert renumbered(scene.alice.tape, scene.carrier.relay.tape) == []
    scene.expect_private()


def _calls(phone: Baresip, number: int) -> list[Message] | None:
    """Return the INVITEs that have come for a phone, once there are so many; its trace comes after its events."""
    found = [Message(data) for data in phone.received if data.startswith(b"INVITE")]
    return found if len(found) >= number else None


class Transfer(Scene):
    """Alice has bob and carol on the line, and asks bob to call carol in place of her: REFER with Replaces.

    baresip 1.0.0 knows no Replaces. Alice is told what to write by us, and Kamailio takes it along for bob; every
    message is a phone's own.
    """

    def __init__(self, lab: Lab, sipveil: Sipveil, keys: Mapping[str, int] = NO_KEYS) -> None:
        """Start everything, and let her ask."""
        super().__init__(lab, sipveil, keys)
        self.bob, self.carol = self.phone("Bob", BOB), self.phone("Carol", CAROL)
        self.carrier.start({BOB: [self.bob.address], CAROL: [self.carol.address]})
        for number, other in ((BOB, self.bob), (CAROL, self.carol)):
            self.dial(number)
            for phone in (self.alice, other):
                phone.event("CALL_ESTABLISHED")
        self.alice.command("line", "1")
        self.alice.command("transfer", f"<{_replacing(self.alice)}>")

    def told(self, status: int) -> bool | None:
        """Return True once alice was told of that status of the call that she asked for."""
        line = b"\r\n\r\nSIP/2.0 %d " % status
        return any(data.startswith(b"NOTIFY") and line in data for data in self.alice.received) or None


def test_attended_transfer(lab: Lab, sipveil: Sipveil) -> None:
    """Bob and carol speak; we hang up the call that carol's phone should have replaced."""
    scene = Transfer(lab, sipveil, ROOMY)
    alice, bob, carol = scene.alice, scene.bob, scene.carol
    for phone in (bob, carol):
        phone.event("CALL_ESTABLISHED")
    alice.event("CALL_CLOSED")
    wait_for("the news of it", partial(scene.told, 200))
    first, second = wait_for("both calls", partial(_calls, carol, 2))
    tag = next(param(each.value("to"), "tag") for each in map(Message, carol.sent) if each.status == 200)
    expected = f"{first.call_id};to-tag={tag};from-tag={param(first.value('from'), 'tag')}"
    assert second.value("replaces") == expected
    carol.command("line", "1")
    carol.command("hangup")
    alice.event("CALL_CLOSED")
    bob.command("hangup")
    carol.event("CALL_CLOSED")
    scene.expect_unchanged()
    tapes = [wire for phone in (alice, bob, carol) for wire in phone.tape]
    assert renumbered(tapes, tapes) == []
    scene.expect_private()


def test_refused_transfer(lab: Lab, sipveil: Sipveil) -> None:
    """The call that bob makes is too long for the records of this trunk: alice is told so, in a form that she reads."""
    scene = Transfer(lab, sipveil)
    wait_for("the news of it", partial(scene.told, 513))
    for line, other in (("1", scene.bob), ("2", scene.carol)):
        scene.alice.command("line", line)
        scene.alice.command("hangup")
        other.event("CALL_CLOSED")
    scene.expect_unchanged(513)
    scene.expect_private()


def _replacing(phone: Baresip) -> str:
    """Return what a phone refers to that joins its other call to its last one, in its own words for that (RFC 3891)."""
    ok = [each for each in map(Message, phone.received) if each.status == 200 and each.method == "INVITE"][-1]
    tags = (f"{kind}-tag={param(ok.value(kind), 'tag')}" for kind in ("to", "from"))
    return f"{target(ok.value('contact'))}?Replaces={quote(';'.join((ok.call_id, *tags)), safe='')}"
