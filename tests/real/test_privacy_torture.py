"""standards.md §7.3, t01 to t30, over real sockets: the strict profile, and no secret in any byte towards the trunk.

    phone ── Sipveil ── trunk            besides: a registrar (core) and an emergency trunk (psap)

One process serves all cases, as it would in the field; every case ends with a search through all that the
trunk has ever received, and with a look at what the phone has sent: a secret that was not planted proves nothing.
The messages are those of tests/torture.py, which tests/filters/test_engine.py looks at in more detail.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from filters.leaks import Search
from tests.agents import SDP, Packet, read
from tests.real.desk import Desk
from tests.real.harness import PHONE, TRUNK, Lab, Sipveil
from tests.torture import (
    BOB,
    COMPACT_LINES,
    CONNECTED_IDENTITY,
    DEVICE_TAG,
    DIALOG_INFO,
    DIALOG_INFO_LINES,
    ENCODED,
    ENCODINGS,
    FROM_IN_ANY_SHAPE,
    HISTORY_LINES,
    IMPOSSIBLE_WISHES,
    LATER_SDP,
    MORE_VIA,
    MULTIPART_LINES,
    MULTIPARTS,
    REDIRECTION,
    REFER_LINES,
    SECRET,
    SERVICES,
    SIPFRAG,
    SIPFRAG_LINES,
    SPELT_ADDRESS,
    SPELT_CALL_ID,
    TWO_ROWS_AND_A_LIST,
    UNKNOWN_IN_ANY_CASE,
    WARNING,
    sent_as,
)  # fmt: skip

REGISTRAR = "127.0.0.31"
EMERGENCY = "127.0.0.41"
FAMILY_NAME = b"Quandtner"
MORE = """\
[core]
networks = ["{registrar[0]}/32"]
listener = "main"
next_hop = "{registrar[0]}:{registrar[1]}"

[[trunks]]
name = "psap"
hosts = ["{psap[0]}:{psap[1]}"]
listener = "main"
emergency = true

[[routes]]
emergency = true
to = ["psap"]

[[routes]]
methods = ["REGISTER"]
to = ["core"]

