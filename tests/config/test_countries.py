"""ISO 3166-1 alpha-2, against a list that somebody else keeps."""

from __future__ import annotations

import phonenumbers

from config.countries import COUNTRIES


def test_they_are_those_of_the_numbering_plans_and_some_without_one() -> None:
    """libphonenumber also has AC, TA (exceptional reservations of the Post) and XK (user-assigned: Kosovo)."""
    assert set(phonenumbers.SUPPORTED_REGIONS) - COUNTRIES == {"AC", "TA", "XK"}
    assert COUNTRIES - set(phonenumbers.SUPPORTED_REGIONS) == {"AQ", "BV", "GS", "HM", "PN", "TF", "UM"}
    assert len(COUNTRIES) == 249
