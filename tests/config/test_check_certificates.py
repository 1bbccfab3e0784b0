"""Key and certificate files, as `sipveil check` and a reload judge them."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from config.check_certificates import certificate_advice, certificate_mistakes
from config.load import ConfigError, load, warnings
from config.problem import key_text
from tests.authorities import Authority
from tests.recorders import Recorder, recorder
from tests.recorders import certificate as recorder_certificate

WALL = 1_790_000_000
DAY = 86_400
AUTHORITY = Authority(WALL, length=0)
KEY = ec.generate_private_key(ec.SECP256R1())
FILE = """
[[listeners]]
name = "a"
address = "127.0.0.1"
[signing]
x5u = "https://cert.example.org/p.pem"
chain = "chain.pem"
[verification]
"""
URL = b"https://cert.example.org/p.pem\n"


def pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def certificate(key: ec.EllipticCurvePrivateKey = KEY, *, numbers: bool = True, **terms: Any) -> bytes:
    return AUTHORITY.certificate(key.public_key(), numbers=numbers, **terms).public_bytes(Encoding.PEM)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A configuration whose files are all as they should be."""
    state = tmp_path / "state"
    (state / "certificates").mkdir(parents=True, mode=0o700)
    (state / "signing.key").touch(mode=0o600)
    (state / "signing.key").write_bytes(pem(KEY))
    (state / "chain.pem").write_bytes(certificate())
    (state / "anchors.pem").write_bytes(AUTHORITY.own.public_bytes(Encoding.PEM))
    (state / "certificates" / "a.pem").write_bytes(URL + certificate())
    (tmp_path / "sipveil.toml").write_text(FILE)
    return tmp_path


def mistakes(folder: Path, wall: float = WALL) -> list[tuple[str, str, str]]:
    """Key, what is wrong and what would be right of each mistake; paths shortened."""
    try:
        load(folder / "sipveil.toml", wall)
    except ConfigError as error:
        return [(each.key, each.wrong.replace(f"{folder}/state/", ""), each.right) for each in error.problems]
    return []


def advice(folder: Path, wall: float = WALL) -> list[tuple[str, str]]:
    settings = load(folder / "sipveil.toml")
    found = list(certificate_advice(settings, wall))
    told = warnings(settings, folder / "sipveil.toml", wall)
    assert [each.wrong for each in told][-len(found) :] == [each.wrong for each in found] or not found
    return [(key_text(each.path), each.wrong.replace(f"{folder}/state/", "")) for each in found]


def test_all_is_well(folder: Path) -> None:
    assert mistakes(folder) == []
    assert advice(folder) == []


def test_without_the_sections_no_file_is_looked_for(tmp_path: Path) -> None:
    assert list(certificate_mistakes({}, tmp_path, WALL)) == []


def test_a_start_judges_for_itself(folder: Path) -> None:
    """It does without a certificate that has run out, and would not run at all by this."""
    (folder / "state" / "chain.pem").unlink()
    assert load(folder / "sipveil.toml").signing is not None


