"""An attended transfer through a real process: REFER with Replaces, and the call that it leads to.

phone ── Sipveil ── trunk       the phone has two calls with the trunk, and joins their other ends
"""

from __future__ import annotations

from urllib.parse import quote_from_bytes, unquote_to_bytes

from filters.leaks import Search
from proxy.headers import parse_name_addr
from tests.agents import Packet, read
from tests.real.desk import Desk
from tests.real.harness import PHONE, TRUNK, Lab, Sipveil

SECRETS = Search([b"Quandtner", b"ottilie", PHONE.encode(), b"rueckfrage", b"erster"])


def test_attended_transfer(lab: Lab, sipveil: Sipveil) -> None:
    """The trunk learns which of its own calls is to be replaced, by its own names for it, and nothing of the phone."""
    trunk = lab.keep(Desk("trunk", TRUNK, sipveil.address, b"gateway"))
    phone = lab.keep(Desk("phone", PHONE, sipveil.address, b"ottilie", b'"Ottilie Quandtner" '))
    sipveil.configure(trunk.address)
    sipveil.start()

    def call(name: bytes, tag: bytes) -> tuple[Packet, bytes, bytes]:
        """Return the INVITE, as the trunk got it, and the answer as the phone got it."""
        invite = phone.agent.invite(call_id=name + b"@" + phone.agent.host, branch=b"z9hG4bK" + name, tag=b"from" + tag)
        phone.send(Packet(invite.source, invite.data.replace(b"IP4 10.1.1.23\r\nt=", b"IP4 203.0.113.20\r\nt=")))
        got = trunk.take(b"INVITE")
        trunk.send(trunk.agent.answer(got, 200, tag=b"to" + tag))
        ok = phone.take(200)
        assert read(ok).call_id == read(invite.data).call_id
        return invite, got, ok

    first, _, first_ok = call(b"erster", b"1")
    second, second_got, second_ok = call(b"rueckfrage", b"2")
    replaces = read(second.data).call_id + b";to-tag=to2;from-tag=from2"
    target = parse_name_addr(read(second_ok).items(b"contact")[0]).uri
    refer_to = b"Refer-To: <%b?Replaces=%b>" % (target, quote_from_bytes(replaces, safe="").encode())
    phone.send(phone.agent.within(b"REFER", first_ok, own=first, headers=(refer_to,)))
    refer = trunk.take(b"REFER")
    trunk.send(trunk.agent.answer(refer, 202))
    phone.take(202)

    uri, _, embedded = parse_name_addr(read(refer).items(b"refer-to")[0]).uri.partition(b"?Replaces=")
    assert unquote_to_bytes(embedded).startswith(read(second_got).call_id + b";")
    notify = trunk.agent.within(
        b"NOTIFY", refer, own=trunk.agent.answer(refer, 202), cseq=1, contact=False,
        headers=(b"Event: refer", b"Subscription-State: active;expires=60", b"Content-Type: message/sipfrag"),
        body=b"SIP/2.0 100 Trying\r\n",
    )  # fmt: skip
    trunk.send(notify)
    told = phone.take(b"NOTIFY")
    assert (read(told).call_id, read(told).to_tag) == (read(first.data).call_id, b"from1")
    phone.send(phone.agent.answer(told, 200))
    trunk.take(200)

    lines = (b"Content-Type: application/sdp", b"Replaces: " + unquote_to_bytes(embedded))
    trunk.send(trunk.agent.invite(uri=uri, call_id=b"transfer@carrier.example", branch=b"z9hG4bKt", headers=lines))
    got = read(trunk.take(b"INVITE"))
    assert got.uri == b"sip:gateway@" + trunk.agent.host
    assert got.values(b"replaces") == [read(second_got).call_id + b";to-tag=to2;from-tag=from2"]
    assert {SECRETS.secrets[one.secret] for data in phone.sent for one in SECRETS(data)} == set(SECRETS.secrets)
    assert [one for data in trunk.received for one in SECRETS(data)] == []
