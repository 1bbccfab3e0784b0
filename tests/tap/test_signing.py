"""From configured keys and certificates to what signs and verifies calls."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from twisted.logger import capturedLogs

from proxy.digest_client import Account
from proxy.sinks import Sinks
from tap.service import SystemClocks, core_maker
from tap.shell import StartError
from tap.signing import pack, passwords_of, read, signer_of, unpack, verifier_of
from tests.authorities import Authority
from tests.recorders import recorder
from tests.recording_sessions import RECORDER
from tests.tap.fakes import CONFIG, settings_of
from tests.tap.test_service import NoSinks
from tests.world import settings as world_settings

WALL = 1_790_000_000
SIGNING = {"x5u": "https://cert.example.org/p.pem", "chain": "chain.pem"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a key and a chain that holds for a year."""
    key = ec.generate_private_key(ec.SECP256R1())
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    (state / "signing.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (state / "signing.key").chmod(0o600)
    (state / "chain.pem").write_bytes(Authority(WALL).certificate(key.public_key()).public_bytes(Encoding.PEM))
    return tmp_path


SECTION = "\n[signing]\n" + "".join(f'{key} = "{value}"\n' for key, value in SIGNING.items())


def test_without_the_section_nothing_is_signed(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    assert signer_of(settings, read(settings, WALL)) is None


def test_a_certificate_that_ends_soon_is_told(folder: Path) -> None:
    settings = settings_of(folder, CONFIG + SECTION)
    with capturedLogs() as events:
        assert signer_of(settings, read(settings, WALL)) is not None
        assert events == []
        assert signer_of(settings, read(settings, WALL + 340 * 86_400)) is not None
    assert [event["day"] for event in events] == ["2027-09-21"]


@pytest.mark.parametrize("wall", [WALL - 2 * 86_400, WALL + 366 * 86_400])
def test_a_certificate_that_does_not_hold_stops_no_start(folder: Path, wall: float) -> None:
    """A proxy that comes up again on the day after, or before its clock is right, carries calls, and says so."""
    sinks: Sinks = NoSinks()
    clocks = SystemClocks()
    clocks.wall = lambda: wall
    with capturedLogs() as events:
        assert core_maker(clocks)(settings_of(folder, CONFIG + SECTION), sinks)
    assert [event["days"] for event in events] == ["2026-09-20 to 2027-09-21"]


def test_a_certificate_that_runs_out_is_told_once(folder: Path) -> None:
    """At the first call that it does not hold for; with no word of that call."""
    settings = settings_of(folder, CONFIG + SECTION)
    signer = signer_of(settings, read(settings, WALL))
    assert signer is not None
    with capturedLogs() as events:
        assert signer.credential.holds(WALL)
        assert not any(signer.credential.holds(WALL + 366 * 86_400) for _ in range(9))
    assert [(event["log_level"].name, event["days"]) for event in events] == [("error", "2026-09-20 to 2027-09-21")]


def test_the_operators_numbers(folder: Path) -> None:
    settings = settings_of(folder, CONFIG + SECTION + 'numbers = ["+155501"]\n')
    signer = signer_of(settings, read(settings, WALL))
    assert signer is not None
    assert [signer.credential.answers_for(number) for number in (b"15550100", b"15550200")] == [True, False]


def test_what_a_worker_is_given(folder: Path) -> None:
    """Keys as bytes, and the same keys come out of them."""
    state = folder / "state"
    authority = Authority(WALL)
    (state / "anchors.pem").write_bytes(authority.own.public_bytes(Encoding.PEM))
    (state / "certificates").mkdir()
    leaf = authority.certificate(ec.generate_private_key(ec.SECP256R1()).public_key()).public_bytes(Encoding.PEM)
    (state / "certificates" / "a.pem").write_bytes(b"https://a.example/\n" + leaf)
    settings = settings_of(folder, CONFIG + SECTION + "[verification]\n")
    credentials = read(settings, WALL)
    found = unpack(pickle.loads(pickle.dumps(pack(credentials))))
    assert found.signatories == credentials.signatories
    assert found.signatories is not None
    assert list(found.signatories) == ["https://a.example/"]
    assert found.key is not None
    assert credentials.key is not None
    assert found.key[1:] == credentials.key[1:]
    assert found.key.key.private_numbers() == credentials.key.key.private_numbers()
    nothing = read(settings_of(folder), WALL)
    assert unpack(pack(nothing)) == nothing == (None, None, {}, {})


def test_a_start_without_its_key_says_so(folder: Path) -> None:
    """One line, not a traceback."""
    (folder / "state" / "signing.key").chmod(0o644)
    sinks: Sinks = NoSinks()
    with pytest.raises(StartError, match="others may access it"):
        core_maker(SystemClocks())(settings_of(folder, CONFIG + SECTION), sinks)


def test_without_the_section_nothing_is_verified(tmp_path: Path) -> None:
    assert verifier_of(read(settings_of(tmp_path), WALL)) is None


def test_a_chain_that_cannot_be_used_is_told(folder: Path) -> None:
    """The others are; and without anchors there is no start."""
    settings = settings_of(folder, CONFIG + "\n[verification]\n")
    with pytest.raises(StartError, match=r"anchors\.pem: cannot be read"):
        core_maker(SystemClocks())(settings, NoSinks())
    state = folder / "state"
    (state / "anchors.pem").write_bytes(Authority(WALL).own.public_bytes(Encoding.PEM))
    (state / "certificates").mkdir()
    (state / "certificates" / "a.pem").write_bytes(b"junk")
    with capturedLogs() as events:
        assert verifier_of(read(settings, WALL)) is not None
    assert [event["problem"].rpartition("/")[2].partition(":")[0] for event in events] == ["a.pem"]


TRUNK = '\n[trunks.credentials]\nuser = "sipveil"\npassword_file = "carrier.password"\nrealm = "carrier.example"\n'


def test_passwords_are_read_and_reach_workers(folder: Path) -> None:
    """Through memory alone; no text of them shows the password."""
    (folder / "state" / "carrier.password").write_text("canary\n")
    (folder / "state" / "carrier.password").chmod(0o600)
    carrier = '\n[[trunks]]\nname = "extra"\nhosts = ["198.51.100.77"]\nlistener = "access"\n'
    settings = settings_of(folder, CONFIG + carrier + TRUNK)
    credentials = read(settings, WALL)
    assert "canary" not in repr(credentials) + repr(pack(credentials))
    there = unpack(pickle.loads(pickle.dumps(pack(credentials))))
    accounts = passwords_of(settings, there)
    assert accounts == {"extra": Account(b"sipveil", b"canary", b"carrier.example")}
    assert accounts["extra"].answers_realm(b"carrier.example")
    assert not accounts["extra"].answers_realm(b"another")
    assert passwords_of(settings, there._replace(passwords={})) == {}


def test_a_start_without_its_password_says_so(folder: Path) -> None:
    carrier = '\n[[trunks]]\nname = "extra"\nhosts = ["198.51.100.77"]\nlistener = "access"\n'
    sinks: Sinks = NoSinks()
    with pytest.raises(StartError, match="there is no password file"):
        core_maker(SystemClocks())(settings_of(folder, CONFIG + carrier + TRUNK), sinks)


def test_recorders_keys_reach_workers_by_memory(tmp_path: Path) -> None:
    """A certificate to encrypt to, and a key that opens, for each kind of key; and a former one behind it."""
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    for kind in ("p256", "rsa"):
        recorder(kind).write(state, kind)
    sections = [{**RECORDER, "certificate": f"{kind}.pem"} for kind in ("p256", "rsa")]
    sections += [{**each, "role": "recorder-edge", "key": each["certificate"][:-3] + "key"} for each in sections]
    sections[3]["former_keys"] = [{"certificate": "p256.pem", "key": "p256.key"}]
    recorders = [{**each, "name": str(place)} for place, each in enumerate(sections)]
    credentials = read(world_settings(recorders=recorders, state_dir=str(state)), WALL)
    found = unpack(pickle.loads(pickle.dumps(pack(credentials))))
    assert list(found.recorders) == ["0", "1", "2", "3"]
    for name, keys in credentials.recorders.items():
        other = found.recorders[name]
        assert (other.certificate is None) == (keys.certificate is None) == (name in "23")
        if keys.certificate is not None and other.certificate is not None:
            assert other.certificate.certificate == keys.certificate.certificate
            assert other.certificate.validity == keys.certificate.validity
        assert [each.certificate for each in other.keys] == [each.certificate for each in keys.keys]
        assert [each.key.public_key() for each in other.keys] == [each.key.public_key() for each in keys.keys]
        assert len(keys.keys) == {"2": 1, "3": 2}.get(name, 0)


def test_a_recorders_certificate_that_has_ended_is_told_and_stops_no_start(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir(mode=0o700)
    recorder("p256").write(tmp_path / "state", "srs")
    settings = world_settings(recorders=[RECORDER], state_dir=str(tmp_path / "state"))
    with capturedLogs() as events:
        read(settings, WALL)
        assert events == []
        read(settings, WALL + 91 * 86_400)
    assert [event["name"] for event in events] == ["srs"]
    edge = {**RECORDER, "role": "recorder-edge", "key": "srs.key"}
    settings = world_settings(recorders=[edge], state_dir=str(tmp_path / "state"))
    with capturedLogs() as events:
        read(settings, WALL)
        assert events == []
        read(settings, WALL - 2 * 86_400)
    assert [event["name"] for event in events] == ["srs"], "nothing is opened for it"
