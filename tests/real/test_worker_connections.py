"""Connections and registrations with two workers: who has the connection, who owns the call and who owns the address of
record are different processes as often as not, and one of them may be killed."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import time

import pytest

from proxy.registered_address import address_of_record
from proxy.registration_owner import owner_of_address
from tests.agents import Packet, read
from tests.phones import contacts
from tests.real.desk import Desk
from tests.real.harness import PHONE, TRUNK, Address, Lab, Sipveil, free_port, is_bound, wait_for
from tests.real.sections import AUTHORITY, secure, stream
from tests.real.sipp import arguments, towards
from tests.real.stream_phone import DOMAIN, StreamPhone
from tests.real.test_registrar import REGISTRAR, DeskPhone
from tests.real.test_streams import CALLS, RATE, TlsEnd, listens
from tests.real.test_workers import PUBLISHED, workers
from tests.tls import TlsAuthority

PHONES = 12
MANY = 20
"""So many connections that none of two workers gets all of them, but once in 2^19 times."""
ALLOWED = 6
"""Connections of one address in a test of that limit."""


@pytest.fixture
def pair(sipveil: Sipveil) -> Sipveil:
    """Return a proxy of two workers with a TCP listener beside UDP, not yet configured."""
    sipveil.workers = 2
    sipveil.sections = stream("tcp", sipveil.address, "tcp")
    return sipveil


@pytest.fixture
def carrier(lab: Lab, pair: Sipveil) -> Desk:
    """Return the trunk, with Sipveil configured as registrar and running."""
    desk = lab.keep(Desk("carrier", TRUNK, pair.address, b"carrier"))
    pair.sections += REGISTRAR
    _registrar(pair, desk)
    pair.start()
    return desk


def _registrar(pair: Sipveil, desk: Desk) -> None:
    pair.configure(desk.address)
    text = pair.config.read_text()
    pair.config.write_text(text.replace('source = "trunk"\nto = ["access"]', 'source = "trunk"\nto = ["registered"]'))


def number(place: int) -> bytes:
    return b"+49305550173%02d" % place


def phones(
    lab: Lab, pair: Sipveil, tls: ssl.SSLContext | None = None, port: int = 0, count: int = PHONES
) -> list[StreamPhone]:  # fmt: skip
    proxy = (pair.address[0], port or pair.address[1])
    return [lab.keep(StreamPhone(f"phone{place}", proxy, number(place), tls)) for place in range(count)]


def refuse(carrier: Desk, sent: Packet, *rung: Desk) -> None:
    """Let phones refuse a call, and the trunk hear it."""
    for phone in rung:
        phone.send(phone.agent.answer(phone.take(b"INVITE"), 486, tag=b"x%d" % phone.address[1]))
    carrier.send(carrier.agent.ack_failure(sent, carrier.take(486)))
    for phone in rung:
        phone.take(b"ACK")


def ring(carrier: Desk, pair: Sipveil, phone: StreamPhone, turns: bytes) -> None:
    """Call a phone by Call-IDs that meet either worker; it refuses."""
    for turn in range(4):
        name = b"%b%d%b" % (turns, turn, phone.agent.user[1:])
        refuse(carrier, invite(carrier, pair, phone.agent.user, name), phone)


def miss(carrier: Desk, pair: Sipveil, phone: StreamPhone) -> None:
    """Call a phone that is not there, by either worker: the caller hears it at once."""
    for turn in range(4):
        invite(carrier, pair, phone.agent.user, b"lost%d%b" % (turn, phone.agent.user[1:]))
        carrier.take(480, 2.0)


def invite(carrier: Desk, pair: Sipveil, user: bytes, name: bytes) -> Packet:
    host, port = pair.address
    uri = b"sip:%b@%b:%d" % (user, host.encode(), port)
    sent = carrier.agent.invite(uri=uri, call_id=name + b"@carrier", branch=b"z9hG4bK" + name)
    carrier.send(sent)
    return sent


def answered(carrier: Desk, phone: StreamPhone, sent: Packet) -> tuple[bytes, bytes, Packet]:
    """Let a phone answer a call; return the INVITE that it got, the 200 that the trunk got, and what it answered."""
    got = phone.take(b"INVITE")
    answer = phone.agent.answer(got, 200)
    phone.send(answer)
    ok = carrier.take(200)
    branch = b"z9hG4bKack" + read(sent.data).call_id.partition(b"@")[0]
    carrier.send(carrier.agent.within(b"ACK", ok, own=sent, cseq=1, branch=branch))
    phone.take(b"ACK")
    return got, ok, answer


def test_a_phone_is_found_as_soon_as_it_has_its_200(lab: Lab, pair: Sipveil, carrier: Desk) -> None:
    """Calls of many Call-IDs follow each REGISTER at once, ring over its connection, and end from either side."""
    for place, phone in enumerate(phones(lab, pair)):
        phone.register()
        for turn in range(3):
            sent = invite(carrier, pair, number(place), b"in%dx%d" % (place, turn))
            got, ok, answer = answered(carrier, phone, sent)
            branch = b"z9hG4bKend%dx%d" % (place, turn)
            if turn % 2:
                phone.send(phone.agent.within(b"BYE", got, own=answer, branch=branch))
                carrier.send(carrier.agent.answer(carrier.take(b"BYE"), 200))
                phone.take(200)
            else:
                carrier.send(carrier.agent.within(b"BYE", ok, own=sent, branch=branch))
                phone.send(phone.agent.answer(phone.take(b"BYE"), 200))
                carrier.take(200)
        phone.register(b"Expires: 0", contact=b"*")
        invite(carrier, pair, number(place), b"gone%d" % place)
        carrier.take(480)
    carrier.settle()
    time.sleep(PUBLISHED)
    numbers = pair.metrics()
    assert all(f'sipveil_worker_messages_sent_by_others_total{{worker="{each}"}}' in numbers for each in range(2))
    assert not any("datagrams_lost" in name for name in numbers)


def test_the_order_of_registers_counts_whoever_reads_them(lab: Lab, pair: Sipveil, carrier: Desk) -> None:
    """One Call-ID over several connections: an older CSeq is refused, and the 200 lists what there is."""
    first, second = phones(lab, pair)[:2]
    first.register()
    for each in (first, second) * 3:
        request = first.phone.register(uri=b"sip:" + DOMAIN, domain=DOMAIN)
        each.send(request)
        assert len(contacts(each.take(200))) == 1
    second.send(first.phone.register(uri=b"sip:" + DOMAIN, domain=DOMAIN, cseq=2))
    second.take(400)
    carrier.settle()


def test_tls_phones_are_called(lab: Lab, sipveil: Sipveil) -> None:
    """As over TCP; and a reload gives both workers the new certificate, and closes no connection."""
    state = lab.folder / "state"
    state.mkdir(mode=0o700)
    authority = TlsAuthority(state)
    authority.issue("own", dns=["sip.example.net"])
    port = free_port(sipveil.address[0])
    sipveil.workers = 2
    sipveil.sections = secure("secure", (sipveil.address[0], port), ca=AUTHORITY) + REGISTRAR
    carrier = lab.keep(Desk("carrier", TRUNK, sipveil.address, b"carrier"))
    _registrar(sipveil, carrier)
    sipveil.start()
    context = ssl.create_default_context(cafile=str(state / "Test-authority.pem"))
    ends = phones(lab, sipveil, context, port)
    before = [_certificate(each) for each in ends]
    for place, phone in enumerate(ends):
        phone.register()
        sent = invite(carrier, sipveil, number(place), b"tls%d" % place)
        answered(carrier, phone, sent)
    authority.issue("own", dns=["sip.example.net"])
    sipveil.runs[-1].signal(signal.SIGHUP)
    wait_for("the reload", lambda: "reload" in sipveil.runs[-1].output or None)
    time.sleep(1)
    fresh = phones(lab, sipveil, context, port)
    assert not {_certificate(each) for each in fresh} & set(before)
    assert not any(each.has_lost_its_connection() for each in ends)
    carrier.settle()


def _certificate(phone: StreamPhone) -> bytes:
    sock = phone._socket
    assert isinstance(sock, ssl.SSLSocket)
    return sock.getpeercert(binary_form=True) or b""


def test_a_worker_is_killed(lab: Lab, pair: Sipveil, carrier: Desk) -> None:
    """Its connections are gone, and nobody else's; who is registered stays known to all, the new one included.

    A call to a phone whose connection is gone is refused at once; back and registered, it gets the rest of its call.
    """
    ends = phones(lab, pair, count=MANY)
    calls = []
    for place, phone in enumerate(ends):
        phone.register()
        sent = invite(carrier, pair, number(place), b"up%d" % place)
        calls.append((phone, sent, *answered(carrier, phone, sent)))
    datagram = [lab.keep(DeskPhone(lab, pair, f"udp{place}")) for place in range(2)]
    for each in datagram:
        each.register()
    os.kill(workers(pair)[0], signal.SIGKILL)
    wait_for("the worker to be back", lambda: "workers ready: 2 of 2" in pair.runs[-1].output or None)
    lost = [phone for phone in ends if phone.has_lost_its_connection()]
    assert 0 < len(lost) < MANY
    for phone in ends:
        if phone in lost:
            miss(carrier, pair, phone)
        else:
            ring(carrier, pair, phone, b"left")
    for turn in range(4):
        refuse(carrier, invite(carrier, pair, datagram[0].agent.user, b"datagram%d" % turn), *datagram)
    carrier.settle()
    for phone, sent, _, ok, _ in calls:
        name = phone.agent.user[1:]
        if phone in lost:
            carrier.send(carrier.agent.within(b"INFO", ok, own=sent, cseq=2, branch=b"z9hG4bKi" + name))
            carrier.take(480, 2.0)
            phone.connect()
            phone.register()
        carrier.send(carrier.agent.within(b"BYE", ok, own=sent, cseq=3, branch=b"z9hG4bKb" + name))
        phone.send(phone.agent.answer(phone.take(b"BYE"), 200))
        carrier.take(200)


def test_a_worker_that_hangs_holds_nobody_up(lab: Lab, pair: Sipveil, carrier: Desk) -> None:
    """Who is the other's registers and is called; what was told the one that hung it knows when it goes on."""
    ends = phones(lab, pair)
    slow = workers(pair)[1]
    os.kill(slow, signal.SIGSTOP)
    served = []
    try:
        for place, phone in enumerate(ends):
            aor = address_of_record(number(place), DOMAIN)
            if owner_of_address(aor, 2) == 0 and _answers(phone):
                phone.register()
                served.append(phone)
    finally:
        os.kill(slow, signal.SIGCONT)
    assert served
    for phone in served:
        ring(carrier, pair, phone, b"slow")
    carrier.settle()


