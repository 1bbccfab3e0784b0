"""Bytes that are sealed today as ever: tokens of calls that are up, and of nodes of another version, have to open.

These were made before anything here was made to cost less. Who changes one of them ends the calls of an upgrade, and
answers a retransmission otherwise than the first time.
"""

from __future__ import annotations

import pytest

from config.keyring import Key, KeyRing, KeyState
from config.vocabulary import Zone
from proxy.flow import Flow
from proxy.headers import NameAddr
from proxy.identity import Identity, Side
from proxy.pack import (
    ANONYMOUS,
    DERIVED,
    Reader,
    pack_address,
    pack_call_id,
    pack_uri,
    unpack_address,
    unpack_call_id,
    unpack_uri,
)
from proxy.record import Binding, End, Mark, Mould, Record, decode, encode
from proxy.tokens import Purpose, Tokens

WALL = 1.79e9
RING = KeyRing((Key(3, bytes(range(32)), WALL, KeyState.CURRENT, WALL),), 4)
TRUNK = End(Zone.TRUNK, 0xDEADBEEF)
SIDE = Side(TRUNK, hides=True, wary=True, hides_devices=True)


@pytest.fixture
def tokens() -> Tokens:
    """Return tokens that remember nothing yet."""
    return Tokens(RING)


CALL_IDS = {
    b"": "00",
    b"a": "0061",
    b"7f": "003766",
    b"3848276298220188511@atlanta.example.com": "090f0432042021c608920208004820504101064def931de4fe8ee4c33be8fe6cb0",
    b"f81d4fae-7dec-11d0-a765-00a0c91e6bf6@192.0.2.4": "0bf81d4fae7dec11d0a76500a0c91e6bf604c0000204",
    b"F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6": "0ef81d4fae7dec11d0a76500a0c91e6bf6",
    b"843817637684230@998sdasdh09": "090c0481032011c60c71881020c001049248da79369eb009",
    b"00001a2B": "010100000006408b",
    b"deadbeefcafe@10.1.1.23:5062": "1406deadbeefcafe0a01011713c6",
    b"AFBDECAF12": "1605afbdecaf12",
    b"0-0": "00302d30",
    b"x!y*z@[2001:db8::1]": "007821792a7a405b323030313a6462383a3a315d",
    b"a84b4c76e66710": "1207a84b4c76e66710",
    b"1-2871@sip.proxy.gateway.com": "0905107e0881c10176b33ff3d72efcfea937a3a93cfe6cb0",
}


@pytest.mark.parametrize(("call_id", "packed"), CALL_IDS.items(), ids=str)
def test_call_ids(call_id: bytes, packed: str) -> None:
    """Of every shape that is packed."""
    assert pack_call_id(call_id).hex() == packed
    assert unpack_call_id(bytes.fromhex(packed)) == call_id


URIS = {
    b"sip:alice@10.1.1.23:5062": "2d05616c6963650a01011713c6",
    b"sips:+15550100@sip.example.net;transport=tcp;lr": "47fc0815550100fd09866578616d706c6589fd028184",
    b"sip:[2001:db8::1]:5061": "3120010db800000000000000000000000113c5",
    b"sip:sip.example.com": "01fd09866578616d706c6588",
    b"tel:+15550100": "000d74656c3a2b3135353530313030",
    b"sip:a:b@h": "00fd07873a613a624068",
    b"sip:x@h:05060": "00fd0b873a7840683a3035303630",
    b"sip:carrier-voipbx@edge.proxy.telecom.co.uk;user=phone;ob": "45fd05912d8f6278fd069b2e8c2e9c94fd028385",
    b"sip:QUJDREVGR0hJSktMTU5PUFFSU1RVVldY@10.1.1.1": "8d184142434445464748494a4b4c4d4e4f5051525354555657580a010101",
}


@pytest.mark.parametrize(("uri", "packed"), URIS.items(), ids=str)
def test_uris(uri: bytes, packed: str) -> None:
    """Taken apart, and as they stand."""
    assert pack_uri(uri).hex() == packed
    assert unpack_uri(Reader(bytes.fromhex(packed))) == uri


ADDRESSES = {
    ANONYMOUS: "01",
    DERIVED: "03",
    NameAddr(
        b'"Alice Liddell"', b"sip:+15550100@sip.example.net", b""
    ): "020f22416c696365204c696464656c6c2205fc0815550100fd09866578616d706c6589",
    NameAddr('"Zoë"'.encode(), b"sip:zoe@10.0.0.1", b""): "0206225a6fc3ab220d037a6f650a000001",
    NameAddr(b"Gateway proxy", b"tel:112", b""): "02fd0947617465776179208c000774656c3a313132",
}


@pytest.mark.parametrize(("address", "packed"), ADDRESSES.items(), ids=str)
def test_addresses(address: NameAddr, packed: str) -> None:
    """Of From and To."""
    assert pack_address(address).hex() == packed
    assert unpack_address(Reader(bytes.fromhex(packed))) == address


