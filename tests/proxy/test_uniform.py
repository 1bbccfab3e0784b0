"""One handwriting: what a trunk sees does not tell which stack wrote it (peers.md §3 item 12)."""

from __future__ import annotations

import pytest

from proxy.message import Draft
from proxy.serialise import serialise
from proxy.uniform import MAX_HOPS, canonical, uniform
from tests.agents import ALICE, CARRIER, PSAP, SDP, Agent, Packet, read
from tests.ladder import Ladder, Sent
from tests.world import SETTINGS, World, settings


def world() -> World:
    return World(settings(trunks=[{**SETTINGS["trunks"][0], "uniform": True}, *SETTINGS["trunks"][1:]]))


def draft_of(*lines: bytes, body: bytes = b"") -> Draft:
    return Draft(read(ALICE.request(headers=lines, body=body).data))


def rewritten(packet: Packet, *changes: tuple[bytes, bytes]) -> Packet:
    data = packet.data
    for old, new in changes:
        assert old in data
        data = data.replace(old, new)
    return packet._replace(data=data)


#: Two stacks that say the same thing.
ONE = rewritten(
    ALICE.invite(
        headers=(
            b"Supported: 100rel, timer", b"Allow: INVITE, ACK, BYE", b"Content-Type: application/sdp",
            b"Session-Expires: 1800",
        )
    )
)  # fmt: skip
OTHER = rewritten(
    ALICE.invite(
        headers=(
            b"c:application/sdp", b"x : 1800", b"ALLOW: BYE,ACK", b"k:  Timer,100rel", b"allow: INVITE",
        ),
        max_forwards=255,
    ),
    (b"\r\nFrom: ", b"\r\nf:\t"), (b"\r\nTo: ", b"\r\nt :\r\n "), (b"Call-ID", b"i"), (b"CSeq", b"CSEQ"),
    (b"Contact", b"m"), (b"Content-Length", b"l"), (b"Max-Forwards", b"max-forwards"),
)  # fmt: skip


def crossed(packet: Packet, where: World | None = None) -> bytes:
    ladder = Ladder(where or world()) >> packet << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    assert ladder
    return ladder[b"INVITE"]


def test_two_stacks_look_the_same() -> None:
    """Order, names, blanks, folds, compact forms, sets on one line or two, Max-Forwards: byte for byte."""
    assert crossed(ONE) == crossed(OTHER)
    assert crossed(ONE, World()) != crossed(OTHER, World()), "a trunk that does not ask for it gets the phone's lines"


def test_order_and_names() -> None:
    names = [line.partition(b":")[0] for line in crossed(OTHER).partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]]
    assert names == [
        b"Via", b"Record-Route", b"Max-Forwards", b"Max-Breadth", b"From", b"To", b"Call-ID", b"CSeq", b"Contact",
        b"Allow", b"Session-Expires", b"Supported", b"Content-Type", b"Content-Length",
    ]  # fmt: skip


def test_responses_and_requests_of_the_called_phone_too() -> None:
    """Both directions, the whole dialog; and nothing else of the message changes."""
    ladder = Ladder(world()) >> CARRIER.invite(uri=b"sip:8@192.0.2.1") << Sent(CARRIER, 100)
    pbx = Agent(("203.0.113.5", 5060), b"pbx")
    ladder = ladder << Sent(pbx, b"INVITE")
    headers = (b"SUPPORTED: timer , 100rel", b"k: replaces", b"c: application/sdp")
    answer = pbx.answer(ladder[b"INVITE"], 200, headers=headers, body=SDP)
    ladder = ladder >> answer << Sent(CARRIER, 200)
    lines = ladder[200].partition(b"\r\n\r\n")[0].split(b"\r\n")
    assert lines[0] == b"SIP/2.0 200 OK"
    assert b"Supported: 100rel, replaces, timer" in lines
    names = [line.partition(b":")[0] for line in lines[1:]]
    assert names[:2] == [b"Via", b"Record-Route"]
    assert names[-2:] == [b"Content-Type", b"Content-Length"]
    tags = read(ladder[200]).to_tag
    assert tags != b"to1", "tags are sealed, as by seal_tags"
    bye = pbx.within(b"BYE", ladder[b"INVITE"], own=answer)
    ladder = ladder >> rewritten(bye, (b"Call-ID", b"i")) << Sent(CARRIER, b"BYE")
    assert b"\r\nCall-ID: " in ladder[b"BYE"]
    assert ladder