[[routes]]
"""
"""What the harness's configuration lacks: where registrations and emergency calls go, before its own routes."""
SESSION = b"c: application/sdp"
OFFER = SDP.replace(b"IP4 10.1.1.23\r\nt=", b"IP4 203.0.113.20\r\nt=")
"""Without a media relay the address in c= is exempt; it is not the phone's here."""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Return one place for the processes of all cases."""
    place = Lab(tmp_path_factory.mktemp("torture"))
    try:
        yield place
    finally:
        place.close()


@pytest.fixture(scope="module")
def sipveil(lab: Lab) -> Iterator[Sipveil]:
    """Return the proxy of all cases; at the end it must stop cleanly and have logged nobody."""
    proxy = Sipveil(lab)
    yield proxy
    proxy.stop()


class Far:
    """The ends that stay for all cases."""

    def __init__(self, lab: Lab, sipveil: Sipveil) -> None:
        """Start Sipveil between them."""
        self.trunk = lab.keep(Desk("trunk", TRUNK, sipveil.address, b"gateway"))
        self.registrar = lab.keep(Desk("registrar", REGISTRAR, sipveil.address, b"registrar"))
        self.psap = lab.keep(Desk("psap", EMERGENCY, sipveil.address, b"psap"))
        sipveil.configure(self.trunk.address)
        path = lab.folder / "sipveil.toml"
        more = MORE.format(registrar=self.registrar.address, psap=self.psap.address)
        path.write_text(path.read_text().replace("[[routes]]\n", more, 1))
        sipveil.start()


@pytest.fixture(scope="module")
def far(lab: Lab, sipveil: Sipveil) -> Far:
    """Return trunk, registrar and psap."""
    return Far(lab, sipveil)


class Case:
    """A phone of its own, and the trunk."""

    def __init__(self, lab: Lab, sipveil: Sipveil, far: Far) -> None:
        """Bind the phone's port."""
        self.phone = lab.keep(Desk("phone", PHONE, sipveil.address, b"ottilie", b'"Ottilie %b" ' % FAMILY_NAME))
        self.far, self.trunk = far, far.trunk
        self._before = len(far.trunk.received)
        self.calls = 0

    def invite(self, *lines: bytes, call_id: bytes = b"", **changes: bytes) -> Packet:
        """Return an INVITE of the phone's with its offer, unless `body` is given."""
        self.calls += 1
        body = changes.pop("body", OFFER)
        kind = () if any(line.lower().startswith((b"content-type", b"c:")) for line in lines) else (SESSION,)
        return self.phone.agent.invite(
            headers=(*lines, *kind), body=body,
            call_id=call_id or b"call-%d-%d@%b" % (self.phone.address[1], self.calls, self.phone.agent.host),
            branch=b"z9hG4bKone" if self.calls == 1 else b"z9hG4bK%d" % self.calls, **changes,
        )  # fmt: skip

    def call(self, *lines: bytes, **changes: bytes) -> bytes:
        """Send an INVITE; return it as the trunk gets it."""
        self.phone.send(self.invite(*lines, **changes))
        return self.trunk.take(b"INVITE")

    def answered(self, *lines: bytes) -> tuple[Packet, bytes, Packet, bytes]:
        """Let the trunk answer a call; return the INVITE, as the trunk got it, the answer, as the phone got it."""
        invite = self.invite(*lines)
        self.phone.send(invite)
        got = self.trunk.take(b"INVITE")
        answer = self.trunk.agent.answer(got, 200)
        self.trunk.send(answer)
        return invite, got, answer, self.phone.take(200)

    def in_call(self, method: bytes, *lines: bytes, body: bytes = b"") -> bytes:
        """Send a request in a call; return it as the trunk gets it."""
        invite, _, _, ok = self.answered()
        self.phone.send(self.phone.agent.within(method, ok, own=invite, headers=lines, body=body))
        return self.trunk.take(method)

    def called(self) -> bytes:
        """Let the trunk call the phone; return the INVITE as the phone gets it."""
        uri = b"sip:ottilie@" + self.phone.agent.host
        port = self.phone.address[1]
        self.trunk.send(
            self.trunk.agent.invite(uri=uri, call_id=b"in-%d@carrier.example" % port, branch=b"z9hG4bKi%d" % port)
        )
        return self.phone.take(b"INVITE")

    def expect_private(self, *more: bytes, own: Sequence[bytes] = (FAMILY_NAME, PHONE.encode())) -> None:
        """Assert that nothing reached the trunk that the phone has certainly sent, in this case or any before.

        more: further secrets of this case. own: what is secret of the caller itself.
        """
        secrets = [SECRET, *own, *more]
        search = Search(secrets)
        self.phone.settle()
        self.trunk.settle()
        assert found(search, self.phone.sent) == set(secrets)
        assert found(search, self.trunk.received[self._before :]) == set()
        assert found(Search([SECRET]), self.trunk.received) == set()


def found(search: Search, messages: Sequence[bytes]) -> set[bytes]:
    """Return which secrets stand in messages, in any form."""
    return {search.secrets[finding.secret] for message in messages for finding in search(message)}


@pytest.fixture
def case(lab: Lab, sipveil: Sipveil, far: Far) -> Case:
    """Return a new phone, and the trunk of all cases."""
    return Case(lab, sipveil, far)


def from_written(case: Case, prefix: str) -> None:
    """Send a call for each shape of From whose name begins so."""
    shapes = [line for name, line in FROM_IN_ANY_SHAPE.items() if name.startswith(prefix)]
    assert shapes
    for line in shapes:
        packet = case.invite()
        [usual] = [one for one in packet.data.split(b"\r\n") if one.startswith(b"From: ")]
        case.phone.send(sent_as(packet, usual, line))
        [value] = read(case.trunk.take(b"INVITE")).values(b"from")
        assert value == b'"Anonymous" <sip:anonymous@anonymous.invalid>;tag=from1'


def test_t01_compact_names(case: Case) -> None:
    """`f: m: s: b: y:` are what they stand for."""
    packet = case.invite(*COMPACT_LINES)
    contact = b"Contact: <sip:ottilie@%b>" % case.phone.agent.host
    case.phone.send(sent_as(packet, contact, b"m: " + BOB))
    data = case.trunk.take(b"INVITE")
    assert b"\r\nk: timer\r\n" in data
    assert len(read(data).items(b"contact")) == 1
    from_written(case, "t01")
    case.expect_private(b"10.1.1.77")


