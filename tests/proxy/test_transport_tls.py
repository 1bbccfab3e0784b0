"""TLS on real sockets: Python's own ssl as client and server, and Sipveil with itself."""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from OpenSSL import SSL
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread

from proxy.transport_tls import Tls, TlsError, contexts, is_peer, peer_names
from tests.proxy.streams import MESSAGE, Bench
from tests.tls import CLIENT, SERVER, TlsAuthority


class Site:
    """A TLS listener with two certificates, and what clients need."""

    def __init__(self, folder: Path, **terms: Any) -> None:
        self.authority = TlsAuthority(folder)
        first = self.authority.own("first", dns=["first.example", "*.wild.example"])
        second = self.authority.own("second", uris=["sip:second.example"], dns=["second.example"])
        self.tls = Tls(self.authority.files(first, second, **terms))
        self.bench = Bench(transport="TLS", tls=self.tls).listen()

    def context(self, certificate: str = "", **what: Any) -> ssl.SSLContext:
        """Return a client's context, with a certificate of that name if given."""
        made = ssl.create_default_context(cafile=str(self.authority.file))
        if certificate:
            made.load_cert_chain(*self.authority.issue(certificate, **what))
        return made

    def handshake(self, context: ssl.SSLContext, name: str | None = "first.example") -> Deferred[Any]:
        """Connect in a thread, for it blocks; the result is an ssl.SSLSocket."""

        def connect() -> ssl.SSLSocket:
            sock = socket.create_connection(self.bench.address, timeout=5)
            try:
                return context.wrap_socket(sock, server_hostname=name)
            except BaseException:
                sock.close()
                raise

        return deferToThread(connect)

    async def exchange(self, sock: ssl.SSLSocket) -> tuple[str, ...]:
        """Send a message and get an answer; return the names in the flow that the core saw."""
        seen = len(self.bench.core.received)
        await deferToThread(sock.sendall, MESSAGE)
        await self.bench.until(lambda: len(self.bench.core.received) > seen)
        flow = self.bench.core.received[-1][1]
        assert flow.transport == "TLS"
        assert self.bench.streams.send(flow, b"answer")
        assert await deferToThread(sock.recv, 6) == b"answer"
        return flow.identity


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def shown(sock: ssl.SSLSocket) -> str:
    names: Any = (sock.getpeercert() or {}).get("subjectAltName")
    return str(names[0][1])


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest_twisted.ensureDeferred
async def test_versions(folder: Path, version: ssl.TLSVersion) -> None:
    """1.2 and 1.3, with forward secrecy and authenticated encryption."""
    site = Site(folder)
    context = site.context()
    context.minimum_version = context.maximum_version = version
    sock = await site.handshake(context)
    assert await site.exchange(sock) == ()
    cipher = (sock.cipher() or ("",))[0]
    assert "GCM" in cipher or "CHACHA20" in cipher
    assert sock.compression() is None
    sock.close()
    await site.bench.close()


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
@pytest.mark.parametrize(
    "terms", ["TLSv1", "TLSv1_1", "AES256-SHA", "ECDHE-ECDSA-AES128-SHA256", "DHE-RSA-AES128-GCM-SHA256"]
)
@pytest_twisted.ensureDeferred
async def test_what_is_weak_is_refused(folder: Path, terms: str) -> None:
    """TLS 1.0 and 1.1; key exchange without forward secrecy; ciphers that are not authenticated (RFC 9325)."""
    site = Site(folder)
    context = site.context()
    if terms.startswith("TLS"):
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = ssl.TLSVersion[terms]
    else:
        context.set_ciphers(terms + ":@SECLEVEL=0")
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        await site.handshake(context)
    await site.bench.until(lambda: site.bench.counts["connections_closed handshake"])
    assert site.bench.core.received == []
    await site.bench.close()


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("first.example", "first.example"), ("second.example", "second.example"), ("SECOND.example", "second.example"),
        ("a.wild.example", "first.example"), (None, "first.example"), ("nobody.example", "first.example"),
    ],
)  # fmt: skip
@pytest_twisted.ensureDeferred
async def test_the_name_that_is_asked_for_chooses(folder: Path, asked: str | None, name: str) -> None:
    """SNI (RFC 6066 §3); without it, or for a name of nobody's, the first certificate."""
    site = Site(folder)
    context = site.context()
    context.check_hostname = False
    sock = await site.handshake(context, asked)
    assert name in str(sock.getpeercert())
    sock.close()
    await site.bench.close()


