"""Listeners of connections in a whole shell: TCP and TLS beside UDP, certificates renewed, who is trusted."""

from __future__ import annotations

import resource
import socket
import ssl
import time
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.threads import deferToThread

from config.load import load
from config.subscribers import Subscribers
from config.tls_files import TlsFileError
from proxy.flow import Flow
from scripts.load.ports import free_port
from tap.candidate import ReloadRefused, prepare
from tap.connections import RESERVED_FILES, Connections, read_files, room_for, trusted_by
from tap.shell import StartError
from tap.state import recalled
from tests.proxy.streams import MESSAGE
from tests.tap.fakes import CONFIG, settings_of
from tests.tap.test_shell import Bench
from tests.tap.test_site import get
from tests.tls import TlsAuthority

LISTENERS = """\
[[listeners]]
name = "tcp"
address = "127.0.0.1"
port = 0
transport = "tcp"

[[listeners]]
name = "tls"
address = "127.0.0.1"
port = 0
transport = "tls"
certificates = ["a.pem"]
keys = ["a.key"]

[access]
"""
TEXT = CONFIG.replace("[access]\n", LISTENERS, 1)


@pytest.fixture
def authority(tmp_path: Path) -> TlsAuthority:
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    made = TlsAuthority(state)
    made.issue("a", dns=["a.example"])
    return made


@pytest.fixture
def bench(authority: TlsAuthority, tmp_path: Path) -> Bench:
    made = Bench(tmp_path, TEXT)
    made.clocks.unix = time.time()
    return made


def address(bench: Bench, place: int) -> tuple[str, int]:
    listener = bench.shell.settings.listeners[place]
    return listener.address, listener.port


async def connect(bench: Bench, authority: TlsAuthority, name: str = "a.example") -> ssl.SSLSocket:
    def run() -> ssl.SSLSocket:
        context = ssl.create_default_context(cafile=str(authority.file))
        sock = socket.create_connection(address(bench, 2), timeout=5)
        try:
            return context.wrap_socket(sock, server_hostname=name)
        except BaseException:
            sock.close()
            raise

    found: ssl.SSLSocket = await deferToThread(run)
    return found


@pytest_twisted.ensureDeferred
async def test_each_transport_takes_and_sends(bench: Bench, authority: TlsAuthority) -> None:
    """The core hears of the transport, and answers over the same connection."""
    bench.start()

    def answer(data: bytes, flow: Flow) -> None:
        assert bench.shell.send(flow, flow.transport.encode())

    bench.core.on_receive = answer
    bench.peer.sendto(MESSAGE, address(bench, 0))
    assert (await deferToThread(bench.peer.recv, 100)) == b"UDP"
    plain = socket.create_connection(address(bench, 1), timeout=5)
    secure = await connect(bench, authority)
    for sock, expected in ((plain, b"TCP"), (secure, b"TLS")):
        await deferToThread(sock.sendall, MESSAGE)
        assert (await deferToThread(sock.recv, 100)) == expected
        sock.close()
    await bench.until(lambda: len(bench.core.ended) == 2)
    await bench.close()


@pytest_twisted.ensureDeferred
async def test_tcp_may_have_the_port_of_udp(tmp_path: Path) -> None:
    """And what the core sends goes by the transport that the flow names."""
    port = free_port("127.0.0.1")
    sibling = f'[[listeners]]\nname = "tcp"\naddress = "127.0.0.1"\nport = {port}\ntransport = "tcp"\n\n[access]\n'
    bench = Bench(tmp_path, CONFIG.replace("port = 0", f"port = {port}", 1).replace("[access]\n", sibling, 1))
    bench.start()
    far = socket.create_server(("127.0.0.1", 0))
    flow = bench.flow()._replace(transport="TCP", peer=far.getsockname())
    assert bench.shell.send(flow, b"over tcp")
    taken, _ = await deferToThread(far.accept)
    assert await deferToThread(taken.recv, 100) == b"over tcp"
    assert bench.shell.send(bench.flow(), b"over udp")
    assert bench.peer.recv(100) == b"over udp"
    taken.close()
    far.close()
    await bench.close()


@pytest_twisted.ensureDeferred
async def test_lines_and_pages(bench: Bench, authority: TlsAuthority) -> None:
    """What a start says, what the metrics page counts, and health."""
    bench.start()
    plain = socket.create_connection(address(bench, 1), timeout=5)
    plain.sendall(MESSAGE)
    await bench.until(lambda: bench.core.received)
    said = [line.split(" ", 2)[2] for line in bench.stream.lines]
    assert [line for line in said if line.startswith("listening")] == [
        f"listening udp 127.0.0.1:{address(bench, 0)[1]}",
        f"listening tcp 127.0.0.1:{address(bench, 1)[1]}",
        f"listening tls 127.0.0.1:{address(bench, 2)[1]}",
    ]
    _, port = bench.shell.metrics_address or ("", 0)
    _, _, page = await get(port, "/metrics")
    assert 'sipveil_datagrams_received_total{listener="tcp"} 1.0' in page
    assert 'sipveil_connections_opened_total{direction="in"} 1.0' in page
    assert "sipveil_connections 1.0" in page
    assert "sipveil_tls_certificates_invalid 0.0" in page
    assert (await get(port, "/healthz"))[0] == 200
    await bench.shell._connections._acceptors["tls"].close()
    assert (await get(port, "/healthz"))[0] == 503
    plain.close()
    await bench.close()


