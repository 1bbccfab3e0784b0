"""Two kinds of error, and nothing of a message in their texts (style.md, habit 8)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from config.settings import Limits
from proxy.errors import EditConflict, Malformed, Refused
from proxy.parse import parse
from tests import strategies as sip


def test_malformed_is_a_400_unless_it_says_more() -> None:
    """RFC 3261 §21.4.1."""
    assert (Malformed("Missing To").code, Malformed("Version Not Supported", 505).code) == (400, 505)
    assert Malformed("Missing To").why == "Missing To"
    assert Malformed("Missing To").partial is None


def test_refused_carries_what_its_answer_needs() -> None:
    """A refusal may add header lines: Unsupported with 420 (§16.3 item 5)."""
    refusal = Refused(420, "Bad Extension", b"Unsupported: x")
    assert (refusal.code, refusal.why, refusal.extra) == (420, "Bad Extension", (b"Unsupported: x",))


def test_theirs_and_ours_are_not_related() -> None:
    """An `except Malformed` that caught our own mistakes would hide them."""
    kinds = (Malformed, Refused, EditConflict)
    assert all(not issubclass(one, other) for one in kinds for other in kinds if one is not other)


@given(sip.requests.flatmap(sip.mutations), st.just(Limits()))
def test_reasons_come_from_a_closed_set(data: bytes, limits: Limits) -> None:
    """Reasons reach answers and logs: they are sentences of ours, never a piece of the message."""
    why: list[tuple[str, str]] = []
    try:
        parse(data, limits)
    except Malformed as error:
        why.append((error.why, str(error)))
    assert all(reason == text and reason in REASONS for reason, text in why)


REASONS = {
    "Bare line end in headers",
    "Body shorter than Content-Length",
    "CSeq method mismatch",
    "Header line too long",
    "Malformed CSeq",
    "Malformed Call-ID",
    "Malformed Content-Length",
    "Malformed Max-Forwards",
    "Malformed Request-Line",
    "Malformed Status-Line",
    *(f"Malformed {what} in {where}" for what in ("URI", "address", "parameters", "tag") for where in ("From", "To")),
    "Malformed Via",
    "Malformed header line",
    "Malformed parameters",
    "Message Too Large",
    "Missing CSeq",
    "Missing Call-ID",
    "Missing From",
    "Missing To",
    "Missing Via",
    "Missing end of headers",
    "Not SIP",
    "Repeated Call-Id",
    "Repeated Content-Length",
    "Repeated Cseq",
    "Repeated From",
    "Repeated Max-Forwards",
    "Repeated To",
    "Too many headers",
    "Version Not Supported",
}