def test_a_retransmission_is_the_same_and_versions_count_up() -> None:
    """o= is moved by amounts of the dialog's own: +1 stays +1 (RFC 3264 §8), and neither number is the phone's."""

    def origin(version: int, call_id: bytes = b"call-1@10.1.1.23") -> tuple[int, int]:
        body = SDP.replace(b"2890844526 1 ", b"2890844526 %d " % version)
        packet = ALICE.invite(body=body, call_id=call_id)
        line = next(line for line in read(crossed(packet)).body.split(b"\r\n") if line.startswith(b"o="))
        return int(line.split()[1]), int(line.split()[2])

    first, again, later = origin(1), origin(1), origin(2)
    assert first == again
    assert (later[0], later[1] - first[1]) == (first[0], 1)
    assert first[0] != 2890844526
    assert first[1] != 1
    assert origin(1, b"another") != first, "another dialog, other amounts"


@pytest.mark.parametrize(("received", "sent"), [(70, 69), (255, 69), (20, 19), (1, 0)])
def test_max_forwards_is_never_raised(received: int, sent: int) -> None:
    """A message that circles has to die; only what is unusually high would tell of a make."""
    assert read(crossed(ALICE.invite(max_forwards=received))).max_forwards == sent


def test_values_of_one_header_keep_their_order() -> None:
    """It means something (RFC 3261 §7.3.1): routes, and preferences."""
    draft = draft_of(b"Warning: 2", b"Accept: b, a", b"warning: 1", b"Accept: c")
    lines = uniform(draft).split(b"\r\n")
    assert [line for line in lines if line.startswith(b"Warning")] == [b"Warning: 2", b"Warning: 1"]
    assert [line for line in lines if line.startswith(b"Accept")] == [b"Accept: b, a", b"Accept: c"]


def test_the_body_stays() -> None:
    """Also one with blank lines and something that looks like a header."""
    body = b"a\r\n\r\nk: b\r\n"
    draft = draft_of(b"Content-Type: text/plain", body=body)
    assert uniform(draft).partition(b"\r\n\r\n")[2] == body
    assert len(uniform(draft)) == len(serialise(draft)), "these lines were in hand already, in another order"


@pytest.mark.parametrize(
    ("name", "full"),
    [
        (b"v", b"Via"), (b"k", b"Supported"), (b"call-id", b"Call-ID"), (b"cseq", b"CSeq"), (b"rack", b"RAck"),
        (b"www-authenticate", b"WWW-Authenticate"), (b"x-some-thing", b"X-Some-Thing"),
        (b"p-asserted-identity", b"P-Asserted-Identity"),
    ],
)  # fmt: skip
def test_names(name: bytes, full: bytes) -> None:
    assert canonical(name) == full


def test_an_emergency_call_is_left_as_it_came() -> None:
    """Towards a PSAP nothing is smoothed either."""
    psap = {**SETTINGS["trunks"][2], "uniform": True}
    where = World(settings(trunks=[*SETTINGS["trunks"][:2], psap]))
    packet = ALICE.invite(uri=b"urn:service:sos", headers=(b"k: timer",))
    ladder = Ladder(where) >> packet << Sent(ALICE, 100) << Sent(PSAP, b"INVITE")
    assert b"\r\nk: timer\r\n" in ladder[b"INVITE"]
    assert ladder


def test_hops_are_what_a_usual_phone_leaves() -> None:
    assert MAX_HOPS == 69
