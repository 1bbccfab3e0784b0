"""Whom the headers of a recording session name."""

from __future__ import annotations

from filters.named import MAX_NAMED, named, named_beside
from tests.agents import ALICE, read


def test_all_headers_that_name_somebody_are_read() -> None:
    headers = (
        b"P-Asserted-Identity: <sip:a@x>, <tel:+1555>", b"Remote-Party-ID: <sip:b@x>;party=called",
        b"Diversion: <sip:c@x>", b"History-Info: <sip:d@x>;index=1", b"Referred-By: <sip:e@x>",
        b"P-Called-Party-ID: <sip:f@x>", b"P-Preferred-Identity: <sip:a@x>", b"P-Served-User: <sip:g@x>;sescase=orig",
    )  # fmt: skip
    invite = read(ALICE.invite(headers=headers).data)
    found = named(invite)
    others = [b"sip:%b@x" % name for name in (b"a", b"b", b"c", b"d", b"e", b"f", b"g")]
    assert {*found.uris} == {b"sip:alice@sip.example.net", b"sip:+15550100@192.0.2.1", b"tel:+1555", *others}
    assert len(found.uris) == len({*found.uris})
    assert {*named_beside(invite).uris} == {b"tel:+1555", *others}
    assert found.complete


def test_the_ends_of_a_forked_call_are_at_the_host_of_its_from() -> None:
    data = ALICE.invite().data.replace(
        b"sip:alice@sip.example.net", b"sip:alice@sip.example.net;x-nearend;x-nearendaddr=1;x-farendaddr=2", 1
    )
    assert named(read(data)).uris[:2] == (b"sip:1@sip.example.net", b"sip:2@sip.example.net")


def test_what_cannot_be_read_names_somebody_whom_nobody_knows() -> None:
    data = ALICE.invite(headers=(b"Diversion: <<", b"Diversion: <sip:a@x>")).data
    found = named(read(data.replace(b"<sip:alice@sip.example.net>", b"<tel:+1>")))
    assert found.uris == (b"tel:+1", b"sip:+15550100@192.0.2.1", b"sip:a@x")
    assert not found.complete


def test_who_is_one_too_many_is_somebody_whom_nobody_knows() -> None:
    for count, complete in ((MAX_NAMED - 2, True), (MAX_NAMED - 1, False)):
        line = b"History-Info: " + b", ".join(b"<sip:%d@a>;index=1" % number for number in range(count))
        found = named(read(ALICE.invite(headers=(line,)).data))
        assert (found.complete, len(found.uris)) == (complete, MAX_NAMED)
