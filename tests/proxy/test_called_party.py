"""P-Called-Party-ID by itself; in a call: test_registered.py."""

from __future__ import annotations

from proxy.called_party import NAME, call_party
from proxy.message import Draft
from tests.agents import CARRIER, read


def test_it_stands_for_what_others_have_said() -> None:
    headers = (b"P-Called-Party-ID: <sip:x@evil.example>", b"p-called-party-id: <sip:y@evil.example>")
    draft = Draft(read(CARRIER.request(headers=headers).data), [])
    call_party(draft, b"alice@example.net")
    assert [draft.value(place) for place in draft.find(NAME)] == [b"<sip:alice@example.net>"]
    assert draft.notes is not None
    assert draft.notes[-1][0] == "p-called-party-id"
