"""What fails beneath a running Sipveil: disk, store, certificates, clock. docs/threat-model.md states the outcomes.

Each failure is that of the real thing: the system refuses a write, a file is gone, a certificate ends, the wall clock
is another. The interface has a file of its own (test_interface.py), name servers are in test_location.py.
"""

from __future__ import annotations

import itertools
import resource
import signal
import sqlite3
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from config.account import AccountChange, secret_of
from config.store.account_book import AccountBook
from tests.accounts import again, challenges, proof
from tests.agents import Packet, read
from tests.phones import Phone
from tests.real.desk import Desk
from tests.real.harness import PHONE, TRUNK, Lab, Sipveil, free_port, now, program, wait_for
from tests.real.sections import AUTHORITY, secure
from tests.real.stream_desk import StreamDesk
from tests.tls import TlsAuthority

REALM = b"sip.example.net"
REGISTRAR = """
[registrar]
domains = ["sip.example.net"]
"""
ACCOUNTS = """
[subscribers]
poll = 0.2

[authentication]
realm = "sip.example.net"
algorithms = ["SHA-256"]
nonce_life = 300
"""
UNLIMITED = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


class Handset(Desk):
    """A phone on UDP that registers and calls, with an account or without."""

    def __init__(self, lab: Lab, sipveil: Sipveil, user: bytes, password: str | None = None) -> None:
        super().__init__(user.decode(), PHONE, sipveil.address, user)
        self.phone = Phone(self.address, user, call_id=b"reg-%b" % user)
        self._user, self._password = user, password
        self._numbers = itertools.count(1)
        self._branches = itertools.count(1)
        lab.keep(self)

    def register(self, seconds: float = 5.0) -> bytes:
        """Register, proving the account where it has to; return the 200."""
        packet = self.phone.register(uri=b"sip:" + REALM, domain=REALM)
        self.send(packet)
        if self._password is None:
            return self.take(200, seconds)
        return self.prove(packet, self.take(401, seconds), 200)

    def prove(self, packet: Packet, challenge: bytes, status: int) -> bytes:
        """Answer a challenge; return the answer to that."""
        self.phone.cseq += 1
        header = proof(packet, challenge, self._user.decode(), self._password)
        branch = b"z9hG4bKp%b%d" % (self._user, next(self._branches))
        self.send(again(packet, header, branch=branch, cseq=read(packet.data).cseq + 1))
        return self.take(status)

    def invite(self) -> Packet:
        """Send an INVITE of a new call."""
        number = next(self._numbers)
        host, port = self._proxy
        invite = self.agent.invite(
            uri=b"sip:+15550100@%b:%d" % (host.encode(), port), call_id=b"c%d-%b@phone" % (number, self._user),
            branch=b"z9hG4bKc%b%d" % (self._user, number),
        )  # fmt: skip
        self.send(invite)
        return invite


def configured(lab: Lab, sipveil: Sipveil, sections: str) -> Desk:
    """Return the trunk of a Sipveil that is configured and does not run; calls of it reach registered phones."""
    carrier = lab.keep(Desk("carrier", TRUNK, sipveil.address, b"carrier"))
    sipveil.sections = sections
    sipveil.configure(carrier.address)
    text = sipveil.config.read_text()
    if "[registrar]" in sections:
        text = text.replace('source = "trunk"\nto = ["access"]', 'source = "trunk"\nto = ["registered"]')
    sipveil.config.write_text(text)
    return carrier


def account(lab: Lab, *names: bytes) -> None:
    """Make the store with these accounts, before anything runs."""
    book = AccountBook(lab.folder / "state" / "subscribers.db", create=True)
    for name in names:
        text = name.decode()
        secret = secret_of(text, REALM.decode(), f"pw-{text}")
        assert book.add(AccountChange(text, REALM.decode(), secret, (f"{text}@sip.example.net",)), 0.0)


