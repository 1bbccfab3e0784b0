"""Headers that name others may be seen, and tell no more than that."""

from __future__ import annotations

import pytest

from filters import parties
from filters.parties import Rules
from filters.patterns import compile_leaks

_leaks = compile_leaks({"mac"})


def less_params(text: bytes) -> bytes:
    head, *params = text.split(b";")
    return b";".join((head, *(param for param in params if param.startswith(b"user="))))


def cleaned(value: bytes, hides: str = "", *, withholds: bool = False, addresses: bool = True) -> bytes | None:
    name, network = "name" in hides, "network" in hides

    def leaks(text: bytes) -> bool:
        return _leaks(text) is not None

    rules = Rules(name, network, withholds, less_params, lambda display: b"" if name else display, leaks)
    return parties.cleaned(value, b"192.0.2.1:5060", rules, addresses=addresses)


DIVERSION = b'"Bob" <sip:+15550123@pbx.internal:5080;user=phone;x=1>;reason=no-answer;privacy=off'
HISTORY = b"<sip:bob@pbx.internal?Reason=SIP%3Bcause%3D302%3Btext%3D%22Bob%22&Subject=Bob>;index=1"


@pytest.mark.parametrize(
    ("value", "hides", "expected"),
    [
        (DIVERSION, "", DIVERSION),
        (DIVERSION, "name", b"<sip:+15550123@pbx.internal:5080;user=phone>;reason=no-answer;privacy=off"),
        (DIVERSION, "network", b'"Bob" <sip:+15550123@192.0.2.1:5060;user=phone>;reason=no-answer;privacy=off'),
        (HISTORY, "", HISTORY),
        (HISTORY, "name", b"<sip:bob@pbx.internal?Reason=SIP%3Bcause%3D302>;index=1"),
        (HISTORY, "network", b"<sip:bob@192.0.2.1:5060?Reason=SIP%3Bcause%3D302>;index=1"),
        (b'"A, \\"B\\" <x>" <sip:1@a>, C D <tel:+2;x=1>', "name", b"<sip:1@a>, <tel:+2>"),
        (b'<sip:1@a>;cid="1@pbx.internal"', "network", b"<sip:1@192.0.2.1:5060>"),
        (b"<sip:1:secret@a>", "name", b"<sip:1@a>"),
        (b"sip:1@a;npi=ISDN", "network", b"<sip:1@192.0.2.1:5060>;npi=ISDN"),
        (b"<sip:pbx.internal>, <https://pbx.internal/x>", "network", None),
        (b"<https://pbx.internal/x?name=bob>", "name", b"<https://pbx.internal/x>"),
        (b"<tel:+15550123?Subject=Bob>", "name", b"<tel:+15550123>"),
        (b"urn:urn-7:3gpp-service.ims.icsi.mmtel", "name network", b"<urn:urn-7:3gpp-service.ims.icsi.mmtel>"),
        (b"<sip:001b21123456@SEP001b21123456.x>, <sip:2@b>", "name", b"<sip:2@b>"),
        (b"<sip:SEP001b21123456@b>, <sip:2@SEP001b21123456>", "network", b"<sip:2@192.0.2.1:5060>"),
        (b"<sip:SEP001b21123456@b>", "", None),
        (b'"Alice', "name", None),
        (b"Alice Liddell", "name", None),
        (b'garbage "Alice", <sip:1@a>', "name", b"<sip:1@a>"),
        (b"", "name", None),
    ],
)
def test_what_else_an_address_tells(value: bytes, hides: str, expected: bytes | None) -> None:
    """Names, hosts, texts and parameters go with their own categories; what cannot be read falls."""
    assert cleaned(value, hides) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"<sip:bob@x?Privacy=history>;index=1, <sip:al@y>;index=1.1",
         b"<sip:anonymous@anonymous.invalid>;index=1, <sip:al@y>;index=1.1"),
        (b"<sip:bob@x?Reason=SIP&%50rivacy=%68istory>;index=1", b"<sip:anonymous@anonymous.invalid>;index=1"),
        (b"<sip:bob@x?Privacy=none>;index=1", b"<sip:bob@x?Privacy=none>;index=1"),
        (b"<tel:+1>;privacy=full, <tel:+2>;privacy=off", b"<tel:+2>;privacy=off"),
        (b"<tel:+1>;party=calling;Privacy=URI", None),
        (b'"Bob" <tel:+1>;privacy=name', b"<tel:+1>;privacy=name"),
        (b'"Bob" <tel:+1>;privacy="full"', None),
    ],
)  # fmt: skip
def test_an_address_may_ask_for_privacy_of_its_own(value: bytes, expected: bytes | None) -> None:
    """RFC 7044 §10.1.2, RFC 5806 §3: whoever forwarded a call may be private while its caller is not."""
    assert cleaned(value, withholds=True) == expected
    assert cleaned(value) == value, "within the trust domain it goes on, and asks on"


@pytest.mark.parametrize("value", [b"56a390f3d2b7;encoding=hex", b"4711", b"A", b"id=a:b"])
def test_values_that_are_no_addresses_are_left(value: bytes) -> None:
    """Of a header that may hold something else."""
    assert cleaned(value, "name network", addresses=False) == value
    assert cleaned(value, "name network") != value


@pytest.mark.parametrize("value", [b'+15550123 "Alice"', b"Alice <", b"x-SEP001b21123456"])
def test_what_looks_like_a_name_or_a_device_falls(value: bytes) -> None:
    """There too."""
    assert cleaned(value, "name", addresses=False) is None