def _answers(phone: StreamPhone) -> bool:
    """Tell whether the worker runs that has a phone's connection: it answers a ping (RFC 5626 §4.4.1)."""
    phone._socket.sendall(b"\r\n\r\n")
    phone._socket.settimeout(0.5)
    try:
        return phone._socket.recv(2) == b"\r\n"
    except TimeoutError:
        return False


@pytest.mark.parametrize("trunk_over", ["u1", "t1", "tls"])
def test_sipp_calls_over_many_connections(lab: Lab, pair: Sipveil, trunk_over: str) -> None:
    """Phones on TCP, a trunk on UDP, TCP or TLS: every call goes as written, whoever has which end of it."""
    inner = trunk = (TRUNK, free_port(TRUNK))
    listener = "tcp" if trunk_over == "t1" else "main"
    if trunk_over == "tls":
        state = lab.folder / "state"
        state.mkdir(mode=0o700)
        authority = TlsAuthority(state)
        authority.issue("own", dns=["sip.example.net"])
        end = lab.keep(TlsEnd(authority, inner))
        trunk, listener = end.address, 'secure"\ntls_name = "carrier.example'
        pair.sections += secure("secure", (pair.address[0], free_port(pair.address[0])), ca=AUTHORITY)
    pair.configure(trunk)
    head, rest = pair.config.read_text().split("[[trunks]]", 1)
    pair.config.write_text(f"{head}[[trunks]]" + rest.replace('listener = "main"', f'listener = "{listener}"', 1))
    pair.start()
    over = "u1" if trunk_over == "u1" else "t1"
    callee = lab.start("trunk", [*arguments("trunk_call", inner, trunk, calls=CALLS, talk=200), "-t", over])
    ready = is_bound if over == "u1" else listens
    wait_for("SIPp to listen", lambda: ready(inner) or None)
    called = arguments("caller_call", (PHONE, free_port(PHONE)), trunk, calls=CALLS, talk=200)
    # One a call: when it may have no more, SIPp writes to the one that it listens with.
    caller = lab.start("caller", [*called, *towards(pair.address, RATE), "-t", "tn", "-max_socket", "64"])
    assert (caller.wait(40), callee.wait(40)) == (0, 0)
    time.sleep(PUBLISHED)
    numbers = pair.metrics()
    assert numbers['sipveil_calls_total{zone="trunk"}'] == CALLS
    assert numbers['sipveil_connections_opened_total{direction="in"}'] > 4
    assert numbers.get('sipveil_connections_opened_total{direction="out"}', 0) == (0 if trunk_over == "u1" else 2)
    assert not any("datagrams_lost" in name for name in numbers)