_CALLS = itertools.count(1)


def rings(carrier: Desk, sipveil: Sipveil, phone: Handset) -> None:
    """Let the trunk call a phone, which rings and is busy."""
    number = next(_CALLS)
    host, port = sipveil.address
    uri = b"sip:%b@%b:%d" % (phone.phone.user, host.encode(), port)
    carrier.send(carrier.agent.invite(uri=uri, call_id=b"in%d@carrier" % number, branch=b"z9hG4bKin%d" % number))
    phone.send(phone.agent.answer(phone.take(b"INVITE"), 486))
    carrier.take(486)
    carrier.settle()
    phone.settle()


def calls(carrier: Desk, phone: Desk, invite: Packet) -> tuple[Packet, bytes, bytes, Packet]:
    """Let the trunk answer a call; return it, up."""
    invited = carrier.take(b"INVITE")
    answer = carrier.agent.answer(invited, 200)
    carrier.send(answer)
    answered = phone.take(200)
    phone.send(phone.agent.within(b"ACK", answered, own=invite, cseq=read(answered).cseq))
    carrier.take(b"ACK")
    return invite, answered, invited, answer


def within(carrier: Desk, phone: Desk, call: tuple[Packet, bytes, bytes, Packet], method: bytes, cseq: int) -> None:
    """Let each side send a request within a call."""
    invite, answered, invited, answer = call
    branch = b"z9hG4bKw%b%d" % (method, cseq)
    phone.send(phone.agent.within(method, answered, own=invite, cseq=cseq, branch=branch))
    carrier.send(carrier.agent.answer(carrier.take(method), 200))
    phone.take(200)
    carrier.send(carrier.agent.within(method, invited, own=answer, cseq=cseq, branch=branch + b"c"))
    phone.send(phone.agent.answer(phone.take(method), 200))
    carrier.take(200)


def gauge(sipveil: Sipveil, name: str, value: float) -> Callable[[], bool | None]:
    """Return what tells whether a number has a value."""
    return lambda: sipveil.metrics().get(f"sipveil_{name}", 0) == value or None


# --- disk