def test_t02_folded_from(case: Case) -> None:
    """From over three lines."""
    from_written(case, "t02")
    case.expect_private(own=[PHONE.encode()])


def test_t03_two_rows_and_a_list(case: Case) -> None:
    """Two rows of Subject, three asserted identities."""
    case.call(*TWO_ROWS_AND_A_LIST)
    case.expect_private(b"+15550123")


def test_t04_display_names_with_odd_letters(case: Case) -> None:
    """Escaped quotes, UTF-8, `>` inside quotes."""
    from_written(case, "t04")
    case.expect_private(own=[PHONE.encode()])


def test_t05_from_without_brackets(case: Case) -> None:
    """A bare URI, sip: and tel:."""
    from_written(case, "t05")
    case.expect_private(own=[PHONE.encode()])


def test_t06_blank_before_the_colon(case: Case) -> None:
    """`From :`, which RFC 3261 §7.3.1 allows."""
    from_written(case, "t06")
    case.expect_private(own=[PHONE.encode()])


def test_t07_unknown_header_in_any_case(case: Case) -> None:
    """`x-DEVICE-id`, and From in odd letters."""
    case.call(*UNKNOWN_IN_ANY_CASE)
    from_written(case, "t07")
    case.expect_private()


def test_t08_name_in_contact_of_responses(case: Case) -> None:
    """180, 183 and 200 of a phone that the trunk calls."""
    invited = case.called()
    for status in (180, 183, 200):
        case.phone.send(case.phone.agent.answer(invited, status, contact=BOB))
        assert read(case.trunk.take(status)).items(b"contact")
    case.expect_private(b"10.1.1.77", own=())


def test_t09_name_in_to_of_a_reinvite_of_the_callee(case: Case) -> None:
    """The trunk hears of the caller nothing, and the phone is called as it called itself."""
    _, got, answer, _ = case.answered(b"Subject: " + SECRET)
    renamed = case.trunk.agent.within(b"INVITE", got, own=answer, cseq=9)
    case.trunk.send(sent_as(renamed, b'To: "Anonymous"', b'To: "Bob Baumeister"'))
    reached = case.phone.take(b"INVITE")
    assert read(reached).to.address == b'"Ottilie %b" <sip:ottilie@sip.example.net>' % FAMILY_NAME
    assert b"Baumeister" not in reached
    case.phone.send(case.phone.agent.answer(reached, 200, contact=BOB))
    case.trunk.take(200)
    case.expect_private()


def test_t10_asserted_identity_in_update(case: Case) -> None:
    """RFC 4916 and 5876."""
    assert b"from-change" not in case.in_call(b"UPDATE", *CONNECTED_IDENTITY)
    case.expect_private()


def test_t11_sipfrag_of_a_notify(case: Case) -> None:
    """The status alone is left."""
    assert read(case.in_call(b"NOTIFY", *SIPFRAG_LINES, body=SIPFRAG)).body == b"SIP/2.0 200 OK\r\n"
    case.expect_private()


def test_t12_dialog_info(case: Case) -> None:
    """The event is left."""
    assert read(case.in_call(b"NOTIFY", *DIALOG_INFO_LINES, body=DIALOG_INFO)).value(b"event") == b"dialog"
    case.expect_private()


def multiparts(case: Case, prefix: str) -> None:
    """Send each multipart whose name begins so; the offer alone must arrive."""
    for name, (kind, body) in MULTIPARTS.items():
        if name.startswith(prefix):
            own = body.replace(b"IP4 10.1.1.23\r\nt=", b"IP4 203.0.113.20\r\nt=")
            message = read(case.call(b"Content-Type: " + kind, *MULTIPART_LINES, body=own))
            assert message.value(b"content-type") == b"application/sdp"
            assert b"m=audio 49170" in message.body
    case.expect_private(b"10.1.1.23")


def test_t13_offer_and_location(case: Case) -> None:
    """The location goes, in whatever order the parts stand."""
    multiparts(case, "t13")


def test_t14_nested_multipart(case: Case) -> None:
    """The same one level deeper."""
    multiparts(case, "t14")


@pytest.mark.parametrize("row", ENCODINGS, ids=["gzip", "deflate"])
def test_t15_an_encoded_body_is_415(case: Case, row: bytes) -> None:
    """And nothing of the call leaves."""
    case.phone.send(case.invite(row, body=ENCODED))
    case.phone.take(415)
    assert not case.trunk.hear(0.2)
    case.expect_private()


