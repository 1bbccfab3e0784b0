"""Whom the headers of a recording session name."""

from __future__ import annotations

from filters.named import named
from tests.agents import ALICE, read


def test_all_headers_that_name_somebody_are_read() -> None:
    headers = (
        b"P-Asserted-Identity: <sip:a@x>, <tel:+1555>", b"Remote-Party-ID: <sip:b@x>;party=called",
        b"Diversion: <sip:c@x>", b"History-Info: <sip:d@x>;index=1", b"Referred-By: <sip:e@x>",
        b"P-Called-Party-ID: <sip:f@x>", b"P-Preferred-Identity: <sip:a@x>",
    )  # fmt: skip
    found = named(read(ALICE.invite(headers=headers).data))
    others = [b"sip:%b@x" % name for name in (b"a", b"b", b"c", b"d", b"e", b"f")]
    assert {*found} == {b"sip:alice@sip.example.net", b"sip:+15550100@192.0.2.1", b"tel:+1555", *others}
    assert len(found) == len({*found})


def test_the_ends_of_a_forked_call_are_at_the_host_of_its_from() -> None:
    data = ALICE.invite().data.replace(
        b"sip:alice@sip.example.net", b"sip:alice@sip.example.net;x-nearend;x-nearendaddr=1;x-farendaddr=2", 1
    )
    assert named(read(data))[:2] == (b"sip:1@sip.example.net", b"sip:2@sip.example.net")


def test_what_cannot_be_read_names_nobody() -> None:
    data = ALICE.invite(headers=(b"Diversion: <<",)).data.replace(b"<sip:alice@sip.example.net>", b"<tel:+1>")
    assert named(read(data))[0] == b"tel:+1"
    assert len(named(read(data))) == 2
