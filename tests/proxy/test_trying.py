"""100 without a parse: what is read, that it agrees with the parse, and that nothing odd is read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.settings import Limits
from proxy.errors import Malformed
from proxy.matching import client_key
from proxy.parse import parse
from proxy.trying import START, request_of
from tests.agents import ALICE, CARRIER, SECOND, Packet
from tests.ladder import Ladder, Sent, Silence, Wait
from tests.strategies import mutations, requests
from tests.world import World, settings

USUAL = (
    b"SIP/2.0 100 Trying\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKaone.two;rport=5060;received=192.0.2.1\r\n"
    b"Via: SIP/2.0/UDP 10.0.0.7;branch=z9hG4bKlower\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: x@y\r\n"
    b"CSeq: 1 INVITE\r\nServer: SBC/9\r\nContent-Length: 0\r\n\r\n"
)
ODD = {
    "two CSeq": (b"Server:", b"CSeq: 2 INVITE\r\nServer:"),
    "a compact From besides": (b"Server:", b"f: <sip:eve@b>\r\nServer:"),
    "a fold": (b"Server: SBC", b"Server: SBC\r\n "),
    "a line without colon": (b"Server: SBC/9", b"Server"),
    "a bare CR": (b"SBC/9", b"SBC\r9"),
    "a bare LF": (b"SBC/9", b"SBC\n9"),
    "a length": (b"Content-Length: 0", b"Content-Length: 1"),
    "two lengths": (b"Server:", b"l: 0\r\nServer:"),
    "a body": (b"\r\n\r\n", b"\r\n\r\nx"),
    "two Vias in a line": (b";received=192.0.2.1", b", SIP/2.0/UDP 10.0.0.7;branch=z9hG4bKlower"),
    "a broken Via": (b"SIP/2.0/UDP 192.0.2.1:5060", b"SIP/2.0/UDP 192.0.2.1:99999"),
    "broken parameters": (b";rport=5060", b";rp<ort=5060"),
    "no branch": (b";branch=", b";brunch="),
    "two branches": (b";rport=5060", b";branch=z9hG4bKother"),
    "no To": (b"To:", b"Ot:"),
    "no end": (b"\r\n\r\n", b"\r\n"),
}


def agree(data: bytes) -> bool:
    """Assert that what is read is what the parse reads; False where nothing is."""
    key = request_of(data, Limits()) if data.startswith(START) else None
    if key is None:
        return False
    message = parse(data, Limits())
    assert key == client_key(message.via.branch, message.cseq_method)
    assert message.status == 100
    return True


def called() -> Ladder:
    return Ladder() >> ALICE.invite() << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")


def test_the_usual_one_is_read() -> None:
    assert request_of(USUAL, Limits()) == b"z9hG4bKaone.two INVITE"
    assert agree(USUAL)
    assert agree(USUAL.replace(b"Content-Length: 0\r\n", b""))
    assert agree(USUAL.replace(b"Via:", b"VIA:").replace(b"Server: SBC/9", b"Contact: <sip:a@b>, <sip:c@d>"))


@pytest.mark.parametrize("change", ODD.values(), ids=ODD)
def test_anything_odd_is_left_to_the_parse(change: tuple[bytes, bytes]) -> None:
    assert change[0] in USUAL
    assert request_of(USUAL.replace(*change, 1), Limits()) is None


def test_limits_count_here_too() -> None:
    """Longer than a line may be, or more lines than are taken: the parse says whether that is too much."""
    assert request_of(USUAL.replace(b"SBC/9", b"x" * 9000), Limits()) is None
    assert request_of(USUAL.replace(b"Server: SBC/9\r\n", b"Server: SBC/9\r\n" * 300), Limits()) is None


@given(st.one_of(mutations(USUAL), requests.flatmap(mutations)))
def test_it_agrees_with_the_parse_on_anything(data: bytes) -> None:
    """What the parse refuses is never read, and what is read is the same."""
    head, _, rest = data.partition(b"\r\n")
    try:
        agree(data if head.startswith(START) else START + b"Trying\r\n" + rest)
    except Malformed as error:
        pytest.fail(error.why)


def test_it_ends_retransmission_and_goes_no_further() -> None:
    """§16.7 item 3, §17.1.1.2."""
    ladder = called()
    assert ladder >> CARRIER.answer(ladder[b"INVITE"], 100) << Silence() >> Wait(100) << Silence()
    assert ladder.world.count("responses_received", "1xx") == 1


def test_only_the_side_that_was_asked_may_send_it() -> None:
    """Another's does not end retransmission; nor does one whose branch nobody knows."""
    ladder = called()
    trying = CARRIER.answer(ladder[b"INVITE"], 100)
    assert ladder >> Packet(SECOND.address, trying.data) << Silence() >> Packet(ALICE.address, trying.data) << Silence()
    assert ladder >> trying._replace(data=trying.data.replace(b"branch=z9hG4bK", b"branch=z9hG4bKx")) << Silence()
    assert ladder.world.count("dropped", "stray-response") == 3
    assert ladder >> Wait(0.6) << Sent(CARRIER, b"INVITE")


def test_a_broken_one_is_dropped() -> None:
    ladder = called()
    trying = CARRIER.answer(ladder[b"INVITE"], 100)
    broken = trying._replace(data=trying.data.replace(b"CSeq:", b"CSeq: 1 INVITE\r\nCSeq:"))
    assert ladder >> broken << Silence() >> Wait(0.6) << Sent(CARRIER, b"INVITE")
    assert ladder.world.count("dropped", "malformed") == 1


def test_it_lets_a_waiting_cancel_go() -> None:
    """§9.1: no CANCEL before a provisional response, and 100 is one."""
    invite = ALICE.invite()
    ladder = Ladder(World(settings())) >> invite << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")
    sent = ladder[b"INVITE"]
    ladder = ladder >> ALICE.cancel(invite) << Sent(ALICE, 200) << Silence()
    assert ladder >> CARRIER.answer(sent, 100) << Sent(CARRIER, b"CANCEL")


def test_after_the_answer_it_is_late() -> None:
    ladder = called()
    sent = ladder[b"INVITE"]
    ladder = ladder >> CARRIER.answer(sent, 200) << Sent(ALICE, 200)
    assert ladder >> CARRIER.answer(sent, 100) << Silence()
    assert ladder.world.count("dropped", "late") == 1