def test_one_address_has_so_many_connections_at_all_workers_together(lab: Lab, pair: Sipveil) -> None:
    """Whichever of them takes each; and those of one that is killed make room."""
    pair.sections += f"\n[streams]\nper_source = {ALLOWED}\n"
    pair.configure((TRUNK, free_port(TRUNK)))
    pair.start()
    phones = [_Pinging(pair.address) for _ in range(MANY)]
    open_ = [phone for phone in phones if phone.is_open()]
    assert len(open_) == ALLOWED
    before = workers(pair)
    os.kill(before[0], signal.SIGKILL)
    wait_for("another worker", lambda: len(set(workers(pair)) - set(before)) == 1 or None)
    wait_for("its connections to end", lambda: sum(phone.is_open() for phone in open_) < ALLOWED or None)
    time.sleep(PUBLISHED)
    phones += (more := [_Pinging(pair.address) for _ in range(MANY)])
    assert sum(phone.is_open() for phone in open_ + more) == ALLOWED
    for phone in phones:
        phone.close()


class _Pinging:
    """A connection that sends nothing but pings."""

    def __init__(self, proxy: Address) -> None:
        self._socket = socket.create_connection(proxy, 5, (PHONE, 0))
        self.is_open()  # so that the next one comes when this one has been counted

    def is_open(self) -> bool:
        """Tell whether a ping gets its pong."""
        try:
            self._socket.sendall(b"\r\n\r\n")
            return bool(self._socket.recv(2))
        except ConnectionError:
            return False

    def close(self) -> None:
        self._socket.close()