HASHES = {
    (b"dialog", (b"call@host", b"tag")): "76e30f792d7344f7",
    (b"call", (b"call@host",)): "8534d1c69cdb",
    (b"subscriber", (b"sip:alice@example.net",)): "7c536ec9cc65",
    (b"branch", (b"z9hG4bKx 10.1.1.23:5060 INVITE", b"sip:bob@h", b"198.51.100.7:5060")): "b473c087ae99504dc2",
    (b"call-id", (b"x" * 600, b"")): "ddcc21f01f109cc5d0327d5ffa165405722240579dbd8f4a2ea24e63",
}


@pytest.mark.parametrize(("said", "expected"), HASHES.items(), ids=str)
def test_keyed_hashes(tokens: Tokens, said: tuple[bytes, tuple[bytes, ...]], expected: str) -> None:
    """Of each size; the second time as the first."""
    label, parts = said
    size = len(expected) // 2
    assert tokens.mac(3, label, *parts, size=size).hex() == expected
    assert tokens.mac(3, label, *parts, size=size).hex() == expected


IDENTIFIERS = [
    (
        b"f81d4fae-7dec-11d0-a765-00a0c91e6bf6@192.0.2.4",
        b"QyHGfSXrizc8zh2aZZxJMerVQe3zLMZfun0He9da9O1CVm7MHOoF",
        b"mntqt7hjxi52624z45xlpvtgjwrrnmln3ethf7dypkpjunpaoqvzxvaqaemtbza",
    ),
    (
        b"0123456789abcdef0",
        b"Q00jZstoGI4iqDpwWAWuVPPCn6J6UMPnWakvWbsS4w",
        b"mofkpg4jrvn7dwzvaox2qp3liy3izglixfgqdlm4fvgsmws3la",
    ),
    (b"1928301774", b"Q5wCQyXTQfxbI_y_P-hvU015xb1Y6oV9", b"1928301774"),
    (
        b"SEP001122334455",
        b"Q9AXiUqFd8dQJi5xLdqUMtuEKZaj0cLgGyu5S6Pc",
        b"mpxnn73anj7uc7uebjnhlmbzsqtkcncfkyuneccl6a7v7fnf",
    ),
    (
        b"a%3Ab%3A00%3A11%3A22%3A33%3A44%3A55",
        b"Q-Jsp1ouR8uUfElqKoO68Ht8p_wYvCcJumX6Ox8",
        b"momw2xagjryk2eu3rawemyv7m7c6mq7jrb2re2lyhayf2sigvyzyzqi6oeg3cuh3r6osevfg53alkkzfz6cg2",
    ),
    (b"x" * 60, b"Qzsl7fZ-2CHvNYbACrYPdF_7VgUGMYsfVP4YKp8", b"x" * 60),
]


@pytest.mark.parametrize(("value", "call_id", "tag"), IDENTIFIERS, ids=str)
def test_identifiers(value: bytes, call_id: bytes, tag: bytes) -> None:
    """The same text as a Call-ID and as a tag, as a trunk sees it."""
    ours = Identity(Tokens(RING), lambda text: b"SEP" in text)
    assert (ours.seal_call_id(value, SIDE, 3), ours.seal_tag(value, SIDE, 3)) == (call_id, tag)
    another = Identity(Tokens(RING), lambda text: b"SEP" in text)
    assert another.open_tag(tag, TRUNK) == value
    assert another.open_call_id(call_id, TRUNK) == value or another.matches_hash(value, call_id, TRUNK, 3)


