"""P-Called-Party-ID (RFC 7315 §4.2): by which of its addresses a phone was called, which its Contact does not tell.

It holds the address of record alone, in the form that the phone registered it in: what a trunk wrote around the number
is not for phones. What somebody else has said there goes: a trunk or phone could name anybody.
"""

from __future__ import annotations

from proxy.message import Draft

NAME = b"p-called-party-id"


def call_party(draft: Draft, aor: bytes) -> None:
    """Say in a request for whom it came; the plan decides whether that passes, as of any other line."""
    draft.remove_all(NAME, "said anew: who was called")
    draft.adopt(NAME, b"P-Called-Party-ID: <sip:%b>" % aor)
    draft.note("p-called-party-id", "the address that was called (RFC 7315 §4.2)")
