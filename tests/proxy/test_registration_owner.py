"""Which worker a REGISTER belongs to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.settings import Limits
from proxy.registration_owner import owner_of_address, owner_of_registration
from tests.phones import ALICE_AOR, Phone
from tests.proxy.test_matching import request

LIMITS = Limits()
PHONE = Phone(("10.1.1.23", 5062))


def of(data: bytes, workers: int = 7) -> int | None:
    return owner_of_registration(data, workers, LIMITS)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"", b""),
        (b"To: <sip:alice@example.net>", b"t:sip:alice@Example.NET.;x=y"),
        (b"To: <sip:alice@example.net>", b'To:\r\n "A" <sips:%61lice@example.net:5061;transport=tls>;tag=x'),
        (b"Call-ID: ", b"Call-ID: another-"),
        (b"REGISTER sip:example.net", b"REGISTER sip:192.0.2.1"),
    ],
)
def test_however_an_address_is_written_it_has_one_owner(old: bytes, new: bytes) -> None:
    """All that the registrar takes for one address has to meet one worker."""
    assert of(PHONE.register().data.replace(old, new)) == owner_of_address(ALICE_AOR, 7)


def test_a_number_is_its_digits() -> None:
    forms = (b"+49-30-1234", b"+49301234", b"+49(30)1234;isub=1")
    assert len({of(PHONE.register(user=form).data) for form in forms}) == 1


def test_addresses_are_spread() -> None:
    owners = [of(PHONE.register(user=b"user%d" % number).data) for number in range(700)]
    assert set(owners) == set(range(7))
    assert max(owners.count(each) for each in range(7)) < 150


@pytest.mark.parametrize(
    ("old", "new"), [(b"alice@", b""), (b"<sip:alice", b"<tel:+49301234"), (b"To: ", b"Tu: "), (b"CSeq: ", b"CSeq: x")]
)
def test_what_names_no_address_goes_by_its_call_id(old: bytes, new: bytes) -> None:
    assert of(PHONE.register().data.replace(old, new)) is None


@given(st.binary(max_size=300))
def test_anything_else_is_nobody_s(data: bytes) -> None:
    assert of(b"REGISTER " + data) is None
    assert of(request(call_id=b"x").replace(b"INVITE", b"REGISTER")) in (None, *range(7))