OF_A_DATAGRAM = Record(
    Mark.FROM_CALLER | Mark.RECORDING, 1_790_000_000, End(Zone.ACCESS), TRUNK, 0o777777777777, 0o123456701234,
    b"subscr", b"callid", b"fingerpr", b"sip:alice@10.1.1.23:5062",
    Flow("UDP", ("192.0.2.1", 5060), ("10.1.1.23", 5062)), (b"sip:edge@192.0.2.9;lr", b"sip:p2.example.com;lr"),
    NameAddr(b'"Alice Liddell"', b"sip:+15550100@sip.example.net", b""), ANONYMOUS,
    NameAddr(b'"Bob"', b"sip:+15550199@sip.example.net", b""), DERIVED,
    b"f81d4fae-7dec-11d0-a765-00a0c91e6bf6@192.0.2.4",
)  # fmt: skip
OF_A_CONNECTION = Record(
    0, 1, TRUNK, End(Zone.CORE), 0, 1, b"subscr", b"callid", b"fingerpr", b"sips:bob@h.example;transport=ws",
    Flow("TLS", ("192.0.2.1", 5061), ("2001:db8::5", 40001), 3 << 32 | 7),
    binding=Binding(b"sip:bob@h.example", b"<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>", 2), node=513, worker=3,
)  # fmt: skip
RECORDS = [
    (
        OF_A_DATAGRAM,
        (
            "05026ab13b8029cbb829cfffffffff73756273637263616c6c696466696e67657270726fdeadbeef0004c000020113c4040a"
            "01011713c62d05616c6963650a01011713c6024d0465646765c0000209033b6c7241fd0470328b88033b6c72020f22416c69"
            "6365204c696464656c6c2205fc0815550100fd09866578616d706c658901020522426f622205fc0815550199fd0986657861"
            "6d706c658903160bf81d4fae7dec11d0a76500a0c91e6bf604c000020400000000000000000000000000"
        ),
        (
            "A3INpzuvkTVC6VYRDXZ8RVmlC_C_SaKUgor6sv3ri4Y22nh4KwsV34mNQi3c9QIvNpKTdJIYRx1Vn8DgbxMCuzdVl7-xVqsT24e9"
            "twiucKuxMKLfX4HlwZnQCcjMO01dXSD8GUCnOIQ7TpSGaI4GUZqNC_GryxzYsfFUf5IitXzbt4_0Lec4kl0YMO1etsyiVPZvti-Q"
            "9ADaogPA1n09lBu-IxMr4OeVvF_J40n_lcMIO9asV_q4-e8ewy5xu61Dtk6qRlG6jAKvOU61DmBosKM"
        ),
        (
            "epdb6m3gi7jhwuumenfn5wfwd2qxwqlsvug7q5hmeadzu3a2ao2lv4c4uaka2pze26ysqlozg7wqmtaptgmbtuuandlcckyp6pgl"
            "xdgtdmfixeygdufxpr2wq6xodn5r3qqwsmbozmhz5j5na5yuuy2soxrjhqyplm4xmvfaqdawkrxbsbotkbos72dizixn7s4jjw4w"
            "7obv72jz5tibi4hnokeftuguft4o2dcqwiq3evmn3wsutsu5ebrhhw54jxnk3v6adrr5vdgjal5mwgm5rshbrpetno4umx7zx4cu"
            "7hp3j6gsgtngjtigqaggpsc5szhu7qaj7yi"
        ),
    ),
    (
        OF_A_CONNECTION,
        (
            "00210000000100000000100000000073756273637263616c6c696466696e676572707290deadbeef0204c000020113c51020"
            "010db80000000000000000000000059c41020103000000074703626f62fd02688b0d3b7472616e73706f72743d777300fd08"
            "873a626f6240688b2f3c75726e3a757569643a66383164346661652d376465632d313164302d613736352d30306130633931"
            "65366266363e00020000"
        ),
        (
            "A7rpYDNsKR42mmzzPFabIFmq78vab399Wt9iZqD76pnYQwU5n4DL1A91-bkLfrGZv4ySTivZV0DhEaOfPZZ2YkFHLTZ-Qr91Diw6"
            "ozzoysvzaNrggJwCZ4E8Zq9EwIxzDx--ijvjvEhM0OmLV7IcN80WpXC9cE5rgd4gItDZ9Chl6BfzGYexoCxsb0av_T8YHncd5NR4"
            "Nb51zq3LDKSbs1qPC4FsxpSfuwFrxveslhJn"
        ),
        (
            "eodxt6yggu4fxgmjk7iizqybvwelp2f43b2n5d4uvsnulj7pqok6rpt5zfpgaoqlcmjmcb4dgv3gz2dg7osjneic7khqer74uzqw"
            "zp7ikw4zskh7kblfmoibt7jkv7bev5aozf57wd23jwtl4yujd32dknazy65z36j6u6e7ffspjy2j4xnj5i2heqxndzhy6drphpyf"
            "xfl7cnr6kbzbaqf2fksfqc6onrvd4d7tgrf7sjeng7qw6rwcn2xrzqjb6pgimh6smo3ttxruh7oapupixeaa"
        ),
    ),
]


@pytest.mark.parametrize(("record", "payload", "route", "contact"), RECORDS, ids=["datagram", "connection"])
def test_records(tokens: Tokens, record: Record, payload: str, route: str, contact: str) -> None:
    """A whole record with each field, in either alphabet."""
    packed = encode(record, 1024)
    assert packed.hex() == payload
    assert tokens.seal_record(Purpose.ROUTE, packed, record, 3, "base64url") == route.encode()
    assert tokens.seal_record(Purpose.CONTACT, packed, record, 3, "base32") == contact.encode()
    opened = Tokens(RING).open_text(route.encode())
    assert opened is not None
    assert opened.record == decode(packed) == record


def test_a_bare_record() -> None:
    """Of a Contact: without names, Call-ID and routes."""
    record = OF_A_DATAGRAM
    made = Mould(record, record.issued).make(record.marks, record.flow, record.target, (), 1024, whole=False)
    assert made is not None
    assert made[0].hex() == (
        "05026ab13b8029cbb829cfffffffff73756273637263616c6c696466696e676572707220deadbeef0004c000020113c4040a"
        "01011713c62d05616c6963650a01011713c600000000000000000000000000000000000000000000000000000000"
    )