@pytest_twisted.ensureDeferred
async def test_a_reload_renews_certificates_and_closes_nothing(
    bench: Bench, authority: TlsAuthority, tmp_path: Path
) -> None:
    """Who is connected stays; who comes meets the new one; bounds change too."""
    bench.start()
    before = await connect(bench, authority)
    authority.issue("a", dns=["b.example"])
    (tmp_path / "sipveil.toml").write_text(TEXT + "[streams]\nidle = 60.0\n")
    running = load(tmp_path / "sipveil.toml")
    start(running)
    bench.shell.adopt(prepare(tmp_path / "sipveil.toml", running, bench.shell._subscribers, time.time()))
    with pytest.raises(ssl.SSLCertVerificationError):
        await connect(bench, authority)
    after = await connect(bench, authority, "b.example")
    for sock in (before, after):
        await deferToThread(sock.sendall, MESSAGE)
    await bench.until(lambda: len(bench.core.received) == 2)
    streams: Any = bench.shell._connections._streams
    assert streams.bounds.idle == 60
    for sock in (before, after):
        sock.close()
    await bench.close()


def start(settings: Any) -> None:
    from tap.state import prepare as make  # noqa: PLC0415

    make(settings, time.time())


@pytest.mark.parametrize("damage", ["gone", "expired", "other key"])
def test_a_certificate_that_does_not_load_keeps_a_reload_back(
    authority: TlsAuthority, tmp_path: Path, damage: str
) -> None:
    """What runs goes on with the one it has read."""
    running = settings_of(tmp_path, TEXT)
    start(running)
    if damage == "gone":
        (authority.folder / "a.pem").unlink()
    elif damage == "expired":
        authority.issue("a", dns=["a.example"], start=-9, days=-1)
    else:
        chain = (authority.folder / "a.pem").read_bytes()
        authority.issue("a", dns=["a.example"])
        (authority.folder / "a.pem").write_bytes(chain)
    with pytest.raises(ReloadRefused) as refused:
        prepare(tmp_path / "sipveil.toml", running, Subscribers(), time.time())
    (reason,) = refused.value.reasons
    assert "listeners[2].certificates[0]" in reason
    assert str(tmp_path / "sipveil.toml") in reason


@pytest_twisted.ensureDeferred
async def test_a_start_with_an_expired_certificate_says_so_and_goes_on(authority: TlsAuthority, tmp_path: Path) -> None:
    """Peers will refuse it; UDP and TCP need none. One that ends soon is a warning."""
    authority.issue("a", dns=["a.example"], start=-9, days=-1)
    bench = Bench(tmp_path, TEXT)
    bench.clocks.unix = time.time()
    bench.start()
    assert any("error listener tls shows a certificate that holds from" in line for line in bench.stream.lines)
    assert bench.shell._connections.gauges()["sipveil_tls_certificates_invalid"] == 1
    await bench.close()
    authority.issue("a", dns=["a.example"], days=5)
    soon = Bench(tmp_path, TEXT)
    soon.clocks.unix = time.time()
    soon.start()
    assert any("warn listener tls shows a certificate that ends on" in line for line in soon.stream.lines)
    gauges = soon.shell._connections.gauges()
    assert gauges["sipveil_tls_certificates_invalid"] == 0
    assert 4 * 86_400 < gauges["sipveil_tls_certificate_end_seconds"] - time.time() < 6 * 86_400
    await soon.close()


@pytest_twisted.ensureDeferred
async def test_a_start_without_its_key_is_a_sentence(authority: TlsAuthority, tmp_path: Path) -> None:
    (authority.folder / "a.key").unlink()
    bench = Bench(tmp_path, TEXT)
    with pytest.raises(StartError, match=r"a\.key: there is no such file"):
        bench.shell.open()
    await bench.close()


@pytest_twisted.ensureDeferred
async def test_a_taken_port_is_a_sentence(authority: TlsAuthority, tmp_path: Path) -> None:
    taken = socket.create_server(("127.0.0.1", 0))
    port = taken.getsockname()[1]
    at = 'name = "tcp"\naddress = "127.0.0.1"\nport = '
    bench = Bench(tmp_path, TEXT.replace(f"{at}0", f"{at}{port}"))
    with pytest.raises(StartError, match=f"cannot open tcp 127.0.0.1:{port}: Address already in use"):
        bench.shell.open()
    taken.close()
    await bench.close()


