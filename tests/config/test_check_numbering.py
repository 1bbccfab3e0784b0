"""A form of numbers needs a dial plan."""

from __future__ import annotations

from config.check_numbering import numbering_mistakes


def test_a_form_without_a_dial_plan_is_a_mistake() -> None:
    trunks = [{"name": "t"}, {"name": "u", "numbers": {"form": "e164"}}]
    assert [each.path for each in numbering_mistakes({"trunks": trunks})] == [("trunks", 1, "numbers")]
    assert list(numbering_mistakes({"trunks": trunks, "numbering": {"home": "DE"}})) == []
    assert list(numbering_mistakes({})) == []
