"""The shelf holds what counts and what may count next, each whole."""

from __future__ import annotations

import time
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from config.subscribers import Subscribers
from config.vocabulary import Zone
from proxy.party import Party
from proxy.policy import KEEP_ALL
from tap.candidate import Candidate, prepare
from tap.shelf import Shelf
from tap.state import prepare as start
from tests.authorities import Authority
from tests.tap.fakes import CONFIG, settings_of
from tests.tls import TlsAuthority

WALL = 1_790_000_000
SIGNED = 'listener = "access"\nsign = true\n\n'
OWN = '[headers."x-own"]\ncategory = "device"\n'


def candidate(folder: Path, trunk: str) -> Candidate:
    """Return what a reload makes of a configuration with a catalogue file and a trunk of this name."""
    (folder / "own.toml").write_text(OWN)
    settings = settings_of(folder, 'catalogue = ["own.toml"]\n' + CONFIG.replace("carrier", trunk))
    start(settings, 1000.0)
    return prepare(folder / "sipveil.toml", settings, Subscribers(), 1000.0)


def name(found: Candidate | None) -> str:
    return found.settings.trunks[0].name if found is not None else ""


def test_only_what_was_committed_counts(tmp_path: Path) -> None:
    """Laid, read, committed; laid again and dropped."""
    shelf, subscribers = Shelf(), Subscribers()
    assert shelf.current(subscribers) is None
    shelf.lay(candidate(tmp_path, "one"))
    assert (name(shelf.spare(subscribers)), shelf.current(subscribers)) == ("one", None)
    shelf.commit()
    assert name(shelf.current(subscribers)) == "one"
    for number in range(5):
        shelf.lay(candidate(tmp_path, f"more-{number}"))
        assert (name(shelf.spare(subscribers)), name(shelf.current(subscribers))) == (f"more-{number}", "one")
    shelf.commit()
    assert name(shelf.current(subscribers)) == "more-4"
    shelf.close()
    shelf.close()


def test_it_comes_back_as_it_was_whatever_the_files_say_by_now(tmp_path: Path) -> None:
    """Keys, retired trunks, hash; and the policy knows the operator's catalogue."""
    shelf = Shelf()
    laid = candidate(tmp_path, "one")
    shelf.lay(laid)
    (tmp_path / "own.toml").write_text("broken")
    (tmp_path / "sipveil.toml").write_text("broken")
    found = shelf.spare(Subscribers())
    assert found.settings == laid.settings
    assert (found.ring, found.retired, found.digest) == (laid.ring, laid.retired, laid.digest)
    assert found.catalogue == (OWN.encode(),)
    shelf.close()


def test_a_reload_leaves_workers_their_keys(tmp_path: Path) -> None:
    """They sign and verify as the supervisor would; whatever the files say by now."""
    settings = settings_of(tmp_path, CONFIG)
    start(settings, WALL)
    authority, key = Authority(WALL), ec.generate_private_key(ec.SECP256R1())
    state = tmp_path / "state"
    (state / "signing.key").touch(mode=0o600)
    (state / "signing.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (state / "anchors.pem").write_bytes(authority.own.public_bytes(Encoding.PEM))
    (state / "certificates").mkdir()
    text = (tmp_path / "sipveil.toml").read_text().replace('listener = "access"\n\n[[routes]]', SIGNED + "[[routes]]")
    sections = '[signing]\nx5u = "https://a.example/"\n[verification]\n'
    (tmp_path / "sipveil.toml").write_text(text + sections)
    shelf = Shelf()
    shelf.lay(prepare(tmp_path / "sipveil.toml", settings, Subscribers(), WALL))
    (state / "signing.key").unlink()
    (state / "anchors.pem").unlink()
    found = shelf.spare(Subscribers())
    trunk, core = Party(Zone.TRUNK, found.settings.trunks[0]), Party(Zone.CORE)
    assert [found.privacy.plan(KEEP_ALL, hop).vouches for hop in (trunk, core)] == [True, True]
    assert found.credentials.key is not None
    shelf.close()


def test_certificates_go_along(tmp_path: Path) -> None:
    """Workers read no files: they may not be allowed to."""
    settings = settings_of(tmp_path, CONFIG)
    start(settings, 1000.0)
    TlsAuthority(tmp_path / "state").issue("own", dns=["sip.example.net"])
    listener = (
        '[[listeners]]\nname = "secure"\naddress = "127.0.0.1"\nport = 0\ntransport = "tls"\n'
        'certificates = ["own.pem"]\nkeys = ["own.key"]\n\n'
    )
    settings = settings_of(tmp_path, listener + CONFIG)
    shelf = Shelf()
    laid = prepare(tmp_path / "sipveil.toml", settings, Subscribers(), time.time())
    shelf.lay(laid)
    assert list(laid.tls) == ["secure"]
    assert shelf.spare(Subscribers()).tls == laid.tls
    shelf.close()