def test_what_openssl_refuses_is_a_file_error(authority: TlsAuthority, tmp_path: Path, monkeypatch: Any) -> None:
    """A key that fits and that OpenSSL takes for too weak, say."""
    from proxy.transport_tls import TlsError  # noqa: PLC0415
    from tap import connections  # noqa: PLC0415

    def refuse(files: object) -> None:
        raise TlsError("OpenSSL refuses it")

    monkeypatch.setattr(connections, "contexts", refuse)
    with pytest.raises(TlsFileError, match="listener tls: OpenSSL refuses it"):
        read_files(settings_of(tmp_path, TEXT))


@pytest.mark.parametrize(
    ("host", "is_trusted"),
    [("198.51.100.7", True), ("203.0.113.9", True), ("10.9.9.9", True), ("192.0.2.9", True), ("10.1.1.1", False),
     ("203.0.113.10", False), ("2001:db8::1", True), ("fe80::1%lo", False)],
)  # fmt: skip
def test_servers_that_the_configuration_names_are_trusted(tmp_path: Path, host: str, is_trusted: bool) -> None:
    """Networks and addresses of trunks and core, and edge proxies; never phones."""
    text = CONFIG.replace(
        'networks = ["127.0.0.0/8"]', 'networks = ["10.0.0.0/8"]\nedge_proxies = ["10.9.9.9"]'
    ).replace('hosts = ["127.0.0.1:5080"]', 'hosts = ["198.51.100.7"]\nnetworks = ["2001:db8::/32"]')
    core = '[core]\nnetworks = ["203.0.113.9"]\nnext_hop = "192.0.2.9:5070"\nlistener = "access"\n'
    assert trusted_by(settings_of(tmp_path, text + core))(host) is is_trusted


@pytest.mark.parametrize(
    ("soft", "hard", "wanted", "room"),
    [(1024, 4096, 1000, 1000), (1024, 4096, 20_000, 3896), (4096, 4096, 3000, 3000), (1024, 1024, 2000, 824),
     (1024, -1, 20_000, 20_000), (-1, -1, 20_000, 20_000), (256, 256, 20_000, 56), (128, 128, 20_000, 1)],
)  # fmt: skip
def test_connections_leave_files_for_the_rest(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, wanted: int, room: int
) -> None:
    """The soft limit is raised where the hard one allows it; else there are fewer connections."""
    limits = [(soft, hard)]
    monkeypatch.setattr(resource, "getrlimit", lambda which: limits[-1])
    monkeypatch.setattr(resource, "setrlimit", lambda which, pair: limits.append(pair))
    assert room_for(wanted) == room
    if soft != -1:
        assert limits[-1][0] >= min(room + RESERVED_FILES, hard if hard != -1 else room + RESERVED_FILES)
    assert limits[-1][1] == hard


@pytest_twisted.ensureDeferred
async def test_fewer_connections_than_configured_are_told(
    bench: Bench, authority: TlsAuthority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda which: (1024, 1024))
    bench.start()
    monkeypatch.undo()
    assert any("leaves room for 824 connections, not 20000" in line for line in bench.stream.lines)
    streams: Any = bench.shell._connections._streams
    assert streams.bounds.connections == 824
    await bench.close()


def test_without_listeners_nothing_is_sent(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    assert not bench.shell.send(_flow(), b"x")
    bench.peer.close()
    assert isinstance(bench.shell._connections, Connections)


def _flow() -> Flow:
    return Flow("TCP", ("127.0.0.1", 1), ("127.0.0.1", 2))


RECORDER = """
[[recorders]]
name = "srs"
hosts = ["127.0.0.1:5099"]
listener = "tls"
tls_name = "srs.example.net"
certificate = "a.pem"
pins = ["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="]
ca = "Test-authority.pem"
"""


def test_a_reload_brings_what_is_asked_of_recorders_and_keeps_it_for_those_that_are_gone(
    authority: TlsAuthority, tmp_path: Path
) -> None:
    """Each listener has it, for somebody may come by any; a start reads the same."""
    path = tmp_path / "sipveil.toml"
    client = f'client_ca = "{authority.file.name}"\n'
    text = TEXT.replace('keys = ["a.key"]\n', 'keys = ["a.key"]\n' + client)
    text += (
        '[[recording_clients]]\nname = "pbx"\nnetworks = ["127.0.0.8"]\nlistener = "tls"\ntls_names = ["pbx.example"]\n'
    )
    running = settings_of(tmp_path, text + RECORDER)
    start(running)
    found = prepare(path, running, Subscribers(), time.time()).tls["tls"].recorders
    assert [(trust.pins, trust.ca is not None, trust.retired) for trust in found] == [
        (frozenset((bytes(32),)), True, False)
    ]
    path.write_text(text.partition("[[recording_clients]]")[0])
    later = load(path)
    gone = prepare(path, later, Subscribers(), time.time()).tls["tls"].recorders
    assert gone == (found[0]._replace(retired=True),)
    assert read_files(later, recalled(later, time.time()))["tls"].recorders == gone