@pytest_twisted.ensureDeferred
async def test_names_of_a_verified_client_are_in_the_flow(folder: Path) -> None:
    """And of its own only: what it calls itself in SIP is not looked at."""
    site = Site(folder, clients=True)
    for usage in ([CLIENT], [SERVER], []):
        sock = await site.handshake(site.context("client", uris=["sip:carrier.example"], usage=usage))
        assert await site.exchange(sock) == ("carrier.example",)
        sock.close()
    await site.bench.close()


@pytest_twisted.ensureDeferred
async def test_a_certificate_may_be_asked_for_and_not_demanded(folder: Path) -> None:
    """Phones have none; who has one that nobody vouches for is refused all the same."""
    site = Site(folder, clients=True)
    sock = await site.handshake(site.context())
    assert await site.exchange(sock) == ()
    sock.close()
    await refused(site, stranger(folder, site))
    await site.bench.close()


@pytest_twisted.ensureDeferred
async def test_without_a_client_authority_nobody_is_named(folder: Path) -> None:
    """A certificate that was not asked for is not looked at."""
    site = Site(folder)
    sock = await site.handshake(site.context("client", dns=["carrier.example"]))
    assert await site.exchange(sock) == ()
    sock.close()
    await site.bench.close()


def stranger(folder: Path, site: Site) -> ssl.SSLContext:
    """Return a client with a certificate of somebody else's authority, by the same names."""
    (folder / "other").mkdir()
    other = TlsAuthority(folder / "other")
    context = site.context()
    context.load_cert_chain(*other.issue("client", uris=["sip:carrier.example"]))
    return context


async def refused(site: Site, context: ssl.SSLContext, name: str = "first.example") -> None:
    """Try to say something; the core hears nothing."""

    def attempt(sock: ssl.SSLSocket) -> bytes:
        sock.sendall(MESSAGE)
        return sock.recv(1)

    before = site.bench.counts["connections_closed handshake"]
    heard = len(site.bench.core.received)
    try:  # with TLS 1.3 a client only learns of it when it reads
        sock = await site.handshake(context, name)
    except (ssl.SSLError, ConnectionResetError):
        pass
    else:
        with pytest.raises((ssl.SSLError, ConnectionResetError)):
            await deferToThread(attempt, sock)
        sock.close()
    await site.bench.until(lambda: site.bench.counts["connections_closed handshake"] > before)
    assert len(site.bench.core.received) == heard


@pytest_twisted.ensureDeferred
async def test_mutual_tls(folder: Path) -> None:
    """No certificate, somebody else's, an expired one: refused; also where another of our names is asked for."""
    site = Site(folder, clients=True, require=True)
    sock = await site.handshake(site.context("client", dns=["carrier.example"]), "second.example")
    assert await site.exchange(sock) == ("carrier.example",)
    sock.close()
    await refused(site, site.context())
    await refused(site, site.context(), "second.example")
    await refused(site, stranger(folder, site))
    await refused(site, site.context("expired", dns=["carrier.example"], start=-9, days=-2))
    assert len(site.bench.core.received) == 1
    await site.bench.close()


@pytest_twisted.ensureDeferred
async def test_plain_text_and_silence(folder: Path) -> None:
    """SIP without TLS, and a handshake that never comes."""
    site = Site(folder)
    plain, silent = site.bench.client(), site.bench.client()
    plain.sendall(MESSAGE)
    await site.bench.ended(plain)
    assert site.bench.counts["connections_closed handshake"] == 1
    await site.bench.until(lambda: len(site.bench.streams) == 1)
    site.bench.look(21)
    await site.bench.ended(silent)
    assert site.bench.counts["connections_closed silent"] == 1
    assert site.bench.core.received == []
    assert site.bench.core.ended == []
    await site.bench.close()


