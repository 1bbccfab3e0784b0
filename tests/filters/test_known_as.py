"""Who is private in a call is found again by whatever a recording client writes, and nobody hides another one."""

from __future__ import annotations

import pytest

from filters.known_as import known_as, noted_as

HOMES = (b"example.net", b"sip.example.net")


def finds(noted: bytes, told: bytes, *, believed: bool = True) -> bool:
    return not set(noted_as(noted, believed=believed)).isdisjoint(known_as(told, HOMES))


@pytest.mark.parametrize(
    "told",
    [b"tel:+15550123", b"sip:+15550123@pbx.example.org", b"sips:+15550123@203.0.113.5:5061;user=phone",
     b"tel:+1-555-0123;ext=1", b"sip:0015550123@x.invalid", b"tel:15550123", b"sip:5550123@203.0.113.5",
     b"sip:%2B15550123@example.net", b"sip:+15550123;phone-context=x@example.net", b"SIP:+1(555)0123@EXAMPLE.net"],
)  # fmt: skip
def test_a_number_is_found_however_it_is_written(told: bytes) -> None:
    for noted in (b"tel:+15550123", b"sip:+15550123@sip.example.net", b"sip:015550123@10.0.0.1;user=phone"):
        assert finds(noted, told)
    assert not finds(b"tel:+15550124", told)


@pytest.mark.parametrize(
    "told",
    [b"sip:alice@example.net", b"sips:ALICE@Example.NET.:5061;transport=tls", b"sip:%61lice@example.net",
     b"sip:alice@203.0.113.5", b"sip:alice:secret@example.net", b"sip:alice@[2001:db8::1]",
     b"sip:alice@pbx.example.org"],
)  # fmt: skip
def test_a_name_is_found_at_its_host_and_where_clients_write_their_own(told: bytes) -> None:
    assert finds(b"sip:alice@example.net", told)
    assert not finds(b"sip:alicia@example.net", told)


def test_at_a_host_of_ours_it_is_that_subscriber_and_no_namesake() -> None:
    assert finds(b"sip:7042@example.net", b"tel:7042;phone-context=example.net")
    assert finds(b"sip:7042@example.net", b"sip:7042@example.net")
    assert not finds(b"sip:7042@example.net", b"sip:7042@sip.example.net")
    assert not finds(b"sip:7042@elsewhere.example", b"sip:7042@example.net")


def test_who_only_says_so_hides_nobody_else() -> None:
    assert finds(b"tel:+49305550123", b"sip:+49305550123@core.example", believed=False)
    assert not finds(b"tel:+49305550123", b"tel:+15550123", believed=False)
    assert finds(b"sip:carol@carrier.example", b"sip:carol@carrier.example", believed=False)
    assert not finds(b"sip:carol@carrier.example", b"sip:carol@pbx.example.org", believed=False)
    assert not finds(b"sip:alice@198.51.100.9", b"sip:alice@example.net", believed=False)


@pytest.mark.parametrize(
    "uri",
    [b"sip:anonymous@anonymous.invalid", b"sip:Anonymous@carrier.example", b"sip:carrier.example",
     b"sip:x@anonymous.invalid", b"tel:", b"urn:service:sos", b"", b"sip:[", b"sip:unavailable@unknown.invalid"],
)  # fmt: skip
def test_nobody_is_nobody(uri: bytes) -> None:
    assert noted_as(uri, believed=True) == noted_as(uri, believed=False) == known_as(uri, HOMES) == ()
