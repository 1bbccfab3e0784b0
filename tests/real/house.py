"""A Sipveil with everything that phones need: a listener of each transport, a registrar, accounts, a trunk.

    phones on PHONE and browsers ── Sipveil (udp, tcp, tls, ws, wss) ── trunk on TRUNK

Phones and trunk reach phones by number, and nobody gets in without a password.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import load_pem_x509_certificate

from config.account import AccountChange, secret_of
from config.store.account_book import AccountBook
from tests.real.baresip import Baresip
from tests.real.harness import PHONE, TRUNK, Address, Lab, Sipveil, free_port, wait_for
from tests.real.sections import secure, stream
from tests.tls import TlsAuthority

DOMAIN = "sip.example.net"
SECTIONS = """
[registrar]
domains = ["sip.example.net"]
minimum_expires = 10

[subscribers]

[authentication]
realm = "sip.example.net"
algorithms = ["MD5"]
source_failures = 1000
"""
# baresip 1.0 and SIP.js look at the first challenge alone, and know no SHA-256.


@dataclass(frozen=True)
class Person:
    """Who has an account, named as the person is, and a number, which is registered and called."""

    name: str
    number: str
    pitch: int
    """What its phone says, in Hz."""
    second: str = ""
    """A further number of the account, under which nothing is registered."""

    @property
    def user(self) -> str:
        """Return the user name, which is that of the account too."""
        return self.name.lower()

    @property
    def password(self) -> str:
        """Return the password of the account."""
        return f"{self.user}-canary-pa55word"


ALICE = Person("Ottilie", "+4930555017342", 400, "+4930555017399")
BOB = Person("Bernd", "+4930555017343", 1000)
CAROL = Person("Ludmilla", "+4930555017344", 700)
"""Whose password others guess, which slows down who answers for it (failures)."""
PEOPLE = (ALICE, BOB, CAROL)


class House:
    """The proxy, its certificate's authority, and the phones that are made here."""

    def __init__(self, lab: Lab) -> None:
        """Make certificate and accounts, and start."""
        self.lab = lab
        self.sipveil = Sipveil(lab)
        self.trunk: Address = (TRUNK, free_port(TRUNK))
        state = lab.folder / "state"
        state.mkdir(mode=0o700)
        self.authority = TlsAuthority(state)
        for certificate in ("own", "strange"):
            self.authority.issue(certificate, dns=[DOMAIN], ips=[self.sipveil.address[0]])
        host, port = self.sipveil.address
        self.places: dict[str, Address] = {"udp": (host, port), "tcp": (host, port)}
        """Where phones reach it, by transport; `stranger`: wss, with another certificate."""
        self.places |= {name: (host, free_port(host)) for name in ("tls", "ws", "wss", "stranger")}
        _make_accounts(state / "subscribers.db")
        self._configure()
        self.sipveil.start()

    def _configure(self) -> None:
        places = self.places
        self.sipveil.sections = "".join((
            stream("tcp", places["tcp"], "tcp"), secure("tls", places["tls"]),
            stream("ws", places["ws"], "ws"), secure("wss", places["wss"], "wss"),
            secure("stranger", places["stranger"], "wss", certificate="strange"), SECTIONS,
        ))  # fmt: skip
        self.sipveil.configure(self.trunk)
        text = self.sipveil.config.read_text()
        # A browser's connections have the address of the loopback.
        text = text.replace(f'networks = ["{PHONE}/32"]', f'networks = ["{PHONE}/32", "127.0.0.1/32"]')
        text = text.replace('to = ["carrier"]', 'to = ["registered"]').replace('to = ["access"]', 'to = ["registered"]')
        self.sipveil.config.write_text(text)

    def phone(
        self, lab: Lab, person: Person, transport: str, *, answer: str = "auto", password: str = "", regint: int = 600
    ) -> Baresip:  # fmt: skip
        """Start a person's baresip, which registers.

        Args:
            lab: what ends it.
            person: whose it is.
            transport: one of `places`.
            answer: `auto`, or `manual` to let it ring.
            password: a wrong one.
            regint: seconds that a registration holds.
        """
        return Baresip(
            lab, PHONE, self.places[transport], name=person.name, user=person.number, domain=DOMAIN, answer=answer,
            regint=regint, transport=transport, account=person.user, password=password or person.password,
            pitch=person.pitch,
        )  # fmt: skip

    def key(self) -> str:
        """Return the digest of the key of its certificate, as Chromium wants it."""
        certificate = load_pem_x509_certificate((self.lab.folder / "state" / "own.pem").read_bytes())
        public = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return base64.b64encode(hashlib.sha256(public).digest()).decode()

    def bindings(self) -> int:
        """Return how many phones are registered."""
        return int(self.sipveil.metrics().get("sipveil_bindings", 0))

    def expect_bindings(self, number: int) -> None:
        """Wait until so many phones are registered."""
        wait_for(f"{number} registered phones", lambda: self.bindings() == number or None)

    def stop(self) -> None:
        """Stop the proxy, which must have logged nobody."""
        self.sipveil.stop()
        log = self.sipveil.runs[-1].output
        assert not any(
            word in log for each in PEOPLE for word in (each.user, each.number, each.second, each.password) if word
        )


def _make_accounts(path: Path) -> None:
    book = AccountBook(path, create=True)
    for person in PEOPLE:
        secret = secret_of(person.user, DOMAIN, person.password)
        addresses = (f"{person.number}@{DOMAIN}", *([person.second] if person.second else []))
        assert book.add(AccountChange(person.user, DOMAIN, secret, addresses), 0.0)
