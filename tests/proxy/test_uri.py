"""SIP URIs as values (RFC 3261 §19.1)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.errors import Malformed
from proxy.uri import SipUri, hostport, is_sips, parse_sip_uri, without_push
from tests import strategies as sip


def read(text: bytes) -> SipUri:
    uri = parse_sip_uri(text)
    assert uri is not None
    return uri


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (b"sip:b", (b"sip", b"", b"b", 0, b"", b"", b"")),
        (b"sips:a@b:5061", (b"sips", b"a", b"b", 5061, b"", b"", b"")),
        (b"sip:alice:secretword@atlanta.com;transport=tcp",
         (b"sip", b"alice", b"atlanta.com", 0, b";transport=tcp", b"", b"secretword")),
        (b"sip:atlanta.com;method=REGISTER?to=alice%40atlanta.com",
         (b"sip", b"", b"atlanta.com", 0, b";method=REGISTER", b"to=alice%40atlanta.com", b"")),
        (b"sip:+1-212-555-1212:1234@gateway.com;user=phone",
         (b"sip", b"+1-212-555-1212", b"gateway.com", 0, b";user=phone", b"", b"1234")),
        (b"sip:alice;day=tuesday@atlanta.com", (b"sip", b"alice;day=tuesday", b"atlanta.com", 0, b"", b"", b"")),
        (b"sip:user;par=u%40example.net@example.com",
         (b"sip", b"user;par=u%40example.net", b"example.com", 0, b"", b"", b"")),
        (b"sip:a@[2001:db8::1]:5070;lr", (b"sip", b"a", b"2001:db8::1", 5070, b";lr", b"", b"")),
        (b"sip:[2001:db8::10:5070]", (b"sip", b"", b"2001:db8::10:5070", 0, b"", b"", b"")),
        (b"SIP:a@B.example", (b"sip", b"a", b"B.example", 0, b"", b"", b"")),
        (b"sip:sips%3Auser%40example.com@example.net",
         (b"sip", b"sips%3Auser%40example.com", b"example.net", 0, b"", b"", b"")),
    ],
)  # fmt: skip
def test_a_uri_is_taken_apart(text: bytes, parts: tuple[object, ...]) -> None:
    """The examples of §19.1.3 and of RFC 4475: nothing is unescaped, `;` and `?` may stand in the user part."""
    assert read(text).parts == parts


def test_uris_of_the_same_parts_are_the_same() -> None:
    """Letter by letter; what RFC 3261 §19.1.4 calls equal is `uri_equal`'s."""
    one, same = (SipUri(b"sip", b"a", b"b", 5060, b";lr", b"h=1", b"secret") for _ in range(2))
    assert one == same
    assert hash(one) == hash(same)
    assert one != SipUri(b"sip", b"a", b"b", 5060, b";lr", b"h=1")
    assert one != one.parts


def test_a_uri_with_other_parts() -> None:
    """What is not given stays; an empty one is given."""
    uri = SipUri(b"sip", b"a", b"b", 5060, b";lr", b"h=1", b"secret")
    assert uri.replaced() == uri
    other = uri.replaced(user=b"", host=b"c", port=0, params=b"", headers=b"", password=b"")
    assert other.parts == (b"sip", b"", b"c", 0, b"", b"", b"")


@pytest.mark.parametrize(
    "text",
    [b"", b"sip:", b"sip", b"sip:a@", b"sip:@b", b"sip:a@b@c", b"sip:a b@c", b"sip:a@b:65536", b"sip:a@b:x",
     b"sip:<a@b>",
     b"sip:2001:db8::10", b"sip:a@[2001:db8::1", b'sip:a"@b', b"sip:a@b;x y", b"no uri", b"<sip:a@b>", b"sip:a@b\r\n",
     b"1a:b"],
)  # fmt: skip
def test_what_is_no_uri_is_malformed(text: bytes) -> None:
    """A SIP scheme with another grammar behind it is never taken for a URI of another scheme (RFC 5118 §4.2)."""
    with pytest.raises(Malformed):
        parse_sip_uri(text)


