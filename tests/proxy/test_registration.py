"""Reading a REGISTER; what becomes of it is in test_registrar.py."""

from __future__ import annotations

import pytest

from config.registrar_section import Registrar
from proxy.errors import Malformed
from proxy.registration import Registration, read
from tests.agents import read as parsed
from tests.phones import Phone
from tests.world import PHONE

SECTION = Registrar(domains=("example.net",))


def registration(contact: bytes, *headers: bytes) -> Registration:
    return read(parsed(Phone(PHONE).register(contact, *headers).data), SECTION)


@pytest.mark.parametrize(
    ("text", "thousandths"),
    [(b"", 1000), (b";q=1", 1000), (b";q=1.000", 1000), (b";q=0.5", 500), (b";q=0.05", 50), (b";q=0", 0),
     (b";q=0.", 0), (b";q=0.1234", 1000), (b";q=2", 1000), (b";q=x", 1000)],
)  # fmt: skip
def test_q(text: bytes, thousandths: int) -> None:
    assert registration(b"<sip:a@1.2.3.4>" + text).contacts[0].q == thousandths


@pytest.mark.parametrize("value", [b'"urn:uuid:1"', b"<urn:uuid:1>", b'"<>"', b'"<a b>"', b'"<' + b"a" * 300 + b'>"'])
def test_what_is_no_instance_is_none(value: bytes) -> None:
    wanted = registration(b"<sip:a@1.2.3.4>;+sip.instance=%b;reg-id=1" % value, b"Supported: outbound").contacts[0]
    assert (wanted.instance, wanted.reg_id) == (b"", 0)


@pytest.mark.parametrize("value", [b"0", b"x", b"2147483648", b"-1", b""])
def test_what_is_no_reg_id_is_none(value: bytes) -> None:
    contact = b'<sip:a@1.2.3.4>;+sip.instance="<urn:x>";reg-id=' + value
    assert registration(contact, b"Supported: outbound").contacts[0].reg_id == 0


@pytest.mark.parametrize(
    "header",
    [b"Path: " + b", ".join([b"<sip:1.2.3.4;lr>"] * 9), b"Path: <sip:" + b"a" * 300 + b"@1.2.3.4>", b"Path: <tel:1>"],
)
def test_paths_are_bounded(header: bytes) -> None:
    with pytest.raises(Malformed):
        registration(b"<sip:a@1.2.3.4>", header)


def test_call_ids_are_bounded() -> None:
    request = parsed(Phone(PHONE).register(call_id=b"a" * 257).data)
    with pytest.raises(Malformed):
        read(request, SECTION)
