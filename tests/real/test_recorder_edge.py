"""A recorder behind us, over real sockets: its key is replaced under sessions that are up, and an old one ends.

What the client encrypts is made by OpenSSL, with nothing of ours.
"""

from __future__ import annotations

import pytest

from proxy.matching import owner
from tests.agents import Packet, read
from tests.filters.recording import PARTIAL, RFC
from tests.real.harness import Lab, Sipveil, wait_for
from tests.real.test_recording import Studio, begin, clock, leave, opened, record, reload
from tests.recorders import Recorder, certificate, key, openssl, run_openssl
from tests.recording_sessions import CANARIES, multipart, tells_nothing

HEAD = b"Content-Type: application/rs-metadata+xml\r\n\r\n"
WRAPPED = b"application/pkcs7-mime; smime-type=auth-enveloped-data; name=smime.p7m"
HEADERS = (b"Content-Type: " + WRAPPED, b"Content-Disposition: recording-session")
OWN = 'certificate = "srs.pem"\n'
EDGE = 'role = "recorder-edge"\n'
LIFE = 6
"""Seconds that a certificate holds which ends during the test."""
EXPIRED = 'sipveil_recording_refused_total{reason="expired"}'


@pytest.fixture
def shared(lab: Lab, sipveil: Sipveil) -> Studio:
    """A running Sipveil with two workers, a recorder and a client."""
    sipveil.workers = 2
    return opened(lab, sipveil)


def sealed(lab: Lab, name: str, inner: bytes = PARTIAL) -> bytes:
    """Return metadata as somebody else's client encrypts them to a certificate in `state`."""
    asked = ("-encrypt", "-binary", "-outform", "DER", "-aes-128-gcm", "-recip", f"state/{name}.pem")
    return run_openssl(lab.folder, HEAD + inner, "cms", *asked)


def keys(studio: Studio, text: str, generation: int) -> None:
    """Let a reload bring other keys of the recorder."""
    config = studio.sipveil.config
    before, _, rest = config.read_text().partition('tls_name = "srs.example.net"\n')
    config.write_text(f'{before}tls_name = "srs.example.net"\n{text}' + rest[rest.index("\n[[recording_clients]]") :])
    reload(studio.sipveil, generation)


def pair(lab: Lab, name: str, days: float) -> None:
    """Write a new certificate with its key."""
    made = key("p256")
    Recorder(made, certificate(made.public_key(), wall=int(clock()), days=days)).write(lab.folder / "state", name)


class Session:
    """One recording session that is up, with what is told in it."""

    def __init__(self, studio: Studio, number: int, body: bytes) -> None:
        self.studio, self.number, self.cseq = studio, number, 1
        self.invite: Packet = record(studio.client, studio, number, multipart(metadata=body, kind=WRAPPED))
        self.got, _, self.up = begin(studio, studio.recorder, self.invite)

    def update(self, body: bytes) -> None:
        self.cseq += 1
        branch = b"z9hG4bKu%d-%d" % (self.number, self.cseq)
        client = self.studio.client
        client.send(
            client.agent.within(
                b"UPDATE", self.up, own=self.invite, cseq=self.cseq, headers=HEADERS, body=body, branch=branch
            )
        )

    def opens(self, body: bytes) -> None:
        """The recorder gets it in clear."""
        self.update(body)
        got = self.studio.recorder.take(b"UPDATE")
        assert b"partial" in read(got).body
        self.studio.recorder.send(self.studio.recorder.agent.answer(got, 200))
        self.studio.client.take(200)

    def is_refused(self, body: bytes) -> None:
        self.update(body)
        self.studio.client.take(493)

    def end(self) -> None:
        leave(self.studio, self.studio.recorder, self.invite, self.up, self.cseq + 1)


@openssl
def test_a_key_is_replaced_under_sessions_that_are_up_and_the_old_one_ends(lab: Lab, shared: Studio) -> None:
    """In either worker: old, both, then the old one with an end that passes while the process runs."""
    keys(shared, f'{EDGE}{OWN}key = "srs.key"\n', 2)
    calls = [next(each for each in range(100, 200) if owner(b"\r\nCall-ID: rs%d@pbx\r\n" % each, 2) == worker)
             for worker in (0, 1)]  # fmt: skip
    sessions = [Session(shared, number, sealed(lab, "srs", RFC)) for number in calls]
    for each in sessions:
        assert b"<label>96</label>" in each.got
        assert not any(canary in each.got for canary in CANARIES), "opened, and edited all the same"
    pair(lab, "next", 90)
    for each in sessions:
        each.is_refused(sealed(lab, "next"))
    former = 'former_keys = [{ certificate = "srs.pem", key = "srs.key" }]\n'
    keys(shared, f'{EDGE}certificate = "next.pem"\nkey = "next.key"\n{former}', 3)
    for each in sessions:
        each.opens(sealed(lab, "srs"))
        each.opens(sealed(lab, "next"))
    pair(lab, "srs", LIFE / 86_400)
    ends = int(clock()) + LIFE + 1
    old, new = sealed(lab, "srs"), sealed(lab, "next")
    reload(shared.sipveil, 4)
    sessions[0].opens(old)
    wait_for("the certificate's end", lambda: clock() > ends + 1 or None)
    for each in sessions:
        each.is_refused(old)
        each.opens(new)
        each.end()
    wait_for("the numbers of both", lambda: shared.sipveil.metrics().get(EXPIRED) == 2 or None)
    numbers = shared.sipveil.metrics()
    assert numbers['sipveil_recording_refused_total{reason="encryption"}'] == 2
    assert numbers["sipveil_recorder_certificate_end_seconds"] > clock() + 80 * 86_400
    opened_ = [numbers[f'sipveil_recording_opened_total{{key="{each}"}}'] for each in ("present", "former")]
    assert opened_ == [6, 3]
    assert tells_nothing(shared.tap.tape)
    shared.sipveil.stop()
    said = shared.sipveil.runs[-1].output + shared.sipveil.runs[-1].errors
    assert "expired" in said
    assert not any(canary.decode() in said for canary in CANARIES)