def test_t16_refer_to_with_embedded_headers(case: Case) -> None:
    """Whom to call and what to replace are left."""
    assert b"Refer-To: <sip:+15550111@" in case.in_call(b"REFER", *REFER_LINES)
    case.expect_private()


def test_t17_redirection_with_embedded_headers(case: Case) -> None:
    """The number of a 3xx is left."""
    case.phone.send(case.phone.agent.answer(case.called(), 302, contact=REDIRECTION))
    [contact] = read(case.trunk.take(302)).items(b"contact")
    assert contact.startswith(b"<sip:+15550177@127.0.0.1:")
    assert contact.endswith(b">;q=0.7")
    case.expect_private(b"10.1.1.23", own=())


def test_t18_history_info_with_escaped_headers(case: Case) -> None:
    """Nothing of it is left, for the Privacy beside it is not understood."""
    assert b"history-info" not in read(case.call(*HISTORY_LINES)).index
    case.expect_private()


def test_t19_call_id_with_a_spelt_address(case: Case) -> None:
    """Sealed towards the trunk; the phone gets its own back."""
    got = case.call(b"Subject: " + SECRET, call_id=SPELT_CALL_ID)
    case.trunk.send(case.trunk.agent.answer(got, 180))
    assert read(case.phone.take(180)).call_id == SPELT_CALL_ID
    assert SPELT_ADDRESS not in got
    case.expect_private(b"BJC.BGI.B.F", b"523072316")


def test_t20_session_descriptions_after_the_first(case: Case) -> None:
    """In ACK, PRACK and UPDATE."""
    lines = b"Content-Type: application/sdp", b"RAck: 1 1 INVITE"
    later = LATER_SDP.replace(b"IP4 10.1.1.23\r\nt=", b"IP4 203.0.113.20\r\nt=")
    for method in (b"ACK", b"PRACK", b"UPDATE"):
        assert b"o=- 2890844526 1 IN IP4 127.0.0.1\r\n" in case.in_call(method, *lines, body=later)
    case.expect_private(b"10.1.1.77", b"laptop")


def test_t21_warning_host(case: Case) -> None:
    """The code is left."""
    case.phone.send(case.phone.agent.answer(case.called(), 488, headers=(WARNING,)))
    assert read(case.trunk.take(488)).value(b"warning") == b'305 - ""'
    case.expect_private(b"10.1.1.77", own=())


def test_t22_via_with_received_and_rport(case: Case) -> None:
    """One Via reaches the trunk, and it is Sipveil's."""
    case.phone.send(sent_as(case.invite(), b"branch=z9hG4bKone;rport\r\n", MORE_VIA))
    assert len(read(case.trunk.take(b"INVITE")).items(b"via")) == 1
    case.expect_private(b"10.1.1.77", b"10.1.1.78")


def test_t23_forked_early_dialogs(case: Case) -> None:
    """Two early dialogs with different tags: each leads to its own target, and neither tells more than the other."""
    invite = case.invite(b"Subject: " + SECRET)
    case.phone.send(invite)
    got = case.trunk.take(b"INVITE")
    early = {}
    for tag, target in ((b"one", b"leg1"), (b"two", b"leg2")):
        contact = b"<sip:%b@%b>" % (target, case.trunk.agent.host)
        case.trunk.send(case.trunk.agent.answer(got, 183, tag=tag, contact=contact))
        early[tag] = case.phone.take(183)
        assert read(early[tag]).to_tag == tag
    for number, (tag, response) in enumerate(early.items(), 2):
        lines = b"RAck: 1 1 INVITE", b"X-Odd: " + SECRET
        case.phone.send(case.phone.agent.within(b"PRACK", response, own=invite, cseq=number, headers=lines))
        prack = read(case.trunk.take(b"PRACK"))
        assert prack.to_tag == tag
        assert prack.uri.startswith(b"sip:leg1@" if tag == b"one" else b"sip:leg2@")
        assert prack.values(b"from") == read(got).values(b"from")
    case.expect_private()


