"""Value patterns: real ids and addresses are found, what only looks like one is not."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.vocabulary import Action, Category
from filters.patterns import PATTERNS, compile_hidden, compile_leaks, leaks, letter_address, luhn, private_address

FOUND = [
    # standards.md §6 and F6
    ("uuid", b"<urn:uuid:00000000-0000-0000-0000-9c57ad12a4e0>"),
    ("mac", b'"SEP9C57AD12A4E0"'),
    ("mac", b"00505696-779a0005-5b1f4c9e-7d3e1f2a@198.51.100.1"),
    ("mac", b"00505696779a00051f2b3c4d-0a1b2c3d"),
    ("mac", b"00041325476C"),
    ("mac", b"MAC=00-11-22-33-44-55"),
    ("mac", b"00908f12abcd"),
    ("mac", b"9CADEF123456"),
    ("mac", b"00:1f:5b:12:34:56"),
    ("mac", b"00-1F-5B-12-34-56"),
    ("mac", b"001f.5b12.3456"),
    ("mac", b"Polycom_0004f2aabbcc"),
    ("mac", b"mac=aabbccddeeff"),
    ("mac", b"[2001:db8::21b:21ff:fe12:3456]"),
    ("mac", b"00-1b-21-ff-fe-12-34-56"),
    ("mac", b"00:1b:21:ff:fe:12:34:56"),
    ("mac", b"x=001b21fffe123456"),
    ("letters", b"523072316-5062-13@BJC.BGI.BCE.GD"),
    ("letters", b"267155984-5060-9@BHC.FA.B.BAD"),
    ("address", b"abc@192.168.1.1"),
    ("address", b"sip:x@10.0.0.1:5060"),
    ("address", b"172.31.255.255"),
    ("address", b"100.64.0.1"),
    ("address", b"127.0.0.1"),
    ("address", b"169.254.1.1"),
    ("address", b"ip-10-0-0-1.ec2.internal"),
    ("address", b"host192.168.0.7"),
    ("address", b"[fe80::1]"),
    ("address", b"[fd12:3456:789a::1]"),
    ("address", b"[::1]"),
    ("address", b"::ffff:192.168.0.1"),
    ("imei", b"<urn:gsma:imei:90420156-025763-0;vers=0>"),
    ("imei", b"490154203237518"),
    ("imei", b"x=49015420-323751-8"),
    ("uuid", b"f81d4fae-7dec-11d0-a765-00a0c91e6bf6"),
    ("uuid", b"1ec9414c-232a-6b00-b3c8-9e6bdeced846"),
    ("uuid", b"<urn:uuid:F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6>"),
    ("uuid", b"c232ab009414" + b"11ec" + b"b3c89e6bdeced846"),
    ("push-token", b"dGhpcw:APA91bHPRgkF3JUikC4ENAHEeMrd41Zxv3hVZjC9KtT8OvPVGJ-hQMRKRrZuJAEcl7B338qju59z"),
    ("push-token", b"sip:a@b;pn-tok=abc"),
    ("push-token", b"pn-prid=00fc13adff78512"),
    ("push-token", b"ExponentPushToken[xxxx]"),
]  # fmt: skip
CLEAN = [
    b"", b"a84b4c76e66710@pc33.atlanta.example.com", b"f81d4fae-7dec-41d0-a765-00a0c91e6bf6@foo.bar.com",
    b"4a1b2c3d4e5f60718293a4b5c6d7e8f9", b"ab30317f1a784dc48ff824d0d3715d86", b"1928301774", b"z9hG4bKnashds8",
    b"sha-256 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB:4A:AD:B9:B1:3F:82:18:3B:4A:AD:B9:B1",
    b"sha-1 4A:AD:FF:FE:3F:82:18:3B:FD:00:12:DF:3E:5D:49:6B:19:E5:7C:AB", b"x9cml/YzichV2+XlhiMu8g",
    b"+490154203237518", b"sip:490154203237518@example.com", b"tel:490154203237518", b"490154203237517",
    b"123456789012345678", b"00112233445566778899aabbccddeeff00112233", b"198.51.100.7", b"203.0.113.9:5060",
    b"110.0.0.1", b"210.1.2.3", b"172.32.0.1", b"172.15.0.1", b"100.63.0.1", b"100.128.0.1", b"192.169.1.1",
    b"1.10.0.0.1", b"[2001:db8::1]", b"2001:db8:fd00::1", b"ff02::1", b"fec", b"feed:me", b"abc@ABC.DEF", b"@AB.CD.EF",
    b"@JJJ.JJJ.JJJ.JJJ", b"x@bjc.bgi.bce.gd", b"BJC.BGI.BCE.GD", b"SEPARATOR1234", b"aabbccddeeff", b"12:34:56",
    # standards.md §6, keep-list: nonce, branch, tag, hashes, E.164 in several spellings
    b"dcd98b7102dd2f0e8b11d0f600bfb0c093", b"MTY5MDAwMDAwMDpkY2Q5OGI3MTAyZGQyZjBl", b"z9hG4bK776asdhds", b"as7d8f2c1e",
    b"2fd4e1c67a2d28fced849ee1bb76e7391b93eb12", b"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    b"+4930123456789", b"tel:+1-201-555-0123", b"0049301234567", b"sip:+442079460123@example.com;user=phone",
    b"2026-08-01", b"555-0199-1234", b"00:11:22:33:44", b"00:11:22:33:44:55:66", b"12345678-1234-1234", b"APA91",
]  # fmt: skip


@pytest.mark.parametrize(("name", "text"), FOUND)
def test_found(name: str, text: bytes) -> None:
    """The pattern is named, also in the midst of other text."""
    assert leaks(text) == name
    assert leaks(b"zz;p=" + text + b";zz=1") == name


@pytest.mark.parametrize("text", CLEAN)
def test_clean(text: bytes) -> None:
    assert leaks(text) is None


def test_second_candidate_is_found() -> None:
    """A candidate that is rejected does not hide the next one."""
    assert leaks(b"490154203237517,490154203237518") == "imei"
    assert leaks(b"x@JJJ.JJJ.JJJ.JJJ;y@BHC.FA.B.BAD") == "letters"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (b"523072316-5062-13@BJC.BGI.BCE.GD", "192.168.124.63"),
        (b"267155984-5060-9@BHC.FA.B.BAD", "172.50.1.103"),
        (b"abc@JJJ.A.A.A", None),
        (b"abc@example.com", None),
    ],
)
def test_letter_address(text: bytes, address: str | None) -> None:
    assert letter_address(text) == address


@given(st.tuples(*[st.integers(0, 255)] * 4))
def test_every_letter_address(octets: tuple[int, ...]) -> None:
    """Whatever address a Grandstream spells is read back."""
    digits = ".".join(map(str, octets))
    letters = digits.translate(str.maketrans("0123456789", "ABCDEFGHIJ")).encode()
    assert letter_address(b"1-2-3@" + letters) == digits
    assert leaks(b"1-2-3@" + letters) == "letters"


@given(st.binary(min_size=6, max_size=6), st.sampled_from([":", "-"]), st.booleans())
def test_every_mac(mac: bytes, separator: str, upper: bool) -> None:
    """Whatever MAC stands in a value is found, in either case."""
    text = mac.hex(separator)
    assert leaks(b"id=" + (text.upper() if upper else text).encode()) == "mac"


@given(st.ip_addresses(v=4))
def test_private_addresses_are_those_of_the_registries(address: object) -> None:
    """The regular expression agrees with IANA's special-purpose registry on what it covers."""
    text = str(address).encode()
    assert (leaks(text) == "address") is private_address(text)