@pytest_twisted.ensureDeferred
async def test_renewed_while_connected(folder: Path) -> None:
    """Who is connected stays so; who connects later sees the new certificate, and new authorities decide."""
    site = Site(folder)
    before = await site.handshake(site.context())
    renewed = site.authority.own("renewed", dns=["renewed.example", "first.example"])
    site.tls.renew(contexts(site.authority.files(renewed, clients=True, require=True)))
    after = await site.handshake(site.context("client", dns=["carrier.example"]))
    assert shown(after) == "renewed.example"
    assert await site.exchange(before) == ()
    assert await site.exchange(after) == ("carrier.example",)
    await refused(site, site.context())
    for each in (before, after):
        each.close()
    await site.bench.close()


@pytest_twisted.ensureDeferred
async def test_no_session_is_resumed(folder: Path) -> None:
    """A session from before a renewal would carry on what no longer holds."""
    site = Site(folder)
    context = site.context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    first = await site.handshake(context)
    session = first.session

    def again() -> bool | None:
        sock = socket.create_connection(site.bench.address, timeout=5)
        second = context.wrap_socket(sock, server_hostname="first.example", session=session)
        reused = second.session_reused
        second.close()
        return reused

    assert await deferToThread(again) is False
    first.close()
    await site.bench.close()


@pytest_twisted.ensureDeferred
async def test_no_session_of_tls_1_3_is_resumed_either(folder: Path) -> None:
    """Nor by somebody who has another certificate by now, or whose authority we believe no more."""
    site = Site(folder, clients=True)
    context = site.context("client", dns=["carrier.example"])
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    first = await site.handshake(context)
    assert await site.exchange(first) == ("carrier.example",)
    session = first.session
    context.load_cert_chain(*site.authority.issue("other", dns=["other.example"]))

    def again() -> ssl.SSLSocket:
        sock = socket.create_connection(site.bench.address, timeout=5)
        return context.wrap_socket(sock, server_hostname="first.example", session=session)

    second = await deferToThread(again)
    assert await site.exchange(second) == ("other.example",)
    assert second.session_reused is False
    for each in (first, second):
        each.close()
    await site.bench.close()


@pytest_twisted.ensureDeferred
async def test_nobody_negotiates_anew(folder: Path) -> None:
    """Each time costs us a computation with our key, and who is at the far end could change (RFC 9325 §3.5)."""
    site = Site(folder)

    def attempt() -> str:
        context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        context.set_max_proto_version(SSL.TLS1_2_VERSION)
        with socket.create_connection(site.bench.address, timeout=5) as sock:
            sock.setblocking(True)
            made = SSL.Connection(context, sock)
            made.set_connect_state()
            made.do_handshake()
            assert made.get_protocol_version_name() == "TLSv1.2"
            assert made.renegotiate()
            with pytest.raises(SSL.Error) as refused:
                made.do_handshake()
        return str(refused.value)

    assert "no renegotiation" in await deferToThread(attempt)
    await site.bench.until(lambda: not len(site.bench.streams))
    await site.bench.close()


@pytest.mark.parametrize("protocols", [["h2", "http/1.1"], ["sip/2"], ["x" * 255]])
@pytest_twisted.ensureDeferred
async def test_what_is_spoken_is_not_for_clients_to_choose(folder: Path, protocols: list[str]) -> None:
    """ALPN (RFC 7301): nothing is agreed to, and a browser's request ends the connection."""
    site = Site(folder)
    context = site.context()
    context.set_alpn_protocols(protocols)
    sock = await site.handshake(context)
    assert sock.selected_alpn_protocol() is None
    await deferToThread(sock.sendall, b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(MESSAGE) + MESSAGE)
    assert await deferToThread(sock.recv, 1) == b""
    assert site.bench.core.received == []
    sock.close()
    await site.bench.close()