def test_t24_cancel_and_ack_carry_what_the_invite_carried(case: Case) -> None:
    """CANCEL, and the ACK of its 487."""
    invite = case.invite(b"Subject: " + SECRET, tag=DEVICE_TAG)
    case.phone.send(invite)
    got = case.trunk.take(b"INVITE")
    case.trunk.send(case.trunk.agent.answer(got, 180))
    case.phone.take(180)
    case.phone.send(case.phone.agent.cancel(invite, headers=(b"X-Odd: " + SECRET,)))
    cancel = case.trunk.take(b"CANCEL")
    case.trunk.send(case.trunk.agent.answer(cancel, 200))
    case.trunk.send(case.trunk.agent.answer(got, 487))
    ack = case.trunk.take(b"ACK")
    case.phone.send(case.phone.agent.ack_failure(invite, case.phone.take(487)))
    sent = [read(data) for data in (got, cancel, ack)]
    assert len({(one.uri, one.values(b"from")[0], one.call_id, one.to.address, one.via.branch) for one in sent}) == 1
    case.expect_private(DEVICE_TAG)


def test_t25_a_retransmission_is_the_same_bytes(case: Case) -> None:
    """Sipveil's own, when the trunk is slow; and the phone's, which goes no further."""
    invite = case.invite(b"Subject: " + SECRET)
    case.phone.send(invite)
    first = case.trunk.take(b"INVITE")
    case.phone.send(invite)
    assert case.trunk.take(b"INVITE") == first
    case.expect_private()


def test_t26_restart_in_a_dialog(case: Case, sipveil: Sipveil) -> None:
    """What was hidden before kill -9 is hidden after it, and looks the same."""
    invite, got, _, ok = case.answered(b"Subject: " + SECRET)
    sipveil.kill()
    sipveil.start()
    case.phone.send(case.phone.agent.within(b"BYE", ok, own=invite, headers=(b"Subject: " + SECRET,)))
    before, after = read(got), read(case.trunk.take(b"BYE"))
    assert (after.call_id, after.values(b"from")) == (before.call_id, before.values(b"from"))
    case.expect_private()


def test_t27_privacy_none(case: Case) -> None:
    """The caller shows its name; what the phone is was nobody's wish to show."""
    got = read(case.call(b"Privacy: none", b"User-Agent: " + SECRET, b"X-Odd: " + SECRET))
    assert FAMILY_NAME in got.from_.display
    case.expect_private(own=[PHONE.encode()])


@pytest.mark.parametrize("value", IMPOSSIBLE_WISHES)
def test_t28_critical_and_unsupported_is_500(case: Case, value: bytes) -> None:
    """And nothing of the call leaves."""
    case.phone.send(case.invite(b"Privacy: " + value, b"Subject: " + SECRET))
    assert case.phone.take(500).startswith(b"SIP/2.0 500 Privacy cannot be met: ")
    assert not case.trunk.hear(0.2)
    case.expect_private()


@pytest.mark.parametrize("urn", SERVICES)
def test_t29_an_emergency_call_arrives_complete_and_only_there(case: Case, urn: bytes) -> None:
    """The psap gets everything, the trunk nothing."""
    case.phone.send(case.invite(b"Geolocation: <cid:%b@x>" % SECRET, b"Privacy: session;critical", uri=urn))
    got = case.far.psap.take(b"INVITE")
    assert b"\r\nGeolocation: <cid:%b@x>\r\n" % SECRET in got
    assert FAMILY_NAME in got
    assert not case.trunk.hear(0.2)
    case.far.psap.settle()
    case.expect_private()


def test_t30_the_registrar_sees_the_instance_and_a_trunk_does_not(case: Case) -> None:
    """REGISTER and OPTIONS with the same Contact."""
    contact = b'Contact: <sip:ottilie@%b;ob>;+sip.instance="<urn:uuid:%b>";reg-id=1' % (case.phone.agent.host, SECRET)
    case.phone.send(case.phone.agent.request(b"REGISTER", b"sip:sip.example.net", contact=False, headers=(contact,)))
    register = case.far.registrar.take(b"REGISTER")
    assert contact in register.split(b"\r\n")
    case.far.registrar.send(case.far.registrar.agent.answer(register, 200, contact=b""))
    case.phone.take(200)
    options = case.phone.agent.request(b"OPTIONS", contact=False, headers=(contact,), branch=b"z9hG4bKo", call_id=b"o")
    case.phone.send(options)
    assert b"reg-id" not in case.trunk.take(b"OPTIONS")
    case.expect_private()