def test_a_disk_that_is_full_keeps_no_phone_out(lab: Lab, sipveil: Sipveil) -> None:
    """Nobody can write, the log included: phones register and ring; with room again, what was missed is kept."""
    carrier = configured(lab, sipveil, REGISTRAR + "unauthenticated = true\n")
    sipveil.start()
    first, second = (Handset(lab, sipveil, name) for name in (b"alice", b"bob"))
    first.register()
    wait_for("alice to be saved", gauge(sipveil, "registrations_unsaved", 0))
    resource.prlimit(sipveil.runs[-1].pid, resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
    second.register()
    rings(carrier, sipveil, second)
    rings(carrier, sipveil, first)
    wait_for("the trouble to be told", gauge(sipveil, "registrations_store_failing", 1))
    calls(carrier, first, first.invite())
    resource.prlimit(sipveil.runs[-1].pid, resource.RLIMIT_FSIZE, UNLIMITED)
    wait_for("bob to be saved", gauge(sipveil, "registrations_unsaved", 0))
    sipveil.kill()
    sipveil.start()
    rings(carrier, sipveil, second)
    rings(carrier, sipveil, first)


def command(sipveil: Sipveil, *arguments: str, given: str = "", limit: int | None = None) -> tuple[int, str]:
    """Run a command of Sipveil's that may let no file grow beyond limit; return its exit code and what it said."""
    done = subprocess.run(
        [Path(sys.executable).parent / "sipveil", *arguments, "--config", sipveil.config], input=given, text=True,
        capture_output=True, check=False, timeout=60,
        preexec_fn=None if limit is None else lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_accounts_and_keys_on_a_full_disk(lab: Lab, sipveil: Sipveil) -> None:
    """Commands say so and change nothing; phones prove themselves by what was there, and calls go on."""
    account(lab, b"alice")
    carrier = configured(lab, sipveil, ACCOUNTS + REGISTRAR)
    sipveil.start()
    alice = Handset(lab, sipveil, b"alice", "pw-alice")
    alice.register()
    ring = command(sipveil, "keys", "show")
    for arguments, given in ((("account", "add", "bob", "--password-file", "-"), "pw-bob-long-enough\n"),
                             (("keys", "add"), "")):  # fmt: skip
        code, said = command(sipveil, *arguments, given=given, limit=100)
        assert code != 0
        assert "Traceback" not in said
        assert "pw-bob" not in said
        assert said.strip()
    assert command(sipveil, "keys", "show") == ring
    assert "bob" not in command(sipveil, "account", "list")[1]
    alice.register()
    rings(carrier, sipveil, alice)
    assert command(sipveil, "account", "add", "bob", "--password-file", "-", given="pw-bob\n")[0] == 0
    bob = Handset(lab, sipveil, b"bob", "pw-bob")
    time.sleep(0.5)
    bob.register()


# --- stores


def remove(file: Path) -> None:
    for each in file.parent.glob(f"{file.name}*"):
        each.unlink()


def corrupt(file: Path) -> None:
    for each in file.parent.glob(f"{file.name}*"):
        each.write_bytes(b"\xa5" * max(8192, each.stat().st_size))


@pytest.mark.parametrize("harm", [remove, corrupt])
def test_a_store_of_registrations_that_is_lost_under_a_running_registrar(
    lab: Lab, sipveil: Sipveil, harm: Callable[[Path], None]
) -> None:
    """Phones register and ring; a store that is gone is made anew with all who are known, a damaged one is told of."""
    carrier = configured(lab, sipveil, REGISTRAR + "unauthenticated = true\n")
    sipveil.start()
    first, second = (Handset(lab, sipveil, name) for name in (b"alice", b"bob"))
    first.register()
    wait_for("alice to be saved", gauge(sipveil, "registrations_unsaved", 0))
    time.sleep(0.5)
    harm(lab.folder / "state" / "registrations.db")
    second.register()
    rings(carrier, sipveil, first)
    rings(carrier, sipveil, second)
    if harm is corrupt:
        wait_for("the trouble to be told", gauge(sipveil, "registrations_store_failing", 1))
        remove(lab.folder / "state" / "registrations.db")  # as an operator would
    wait_for("all to be saved", gauge(sipveil, "registrations_unsaved", 0))
    wait_for("a new store", lambda: (lab.folder / "state" / "registrations.db").exists() or None)
    time.sleep(1)
    sipveil.kill()
    sipveil.start()
    rings(carrier, sipveil, second)
    rings(carrier, sipveil, first)


def test_a_store_of_registrations_that_somebody_locks(lab: Lab, sipveil: Sipveil) -> None:
    """Whoever holds it holds up no phone; what waited is written when the lock is gone."""
    carrier = configured(lab, sipveil, REGISTRAR + "unauthenticated = true\n")
    sipveil.start()
    phone = Handset(lab, sipveil, b"alice")
    with sqlite3.connect(lab.folder / "state" / "registrations.db", isolation_level=None) as lock:
        lock.execute("BEGIN EXCLUSIVE")
        phone.register(1.0)
        rings(carrier, sipveil, phone)
        time.sleep(3)
        phone.register(1.0)
        assert sipveil.metrics()["sipveil_registrations_unsaved"] == 1
        lock.execute("ROLLBACK")
    lock.close()
    wait_for("alice to be saved", gauge(sipveil, "registrations_unsaved", 0))
    sipveil.kill()
    sipveil.start()
    rings(carrier, sipveil, phone)


@pytest.mark.parametrize("harm", [remove, corrupt])
def test_a_store_of_accounts_that_is_lost_under_a_running_proxy(
    lab: Lab, sipveil: Sipveil, harm: Callable[[Path], None]
) -> None:
    """Who had an account has it still; a wrong password is wrong still; it is told."""
    account(lab, b"alice")
    carrier = configured(lab, sipveil, ACCOUNTS + REGISTRAR)
    sipveil.start()
    harm(lab.folder / "state" / "subscribers.db")
    wait_for("the trouble to be told", gauge(sipveil, "subscribers_knowledge", 1))
    alice, liar = Handset(lab, sipveil, b"alice", "pw-alice"), Handset(lab, sipveil, b"alice", "wrong")
    alice.register()
    rings(carrier, sipveil, alice)
    packet = liar.phone.register(uri=b"sip:" + REALM, domain=REALM, call_id=b"liar")
    liar.send(packet)
    liar.prove(packet, liar.take(401), 401)
    invite = alice.invite()
    challenge = alice.take(407)
    alice.send(alice.agent.ack_failure(invite, challenge))
    header = proof(invite, challenge, "alice")
    proved = again(invite, header, branch=b"z9hG4bKproved")
    alice.send(proved)
    calls(carrier, alice, proved)
    carrier.settle()


# --- certificates


def test_a_certificate_that_ends_while_calls_are_up(lab: Lab, sipveil: Sipveil) -> None:
    """Connections go on, theirs and ours; new ones are the peer's to refuse, and a reload with a new one mends it."""
    state = lab.folder / "state"
    state.mkdir(mode=0o700)
    authority = TlsAuthority(state)
    authority.issue("own", dns=["sip.example.net"], days=1)
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    client = ssl.create_default_context(cafile=str(authority.file))
    trunk = lab.keep(StreamDesk("trunk", TRUNK, b"gw", context=server))
    port = free_port(sipveil.address[0])
    reached = sipveil.address[0], port
    sipveil.sections = secure("secure", reached, ca=AUTHORITY)
    sipveil.configure(trunk.address)
    sipveil.reach_trunk_by("secure", "carrier.example")
    began = now()
    sipveil.start()
    # Long enough to be put in place and used, however busy the machine is: twice what a whole start takes.
    life = (8 + 2 * (now() - began)) / 86_400
    authority.issue("own", dns=["sip.example.net"], days=life)
    server.load_cert_chain(*authority.issue("trunk", dns=["carrier.example"], days=life))
    sipveil.runs[-1].signal(signal.SIGHUP)
    wait_for("the reload", lambda: ": generation 2, hash" in sipveil.runs[-1].output or None)

    def connected() -> StreamDesk:
        return lab.keep(StreamDesk("phone", PHONE, b"alice", proxy=reached, context=client, asks_for="sip.example.net"))

    phone = connected()
    uri = b"sip:+15550100@" + sipveil.address[0].encode()

    def invite(over: StreamDesk, number: int) -> Packet:
        packet = over.agent.invite(uri=uri, call_id=b"t%d" % number, branch=b"z9hG4bKt%d" % number)
        over.send(packet)
        return packet

    call = calls(trunk, phone, invite(phone, 1))
    wait_for("the certificate to end", gauge(sipveil, "tls_certificates_invalid", 1), life * 86_400 + 10)
    time.sleep(1.1)  # OpenSSLs do not agree whether the last second belongs to it
    within(trunk, phone, call, b"INFO", 2)
    calls(trunk, phone, invite(phone, 2))
    assert trunk.opened == 1
    with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
        connected()
    # The trunk's own has ended too: a new connection to it is none, and the caller hears so at once.
    trunk.hang_up()
    refused = invite(phone, 3)
    trunk.hear(1)
    answer = phone.take(500)
    phone.send(phone.agent.ack_failure(refused, answer))
    server.load_cert_chain(*authority.issue("trunk", dns=["carrier.example"], days=1))
    authority.issue("own", dns=["sip.example.net"], days=1)
    sipveil.runs[-1].signal(signal.SIGHUP)
    wait_for("the reload", lambda: ": generation 3, hash" in sipveil.runs[-1].output or None)
    within(trunk, phone, call, b"INFO", 4)
    anew = connected()
    calls(trunk, anew, invite(anew, 4))


# --- clock


def clock_of(sipveil: Sipveil, lab: Lab) -> Path:
    """Let Sipveil believe a wall clock that a file sets; its monotonic clock is the system's, as a real one's is."""
    program("faketime", "faketime")
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    if not found:
        pytest.skip("libfaketime.so.1 is not where Debian has it: apt-get install faketime")
    file = lab.folder / "clock"
    file.write_text("+0")
    sipveil.prefix = (
        "/usr/bin/env", f"LD_PRELOAD={found[0]}", f"FAKETIME_TIMESTAMP_FILE={file}", "FAKETIME_NO_CACHE=1",
        "FAKETIME_DONT_FAKE_MONOTONIC=1",
    )  # fmt: skip
    return file


@pytest.mark.parametrize("hours", [5, -5])
def test_a_wall_clock_that_jumps_under_a_running_proxy(lab: Lab, sipveil: Sipveil, hours: int) -> None:
    """Timers go on by the monotonic clock; calls and registrations stay; nonces are stale at worst."""
    account(lab, b"alice")
    carrier = configured(lab, sipveil, ACCOUNTS + REGISTRAR + "\n[timers]\nt1 = 0.1\nt2 = 0.4\n")
    clock = clock_of(sipveil, lab)
    sipveil.start()
    alice = Handset(lab, sipveil, b"alice", "pw-alice")
    alice.register()
    invite = alice.invite()
    challenge = alice.take(407)
    alice.send(alice.agent.ack_failure(invite, challenge))
    proved = again(invite, proof(invite, challenge, "alice"), branch=b"z9hG4bKproved")
    alice.send(proved)
    call = calls(carrier, alice, proved)
    clock.write_text(f"{hours:+d}h")
    # The shell looks at the wall clock each second; a challenge of before would be stale for a REGISTER too.
    time.sleep(3)
    real = time.time()  # noqa: TID251 - what the machine says, which the proxy does not know
    assert abs(told(alice.register()) - (real + hours * 3600)) < 60
    within(carrier, alice, call, b"INFO", 4)
    rings(carrier, sipveil, alice)
    # The phone goes on with its nonce. Ahead that is old, and the phone is not asked for its password: stale. Behind
    # it serves: no clock that is set back makes a stranger of who was just challenged (proxy/nonce.py).
    second = alice.invite()
    second = again(second, proof(second, challenge, "alice", uses=2), branch=b"z9hG4bKsecond")
    alice.take(407)
    began = now()
    alice.send(second)
    if hours > 0:
        stale = alice.take(407)
        assert challenges(stale)[0]["stale"] in ("true", "TRUE")
        third = again(second, branch=b"z9hG4bKthird", cseq=3)
        lines = [line for line in third.data.split(b"\r\n") if not line.startswith(b"Proxy-Authorization")]
        third = third._replace(data=b"\r\n".join(lines))
        third = again(third, proof(third, stale, "alice"), branch=b"z9hG4bKfourth", cseq=4)
        began = now()
        alice.send(third)
    # Nobody answers: repetitions and timer B go by seconds, not by the wall clock.
    for _ in range(3):
        carrier.take(b"INVITE")
    assert now() - began < 3
    alice.take(408, 10)
    assert 5 < now() - began < 9
    bound = read(alice.register()).items(b"contact")
    assert int(bound[0].partition(b";expires=")[2]) in range(3590, 3601)


def told(response: bytes) -> float:
    """Return the time that the Date of a response tells, in Unix seconds."""
    (line,) = (each for each in response.decode().split("\r\n") if each.startswith("Date: "))
    return parsedate_to_datetime(line[6:]).timestamp()