@pytest.mark.parametrize("data", [
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"PROXY TCP4 198.51.100.7 192.0.2.1 1 5061\r\n",
    b"\x16\x03\x01\xff\xff" + b"x" * 70_000,
    b"\x80\x2e\x01\x00\x02" + b"\0" * 60, b"\0" * 20,
], ids=["HTTP", "PROXY", "a record too long", "SSL 2", "noise"])  # fmt: skip
@pytest_twisted.ensureDeferred
async def test_what_is_no_tls_is_the_end(folder: Path, data: bytes) -> None:
    site = Site(folder)
    client = site.bench.client()
    with suppress(BlockingIOError):
        client.sendall(data)
    await site.bench.ended(client)
    await site.bench.until(lambda: site.bench.counts["connections_closed handshake"])
    assert site.bench.core.received == []
    await site.bench.close()


# --- connections of ours


class Far:
    """A carrier's TLS server in a thread of its own, on Python's ssl."""

    def __init__(self, authority: TlsAuthority, **what: Any) -> None:
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.context.load_cert_chain(*authority.issue("far", **what))
        self.context.load_verify_locations(str(authority.file))
        self.sock = socket.create_server(("127.0.0.1", 0))
        self.peer: tuple[str, int] = self.sock.getsockname()
        self.asked: list[str | None] = []
        self.context.sni_callback = lambda sock, name, context: self.asked.append(name)

    def serve(self, size: int) -> Deferred[Any]:
        """Accept one connection and read so many bytes; the result is these and the client's certificate."""

        def run() -> tuple[bytes, Any]:
            self.sock.settimeout(5)
            taken, _ = self.sock.accept()
            taken.settimeout(5)
            try:
                secure = self.context.wrap_socket(taken, server_side=True)
            except (ssl.SSLError, OSError):
                taken.close()
                return b"", None
            try:
                data = b""
                while len(data) < size:
                    got = secure.recv(size)
                    if not got:
                        break
                    data += got
                return data, secure.getpeercert()
            except (ssl.SSLError, OSError):
                return b"", None
            finally:
                secure.close()

        return deferToThread(run)


@pytest_twisted.ensureDeferred
async def test_out_to_whom_the_certificate_names(folder: Path) -> None:
    """The far end learns the name that we want, and gets our certificate if it asks; the message arrives."""
    site = Site(folder)
    far = Far(site.authority, dns=["carrier.example"])
    far.context.verify_mode = ssl.CERT_REQUIRED
    served = far.serve(5)
    flow = site.bench.flow(far.peer, ("carrier.example",))
    assert site.bench.streams.send(flow, b"hello")
    data, certificate = await served
    assert data == b"hello"
    assert "first.example" in str(certificate)
    assert far.asked == ["carrier.example"]
    await site.bench.until(lambda: site.bench.core.ended)
    assert site.bench.core.ended[0].identity == ("carrier.example",)
    far.sock.close()
    await site.bench.close()