def test_luhn() -> None:
    assert luhn(b"490154203237518")
    assert not luhn(b"490154203237519")


def test_an_operators_own() -> None:
    """Beside ours, and as they are only where they are asked for."""
    own = {"badge": re.compile(rb"ACME-\d{6}")}
    leaks = compile_leaks((*PATTERNS, "badge"), own)
    assert leaks(b"my badge is ACME-123456") == "badge"
    assert leaks(b"00:1b:21:12:34:56") == "mac"
    assert leaks(b"ACME-12345") is None
    assert compile_leaks(("mac",), own)(b"ACME-123456") is None
    with pytest.raises(ValueError, match="there is no pattern 'other'"):
        compile_leaks(("other",), own)


def test_only_the_named_patterns() -> None:
    """A hop that may see addresses but no device ids is searched for the latter alone."""
    assert compile_leaks(["mac"])(b"192.168.1.1") is None
    assert compile_leaks(["mac"])(b"00:1f:5b:12:34:56") == "mac"
    assert compile_leaks([])(b"00:1f:5b:12:34:56") is None
    with pytest.raises(ValueError, match="no pattern 'alice'"):
        compile_leaks(["alice"])
    assert {name for name, _ in FOUND} == PATTERNS


@given(st.binary(max_size=300))
def test_never_raises(text: bytes) -> None:
    leaks(text)


def test_patterns_are_looked_for_where_their_category_is_hidden() -> None:
    """None where nothing is: then nobody pays for a search."""
    patterns = {"mac": Category.DEVICE, "address": Category.NETWORK}
    keep = dict.fromkeys(Category, Action.KEEP)
    assert compile_hidden(patterns, keep) is None
    found = compile_hidden(patterns, keep | {Category.NETWORK: Action.SEAL})
    assert found is not None
    assert (found(b"10.1.1.23"), found(b"00:1b:21:12:34:56")) == ("address", None)