@pytest.mark.parametrize(
    "text",
    [b"tel:+15550100", b"urn:service:sos", b"isbn:2983792873", b"name:John_Smith", b"soap.beep://192.0.2.103:3002"],
)
def test_other_schemes_are_not_our_business(text: bytes) -> None:
    """RFC 4475 §3.3.4: a proxy does not look into them."""
    assert parse_sip_uri(text) is None


@given(sip.sip_uris)
def test_a_uri_of_lower_case_scheme_comes_back_as_it_was(text: bytes) -> None:
    """Taking apart and writing again changes nothing."""
    assert bytes(read(text)) == text


@given(st.binary(max_size=100).map(lambda tail: b"sip:" + tail))
def test_whatever_is_read_is_written_to_the_same_parts(text: bytes) -> None:
    """Writing is a fixed point, also where the first spelling was odd (an empty password, port 05060)."""
    try:
        uri = parse_sip_uri(text)
    except Malformed:
        return
    assert uri is not None
    assert parse_sip_uri(bytes(uri)) == uri


def test_parameters_are_found_by_name_in_any_case() -> None:
    """§19.1.4: parameter names are case-insensitive; one without value has the empty one."""
    uri = read(b"sip:a@b;LR;Transport=TCP;x=")
    assert (uri.param(b"lr"), uri.param(b"transport"), uri.param(b"x"), uri.param(b"y")) == (b"", b"TCP", b"", None)


def test_parameters_are_left_out_by_name() -> None:
    """§16.6 item 2 with §19.1.1: what is not allowed in a Request-URI goes, the rest stays in order."""
    uri = read(b"sip:a@b;lr;Method=INVITE;x=y;maddr=1.2.3.4")
    assert bytes(uri.without(b"method", b"maddr")) == b"sip:a@b;lr;x=y"
    assert uri.without() == uri


@pytest.mark.parametrize(
    ("host", "port", "text"),
    [(b"a", 0, b"a"), (b"a", 5060, b"a:5060"), (b"::1", 0, b"[::1]"), (b"::1", 5060, b"[::1]:5060")],
)
def test_addresses_get_their_brackets(host: bytes, port: int, text: bytes) -> None:
    """RFC 5118 §4.3: without them a port is not told from the last group."""
    assert hostport(host, port) == text
    assert SipUri(b"sip", b"", host, port, b"", b"").hostport == text


@pytest.mark.parametrize(
    ("uri", "left"),
    [
        (b"sip:a@h;pn-provider=fcm;pn-prid=x:y&z;transport=tls;pn-param=1", b"sip:a@h;transport=tls"),
        (b"sip:a@h:05062;PN-Prid=1;line=7;app-id=929;pn-silent;ob", b"sip:a@h:05062;line=7;ob"),
        (b"sip:a@h;pn-purr=abc;pn-prid=1;pn-purrx=2", b"sip:a@h;pn-purr=abc"),
        (b"sip:a@h;pn-prid=1?Subject=x", b"sip:a@h?Subject=x"),
        (b"sip:a;pn-prid=1@h;x-pn-prid=2;rinstance=3", b"sip:a;pn-prid=1@h;x-pn-prid=2;rinstance=3"),
        (b"sip:h;app-id=1;app-idx=2", b"sip:h;app-idx=2"),
        (b"tel:+1555", b"tel:+1555"),
        (b"", b""),
    ],
)
def test_without_push_parameters_a_uri_is_equal_to_what_it_was(uri: bytes, left: bytes) -> None:
    """RFC 3261 §19.1.4: parameters that stand in one of two URIs do not count; all others, and each byte, stay."""
    assert without_push(uri) == left


def test_the_scheme_says_whether_each_hop_is_to_be_secure() -> None:
    """In any case of letters (RFC 3261 §19.1.1)."""
    assert is_sips(b"sips:a@h")
    assert is_sips(b"SIPS:a@h")
    assert not any(map(is_sips, (b"", b"sips", b"sip:a@h", b"sip::a@h", b"tels:a", b"tel:+1")))