Harm = Callable[[Path], object]
HARM: dict[str, tuple[Harm, str, str]] = {
    "no key": (lambda state: (state / "signing.key").unlink(), "signing.key", "there is no signing key"),
    "open to the group": (
        lambda state: (state / "signing.key").chmod(0o640), "signing.key", "others may access it (mode 0640)"
    ),
    "no PEM": (lambda state: (state / "signing.key").write_bytes(b"x"), "signing.key", "no private key in PEM"),
    "another curve": (
        lambda state: (state / "signing.key").write_bytes(pem(ec.generate_private_key(ec.SECP384R1()))),
        "signing.key", "no key on the curve P-256",
    ),
    "no chain": (lambda state: (state / "chain.pem").unlink(), "signing.chain", "cannot be read: No such file"),
    "junk chain": (lambda state: (state / "chain.pem").write_bytes(b"x"), "signing.chain", "no certificates in PEM"),
    "another's chain": (
        lambda state: (state / "chain.pem").write_bytes(certificate(ec.generate_private_key(ec.SECP256R1()))),
        "signing.chain", "its first certificate is not the signing key's",
    ),
    "run out": (
        lambda state: (state / "chain.pem").write_bytes(certificate(start=-9, days=-1)),
        "signing.chain", "its first certificate does not hold today",
    ),
    "of tomorrow": (
        lambda state: (state / "chain.pem").write_bytes(certificate(start=1)),
        "signing.chain", "its first certificate does not hold today",
    ),
    "no anchors": (lambda state: (state / "anchors.pem").unlink(), "verification.anchors", "cannot be read: No such"),
    "junk anchors": (
        lambda state: (state / "anchors.pem").write_bytes(b"x"), "verification.anchors", "no certificates in PEM"
    ),
    "no folder": (
        lambda state: (state / "certificates").rename(state / "elsewhere"),
        "verification.certificates", "cannot be read: No such",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HARM)
def test_what_keeps_calls_from_being_signed_or_verified(folder: Path, name: str) -> None:
    """By key, and with what would be right."""
    harm, key, wrong = HARM[name]
    harm(folder / "state")
    ((found_key, found, right),) = mistakes(folder)
    assert found_key == key
    assert wrong in found
    assert right
    assert "; " not in found


def test_everything_at_once(folder: Path) -> None:
    """Four files that are of no use, and a mistake of the schema beside them, in the order of the lines."""
    state = folder / "state"
    for file in ("signing.key", "chain.pem", "anchors.pem"):
        (state / file).write_bytes(b"x")
    (state / "certificates").rename(state / "elsewhere")
    (folder / "sipveil.toml").write_text(FILE + '[log]\nlevel = "loud"\n')
    assert sorted(key for key, _, _ in mistakes(folder)) == [
        "log.level", "signing.chain", "signing.key", "verification.anchors", "verification.certificates"
    ]  # fmt: skip


def test_a_section_that_the_schema_refuses_is_passed_over(folder: Path) -> None:
    """It has said so itself; the other section is judged."""
    (folder / "state" / "anchors.pem").unlink()
    (folder / "sipveil.toml").write_text(FILE.replace("https:", "http:"))
    assert [key for key, _, _ in mistakes(folder)] == ["signing.x5u", "verification.anchors"]
    for draft in ({"state_dir": 1, "signing": {"x5u": "https://a/"}}, {"signing": 1, "verification": []}):
        assert len(list(certificate_mistakes(draft, folder, WALL))) <= 1


def test_numbers_do_not_hide_the_rest(folder: Path) -> None:
    """An array of the file is a list there."""
    (folder / "state" / "signing.key").unlink()
    (folder / "sipveil.toml").write_text(FILE.replace("[verification]", 'numbers = ["+1555"]\n[verification]'))
    assert [key for key, _, _ in mistakes(folder)] == ["signing.key"]


def test_what_will_go_wrong_soon(folder: Path) -> None:
    """A certificate at its end, and one that says nothing of numbers, which verifiers refuse (RFC 8226 §9)."""
    state = folder / "state"
    (state / "chain.pem").write_bytes(certificate(days=29))
    assert advice(folder) == [("signing.chain", "the certificate holds from 2026-09-20 to 2026-10-20")]
    (state / "chain.pem").write_bytes(certificate(numbers=False))
    assert [key for key, wrong in advice(folder) if "TNAuthList" in wrong] == ["signing.chain"]


def test_chains_that_verify_nothing(folder: Path) -> None:
    """Bad files leave the others good; each is named."""
    certificates = folder / "state" / "certificates"
    (certificates / "b.pem").write_bytes(b"junk")
    (certificates / "c.pem").write_bytes(b"https://c.example/\n" + certificate(start=-9, days=-1))
    assert advice(folder) == [
        ("verification.certificates", "certificates/b.pem: no line with its https URL and then certificates in PEM"),
        ("verification.certificates", "the chain for https://c.example/ does not hold today"),
    ]
    for file in certificates.iterdir():
        file.unlink()
    assert advice(folder) == [("verification.certificates", "certificates: no chains")]


RECORDERS = """
[[listeners]]
name = "t"
address = "127.0.0.1"
transport = "tls"
certificates = ["own.pem"]
keys = ["own.key"]
client_ca = "own.pem"
[core]
networks = ["192.0.2.3"]
listener = "t"
[[recorders]]
name = "srs"
hosts = ["192.0.2.1"]
tls_name = "srs.example.net"
listener = "t"
certificate = "srs.pem"
[[recorders]]
name = "edge"
hosts = ["192.0.2.2"]
tls_name = "edge.example.net"
listener = "t"
role = "recorder-edge"
certificate = "srs.pem"
key = "srs.key"
[[recording_clients]]
name = "pbx"
networks = ["192.0.2.3"]
listener = "t"
tls_names = ["pbx.example.net"]
"""


def of_recorders(folder: Path, wall: float = WALL) -> list[tuple[str, str]]:
    draft = tomllib.loads(RECORDERS)
    return [(key_text(each.path), each.wrong.replace(f"{folder}/state/", ""))
            for each in certificate_mistakes(draft, folder, wall)]  # fmt: skip


def test_what_keeps_metadata_from_being_encrypted(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    assert [key for key, _ in of_recorders(tmp_path)] == ["recorders[0].certificate", "recorders[1].certificate"]
    recorder("p256").write(state, "srs")
    assert of_recorders(tmp_path) == []
    for wall in (WALL + 91 * DAY, WALL - 2 * DAY):
        assert of_recorders(tmp_path, wall) == [
            (f"recorders[{place}].certificate", "srs.pem: the certificate holds from 2026-09-20 to 2026-12-20")
            for place in (0, 1)
        ], "nothing is encrypted to it, and nothing that is is opened"
    (state / "srs.key").unlink()
    assert [key for key, _ in of_recorders(tmp_path)] == ["recorders[1].certificate"]
    broken = RECORDERS.replace('certificate = "srs.pem"', "certificate = 3", 1).replace('key = "srs.key"', "")
    assert list(certificate_mistakes(tomllib.loads(broken), tmp_path, WALL)) == [], "others say so"


def test_a_recorders_certificate_that_ends_soon_is_told(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir(mode=0o700)
    recorder("p256").write(tmp_path / "state", "srs")
    file = tmp_path / "sipveil.toml"
    file.write_text(RECORDERS)
    found = list(certificate_advice(load(file), WALL + 61 * DAY))
    assert [(key_text(each.path), each.right.partition(": ")[2]) for each in found] == [
        ("recorders[0].certificate", "nothing is encrypted to one that has ended, so nothing is recorded"),
        ("recorders[1].certificate", "nothing is opened for one that has ended, so nothing is recorded"),
    ]
    assert list(certificate_advice(load(file), WALL + 59 * DAY)) == []


ROTATING = RECORDERS.replace(
    'key = "srs.key"',
    """key = "srs.key"
[[recorders.former_keys]]
certificate = "old.pem"
key = "old.key"
[[recorders.former_keys]]
certificate = "elder.pem"
key = "elder.key\"""",
)


@pytest.fixture
def rotating(tmp_path: Path) -> Path:
    """A configuration with an edge that has three keys."""
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    for which, name in enumerate(("srs", "old", "elder")):
        recorder("p256", which).write(state, name)
    (tmp_path / "sipveil.toml").write_text(ROTATING)
    return tmp_path


def of_keys(folder: Path, text: str = ROTATING) -> list[tuple[int, str, str, str]]:
    """Line, key, what is wrong and what would be right of each mistake of a recorder; paths shortened."""
    file = folder / "sipveil.toml"
    file.write_text(text)
    try:
        load(file, WALL)
    except ConfigError as error:
        found = [each for each in error.problems if each.key.startswith("recorders")]
        return [(each.line, each.key, each.wrong.replace(f"{folder}/state/", ""), each.right) for each in found]
    return []


def line_of(text: str, what: str) -> int:
    return text[: text.index(what)].count("\n") + 1


def test_former_keys_that_are_as_they_should_be(rotating: Path) -> None:
    assert of_keys(rotating) == []


def test_each_former_key_that_cannot_be_used_is_named_with_its_line(rotating: Path) -> None:
    """A pair that does not fit, and a file that others may read, at once."""
    state = rotating / "state"
    (state / "old.key").write_bytes((state / "srs.key").read_bytes())
    (state / "elder.key").chmod(0o644)
    found = of_keys(rotating)
    assert [each[:2] for each in found] == [
        (line_of(ROTATING, '"old.pem"'), "recorders[1].former_keys[0].certificate"),
        (line_of(ROTATING, '"elder.pem"'), "recorders[1].former_keys[1].certificate"),
    ]
    assert found[0][2:] == ("old.pem: is not of the key in old.key", "put the key's own first")
    assert "elder.key: others may access it" in found[1][2]


def test_the_same_certificate_twice_is_told_with_both_places(rotating: Path) -> None:
    state = rotating / "state"
    for old in ("pem", "key"):
        (state / f"elder.{old}").write_bytes((state / f"srs.{old}").read_bytes())
    ((line, key, wrong, right),) = of_keys(rotating)
    assert (line, key) == (line_of(ROTATING, '"elder.pem"'), "recorders[1].former_keys[1].certificate")
    assert wrong.startswith("elder.pem: the same certificate as that of recorders[1].certificate")
    assert str(line_of(ROTATING, 'certificate = "srs.pem"\nkey')) in wrong
    assert right == "take one out"


def test_more_keys_than_an_edge_may_have(rotating: Path) -> None:
    """Four in all: each message is held against each of them."""
    more = '[[recorders.former_keys]]\ncertificate = "x.pem"\nkey = "x.key"\n'
    text = ROTATING.replace("[[recording_clients]]", more * 2 + "[[recording_clients]]")
    ((line, key, wrong, right),) = of_keys(rotating, text)
    assert (key, wrong, right) == ("recorders[1].former_keys", "has 4 values", "write 3 at most")
    assert line == line_of(text, "[[recorders.former_keys]]")


@pytest.mark.parametrize("left", ["certificate", "key"])
def test_half_a_former_key(left: str, rotating: Path) -> None:
    gone = {"certificate": 'key = "elder.key"', "key": 'certificate = "elder.pem"'}[left]
    ((_, key, wrong, _),) = of_keys(rotating, ROTATING.replace(gone, ""))
    assert (key.partition("[1].former_keys[1].")[2], wrong) == (
        {"certificate": "key", "key": "certificate"}[left],
        "is missing",
    )


def test_a_former_key_that_has_ended_is_advice_and_keeps_no_reload_back(rotating: Path) -> None:
    """It opens nothing any more, and nothing else depends on it."""
    for name, days in (("old", -1), ("elder", 20)):
        key = recorder("p256", 1 + (name == "elder")).key
        Recorder(key, recorder_certificate(key.public_key(), start=-9, days=days)).write(rotating / "state", name)
    assert of_keys(rotating) == []
    found = list(certificate_advice(load(rotating / "sipveil.toml"), WALL))
    assert [(key_text(each.path), each.wrong) for each in found] == [
        ("recorders[1].former_keys[0].certificate", "the certificate holds from 2026-09-12 to 2026-09-20"),
        ("recorders[1].former_keys[1].certificate", "the certificate holds from 2026-09-12 to 2026-10-11"),
    ]
    assert found[0].right == "take it out once no client encrypts to it: nothing is opened for one that has ended"


def test_the_authorities_of_a_recorder_have_to_be_there(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    recorder("p256").write(state, "srs")
    text = RECORDERS.replace('hosts = ["192.0.2.1"]', 'hosts = ["192.0.2.1"]\nca = "authority.pem"')
    draft = tomllib.loads(text)
    (found,) = certificate_mistakes(draft, tmp_path, WALL)
    assert key_text(found.path) == "recorders[0].ca"
    assert found.wrong == f"{state}/authority.pem: cannot be read: No such file or directory"
    assert found.right == "put the authorities' certificates there, in PEM"
    (state / "authority.pem").write_bytes(b"no PEM")
    assert [each.wrong for each in certificate_mistakes(draft, tmp_path, WALL)] == [
        f"{state}/authority.pem: no certificates in PEM"
    ]
    (state / "authority.pem").write_bytes((state / "srs.pem").read_bytes())
    assert list(certificate_mistakes(draft, tmp_path, WALL)) == []