@pytest.mark.parametrize(
    ("what", "identity", "reason"),
    [
        ({"dns": ["other.example"]}, "carrier.example", "identity"),
        ({"dns": ["*.carrier.example"]}, "sip.carrier.example", "identity"),
        ({"dns": ["other.example"], "common": "carrier.example"}, "carrier.example", "identity"),
        ({"uris": ["sip:other.example"], "dns": ["carrier.example"]}, "carrier.example", "identity"),
        ({"dns": ["carrier.example"]}, "127.0.0.1", "identity"),
        ({"dns": ["carrier.example"], "start": -9, "days": -1}, "carrier.example", "handshake"),
        ({"dns": ["carrier.example"], "start": 1}, "carrier.example", "handshake"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_another_name_or_time_is_nobody_we_know(
    folder: Path, what: dict[str, Any], identity: str, reason: str
) -> None:
    """Nothing is said to it, and the core hears that nothing was."""
    site = Site(folder)
    far = Far(site.authority, **what)
    served = far.serve(5)
    flow = site.bench.flow(far.peer, (identity,))
    assert site.bench.streams.send(flow, b"hello")
    await site.bench.until(lambda: site.bench.core.lost)
    assert site.bench.core.lost == [(flow, b"hello")]
    assert site.bench.counts == {f"connections_closed {reason}": 1}
    assert (await served)[0] == b""
    assert site.bench.core.ended == []
    far.sock.close()
    await site.bench.close()


@pytest_twisted.ensureDeferred
async def test_an_unknown_authority_is_nobody(folder: Path) -> None:
    site = Site(folder)
    (folder / "other").mkdir()
    far = Far(TlsAuthority(folder / "other"), dns=["carrier.example"])
    served = far.serve(5)
    flow = site.bench.flow(far.peer, ("carrier.example",))
    assert site.bench.streams.send(flow, b"hello")
    await site.bench.until(lambda: site.bench.core.lost)
    assert site.bench.counts == {"connections_closed handshake": 1}
    assert (await served)[0] == b""
    far.sock.close()
    await site.bench.close()


@pytest_twisted.ensureDeferred
async def test_an_address_may_be_whom_we_want(folder: Path) -> None:
    """A next hop without a name: then its address stands in the certificate (RFC 9525 §6.4), and in no SNI."""
    site = Site(folder)
    far = Far(site.authority, ips=["127.0.0.1"], usage=[SERVER])
    served = far.serve(5)
    assert site.bench.streams.send(site.bench.flow(far.peer, ("127.0.0.1",)), b"hello")
    assert (await served)[0] == b"hello"
    assert far.asked in ([], [None])
    far.sock.close()
    await site.bench.close()


@pytest_twisted.ensureDeferred
async def test_names_are_not_mixed(folder: Path) -> None:
    """A connection to one name at an address is not used for another; nor is any without a name made."""
    site = Site(folder)
    far = Far(site.authority, dns=["one.example", "two.example"])
    for name in ("one.example", "two.example"):
        served = far.serve(5)
        assert site.bench.streams.send(site.bench.flow(far.peer, (name,)), b"hello")
        assert (await served)[0] == b"hello"
    assert far.asked == ["one.example", "two.example"]
    assert not site.bench.streams.send(site.bench.flow(far.peer), b"hello")
    far.sock.close()
    await site.bench.close()


@pytest_twisted.ensureDeferred
async def test_a_far_end_without_tls_or_voice(folder: Path) -> None:
    """One that answers in plain text, and one that says nothing within `connect_time`."""
    site = Site(folder)
    plain = socket.create_server(("127.0.0.1", 0))
    plain.setblocking(False)
    flow = site.bench.flow(plain.getsockname(), ("carrier.example",))
    taken: list[socket.socket] = []

    def accepted() -> bool:
        try:
            taken.append(plain.accept()[0])
        except BlockingIOError:
            return False
        return True

    assert site.bench.streams.send(flow, b"one")
    await site.bench.until(accepted)
    taken[0].sendall(b"SIP/2.0 200 OK\r\n\r\n")
    await site.bench.until(lambda: site.bench.core.lost)
    assert site.bench.counts == {"connections_closed handshake": 1}
    assert site.bench.streams.send(flow, b"two")
    await site.bench.until(accepted)
    await site.bench.settle()
    site.bench.look(4.1)
    await site.bench.until(lambda: len(site.bench.core.lost) == 2)
    assert site.bench.counts["connections_closed connect"] == 1
    for each in (plain, *taken):
        each.close()
    await site.bench.close()


def test_nobody_has_no_names() -> None:
    assert peer_names(None) == ()
    assert not is_peer(None, "carrier.example")


def test_what_openssl_refuses_is_one_error(folder: Path) -> None:
    """Its text names nothing of what was refused."""
    authority = TlsAuthority(folder)
    one, other = authority.own("one", dns=["a.example"]), authority.own("other", dns=["a.example"])
    with pytest.raises(TlsError, match="refuses"):
        contexts(authority.files(one._replace(key=other.key)))
