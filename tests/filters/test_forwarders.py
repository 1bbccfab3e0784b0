"""Who forwarded a call, as the core's request tells it."""

from __future__ import annotations

import pytest

from filters.forwarders import forwarders, tells_forwarding
from proxy.message import Message
from tests.agents import PBX, Agent, read
from tests.filters.test_chain import div_value
from tests.passports import claims, compact_form, value


def request(*lines: bytes, to: bytes = b"sip:+15550777@192.0.2.1") -> Message:
    packet = Agent(PBX.address, b"+15550142").invite(uri=b"sip:+15550777@192.0.2.1", headers=lines, body=b"")
    return read(packet.data.replace(b"To: <sip:+15550777@192.0.2.1>", b"To: <" + to + b">"))


@pytest.mark.parametrize("line", [b"Diversion: <sip:a@b>", b"History-Info: <sip:a@b>;index=1", b"y: " + value()])
def test_what_may_tell(line: bytes) -> None:
    assert tells_forwarding(request(line))
    assert not tells_forwarding(request(b"Subject: Diversion"))


def test_everybody_whom_it_was_for() -> None:
    """Once each, the present target left out, and what cannot be read as well."""
    found = forwarders(request(
        b"Diversion: <sip:+15550100@h>;reason=no-answer, <tel:+1-555-0101>, junk <",
        b"History-Info: <sip:+15550100@h>;index=1, <sip:+15550777@h?Reason=SIP%3Bcause%3D302>;index=1.1",
    ))  # fmt: skip
    assert found == (b"sip:+15550100@h", b"tel:+1-555-0101")


def test_whom_the_passports_were_for() -> None:
    """And To, where the Request-URI is another."""
    lines = (b"Identity: " + value(claims(dest="15550100")), b"Identity: " + div_value("15550100", "15550111"))
    found = forwarders(request(*lines, b"Identity: " + compact_form(), b"Identity: junk", to=b"sip:ann@h"))
    assert found == (b"sip:ann@h", b"tel:+15550100", b"tel:+15550111")


def test_a_call_that_nobody_forwarded() -> None:
    assert forwarders(request(b"Identity: " + value(claims(dest="15550777")))) == ()
    assert forwarders(request(to=b"sip:+15550100@h")) == ()
