"""RFC 3261 §16.7: what a response looks like when it goes back."""

from __future__ import annotations

import pytest

from tests.agents import ALICE, CARRIER, PBX, read
from tests.ladder import Ladder, Sent


def called() -> Ladder:
    """A call that reached the trunk."""
    return Ladder() >> ALICE.invite() << Sent(ALICE, 100) << Sent(CARRIER, b"INVITE")


def test_the_caller_gets_back_what_it_wrote() -> None:
    """RFC 3323 §5.1 and §5.3: Via, From, To, Call-ID and CSeq of its own request, whatever the far side echoed."""
    ladder = called()
    answer = CARRIER.answer(ladder[b"INVITE"], 200)
    garbled = answer._replace(data=answer.data.replace(b'"Anonymous" <sip:anonymous', b'"Who Knows" <sip:else'))
    ladder = ladder >> garbled << Sent(ALICE, 200)
    sent, got = read(ALICE.invite().data), read(ladder[200])
    assert (got.from_, got.call_id, got.cseq) == (sent.from_, sent.call_id, sent.cseq)
    assert (got.to.uri, got.to_tag) == (sent.to.uri, b"to1")
    assert len(got.items(b"via")) == 1
    assert b"Who Knows" not in ladder[200]
    assert ladder


def test_the_callers_own_proxies_stay_in_record_route() -> None:
    """§16.7 item 8: towards a side that hides nothing, its entries stand under ours and the far side's above."""
    own = b"Record-Route: <sip:203.0.113.5;lr>"
    ladder = Ladder() >> PBX.invite(headers=(own,)) << Sent(PBX, 100) << Sent(CARRIER, b"INVITE")
    assert own not in ladder[b"INVITE"]
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 200, routes=(b"sip:198.51.100.17;lr",)) << Sent(PBX, 200)
    routes = read(ladder[200]).items(b"record-route")
    assert (routes[0], routes[2:]) == (b"<sip:198.51.100.17;lr>", [b"<sip:203.0.113.5;lr>"])
    assert routes[1].endswith(b"@192.0.2.1:5060;lr>")
    assert ladder


@pytest.mark.parametrize(
    ("contact", "shown"),
    [
        (
            b'"Bob" <sip:+15550111@10.2.3.4;x=y>;q=0.7;+sip.instance="<urn:uuid:1>"',
            b"<sip:+15550111@192.0.2.1:5060>;q=0.7",
        ),
        (b"<tel:+15550111>", b"<sip:+15550111@192.0.2.1:5060>"),
        (b"<sip:a b@x>, <sip:+15550112@y>", b""),
        (b"<http://example.net/@bob>", b"<sip:anonymous@anonymous.invalid>"),
        (b"<sip:SEP001122334455@x>, <sip:+15550112@y>", b"<sip:+15550112@192.0.2.1:5060>"),
        (b"<sip:10.7.7.7@x>", b"<sip:anonymous@anonymous.invalid>"),
        (b"<sip:490154203237518@x>", b"<sip:490154203237518@192.0.2.1:5060>"),
    ],
)
def test_redirections_are_numbers_to_dial(contact: bytes, shown: bytes) -> None:
    """A 3xx Contact tells a target, not where it lives; what cannot be read fails closed."""
    ladder = called() >> (lambda one: CARRIER.answer(one[b"INVITE"], 302, contact=contact)) << Sent(CARRIER, b"ACK")
    if not shown:
        assert ladder << Sent(ALICE, 500)
        return
    assert ladder << Sent(ALICE, 302)
    assert read(ladder[302]).values(b"contact") == [shown]


def test_100_is_never_passed_on() -> None:
    """§16.7 item 5."""
    ladder = called()
    assert ladder >> CARRIER.answer(ladder[b"INVITE"], 100)


@pytest.mark.parametrize("status", [101, 180, 181, 182, 183, 199])
def test_every_provisional_response_carries_the_record(status: int) -> None:
    """dialogs.md: written into every 101-299 response, so that early dialogs work."""
    ladder = called()
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], status) << Sent(ALICE, status)
    assert read(ladder[status]).items(b"record-route")
    assert ladder


def test_a_response_without_contact_goes_back_without() -> None:
    """Nothing is invented; the record's target is then where the INVITE went."""
    ladder = called()
    ladder = ladder >> CARRIER.answer(ladder[b"INVITE"], 180, contact=b"") << Sent(ALICE, 180)
    assert b"contact" not in read(ladder[180]).index
    assert ladder
