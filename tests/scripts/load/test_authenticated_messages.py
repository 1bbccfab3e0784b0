"""The templates of phones with passwords."""

from __future__ import annotations

import pytest

from scripts.benchmark import messages
from scripts.load.authenticated_messages import as_file


def test_each_attempt_is_a_request_of_its_own() -> None:
    """RFC 3261 §22.2: a new CSeq, so a new branch; the BYE counts on, and an ACK has its INVITE's number."""
    text = as_file()
    assert text.count("CSeq: {{cseq}} INVITE\r\n{{credentials}}") == 1
    assert text.count("CSeq: {{cseq}} ACK") == 2
    assert text.count("CSeq: {{next}} BYE") == 1
    assert text.count("i{{attempt}}{{run}}") == 2
    assert "%% canaries\n" in text


def test_a_message_that_has_changed_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    changed = {**messages.TEMPLATES, "bye": "BYE"}
    monkeypatch.setattr(messages, "TEMPLATES", changed)
    with pytest.raises(AssertionError, match="bye has no 'CSeq: 2 '"):
        as_file()
