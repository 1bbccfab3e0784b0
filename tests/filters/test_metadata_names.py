"""What stands for participants: addresses, names and identifiers, and that they stay the same where they must."""

from __future__ import annotations

import base64
import uuid

import pytest

from config.privacy_section import STRICT_DEFAULT
from config.vocabulary import Action, Category
from filters.metadata_names import OPEN, STRICT, Names, Treatment, treatment
from tests.filters.recording import names, open_names

KEEP, HIDE, PSEUDONYM = Action.KEEP, Action.REMOVE, Action.PSEUDONYMISE
NUMBER_HIDDEN = Treatment(KEEP, HIDE, KEEP, KEEP, KEEP)


def test_a_packed_decision_is_a_treatment() -> None:
    packed = sum((STRICT_DEFAULT.of(category) or 0) << 3 * category for category in Category)
    assert treatment(packed) == Treatment(Action.ANONYMISE, Action.ANONYMISE, HIDE, Action.SEAL, HIDE)
    assert treatment(0) == OPEN


def test_the_strictest_of_two_is_taken_for_each() -> None:
    one, other = Treatment(KEEP, HIDE, KEEP, KEEP, KEEP), Treatment(PSEUDONYM, KEEP, KEEP, HIDE, KEEP)
    assert one.strictest(other) == Treatment(PSEUDONYM, HIDE, KEEP, HIDE, KEEP)


SPELLINGS = [
    "sip:alice@example.net", " SIP:alice@EXAMPLE.net;user=phone ", "sips:alice:secret@example.net?x=y",
    "alice@example.net",
    "sip:%61lice@example.net", "sip:alice;isub=1@example.net", "sip:alice@example.net:5070",
]  # fmt: skip


def test_one_participant_has_one_pseudonym_however_it_is_written() -> None:
    assert len({names().address(text) for text in SPELLINGS}) == 1
    asked: list[bytes] = []
    for text in SPELLINGS:
        Names(lambda uri: asked.append(uri) or STRICT, lambda value: value).address(text)  # type: ignore[func-returns-value]
    assert set(asked) == {b"sip:alice@example.net"}
    assert names().address("tel:+1-555-0123;ext=4") == names().address("+15550123")


def test_two_participants_and_two_recording_sessions_have_different_ones() -> None:
    assert names().address("sip:a@b") != names().address("sip:A@b") != names().address("sip:a@c")
    assert names(key=b"1").address("sip:a@b") != names(key=b"2").address("sip:a@b")
    assert names(key=b"1").identifier("x") != names(key=b"2").identifier("x")


@pytest.mark.parametrize(
    "text",
    ["sip:", "Jane Canary", "x" * 600, "sip:" + "a" * 600 + "@b", "192.0.2.9", "sip:jane@a b", "jane@a@b",
     "\u202ejane@b",
     '"><script>'],
)  # fmt: skip
def test_an_address_that_cannot_be_read_has_a_pseudonym_whatever_may_be_told(text: str) -> None:
    shown = open_names().address(text)
    assert shown.startswith("sip:")
    assert shown.endswith("@anonymous.invalid")
    assert len(shown) == 4 + 26 + 18


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("sip:alice@example.net", "sip:alice@example.net"),
        ("sip:alice:secret@example.net;transport=tcp;user=phone?Subject=x", "sip:alice@example.net;user=phone"),
        ("sip:+1555;isub=3@example.net;user=phone", "sip:+1555@example.net;user=phone"),
        ("alice@example.net", "alice@example.net"),
        ("sips:alice@192.0.2.9:5061", "sips:alice@192.0.2.9:5061"),
        ("tel:+1-555-0123;ext=9", "tel:+15550123"),
        ("+15550123", "+15550123"),
        ("", ""),
    ],
)
def test_an_address_that_may_be_told_is_told_without_more(text: str, shown: str) -> None:
    assert open_names().address(text) == shown


def test_somebodys_network_is_not_told_with_the_number() -> None:
    shows = names(default=OPEN._replace(network=HIDE))
    assert shows.address("sip:9000@192.0.2.9:5070") == "sip:9000@anonymous.invalid"
    assert shows.address("sip:9000@[2001:db8::9]") == "sip:9000@anonymous.invalid"
    assert shows.address("9000@192.0.2.9") == "9000@anonymous.invalid"
    assert shows.address("sip:9000@example.net") == "sip:9000@example.net"


@pytest.mark.parametrize("action", [Action.INDICATE, PSEUDONYM, Action.ANONYMISE, HIDE, Action.SEAL])
def test_whatever_hides_a_number_hides_it_from_a_recorder(action: Action) -> None:
    assert "alice" not in names(default=OPEN._replace(number=action)).address("sip:alice@example.net")


@pytest.mark.parametrize(
    ("text", "address", "told"),
    [
        ("Alice", "sip:alice@example.net", "Alice"),
        (" test_user;lang=en-US;id=22 ", "sip:a@b", "test_user"),
        ("Extension 8500", "sip:2025558500@b", None),
        ("8500", "8500@b", None),
        ("+1 (202) 555", "tel:+12025558500", None),
        ("Room 12", "sip:2025558500@b", "Room 12"),
        ("alice@example.net", "sip:a@b", None),
        ("x" * 129, "sip:a@b", None),
        ("a\u202eb", "sip:a@b", None),
        ("a\nb", "sip:a@b", None),
        ("", "sip:a@b", None),
        ("Alice", "", None),
        ("Alice", "not an address", None),
    ],
)
def test_a_name_is_told_as_far_as_it_is_no_number(text: str, address: str, told: str | None) -> None:
    assert names(default=NUMBER_HIDDEN).name(text, address) == told


def test_a_name_is_hidden_or_has_the_pseudonym_of_its_address() -> None:
    assert names().name("Alice", "sip:a@b") is None
    pseudonymous = names(default=STRICT._replace(name=PSEUDONYM))
    alias = pseudonymous.name("Alice", "sip:a@b")
    assert alias == pseudonymous.name("Alicia", "SIP:a@B;x=y")
    assert alias is not None
    assert alias.removeprefix("Participant ") in pseudonymous.address("sip:a@b")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('"Alice \\"A\\"" <sip:alice@example.net>;tag=7', '"Alice \\"A\\"" <sip:alice@example.net>'),
        ("<sip:alice@example.net;x=y>;tag=7", "<sip:alice@example.net>"),
        ("sip:alice@example.net;tag=7", "<sip:alice@example.net>"),
        ('"Alice', None),
        ("", None),
    ],
)
def test_a_header_is_told_without_its_tag(text: str, told: str | None) -> None:
    assert open_names().header(text) == told


def test_a_header_hides_what_its_address_hides() -> None:
    told = names().header('"Alice" <sip:alice@example.net>;tag=7')
    assert told == f"<{names().address('sip:alice@example.net')}>"


def test_identifiers_keep_their_form() -> None:
    assert len(base64.b64decode(names().identifier(" YWxpY2VhbGljZWFsaWNlYQ== "))) == 16
    told = names().identifier("urn:uuid:3c7b23b3-0000-4da4-bfc1-e468297f5074")
    assert uuid.UUID(told.removeprefix("urn:uuid:"))
    assert names().identifier("a") == names().identifier(" a\n")
    assert names().identifier("  ") == ""


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("ab30317f1a784dc48ff824d0d3715d86;remote=47755a9de7794ba387653f2099600ef2", 32 + 8 + 32),
        ("canary@192.0.2.55", 32),
        ("ab30317f1a784dc48ff824d0d3715d86\n ; REMOTE = " + "0" * 32, 32 + 8 + 32),
    ],
)
def test_no_call_id_is_told_unless_it_may_be(text: str, form: int) -> None:
    told = names().session(text)
    assert told is not None
    assert len(told) == form
    assert not {"ab30317f1a784dc48ff824d0d3715d86", "47755a9de7794ba387653f2099600ef2"} & set(told.split(";remote="))
    real = open_names(real_ids=True).session(text)
    assert real is not None
    assert real.partition(";")[0] == text.partition(";")[0].strip()
    # Towards a recorder that may have all, ids of others' calls are no one's either, unless the operator says so.
    assert open_names().session(text) == told


def test_an_unknown_far_end_stays_unknown() -> None:
    told = names().session("ab30317f1a784dc48ff824d0d3715d86;remote=" + "0" * 32)
    assert told is not None
    assert told.endswith(";remote=" + "0" * 32)
    assert names().session("a b") is None


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Extension \u0668\u0665\u0660\u0660", False),
        ("\uff18\uff15\uff10\uff10", False),
        ("\u2467\u2464\u24ea", False),
        ("Extension 12", True),
    ],
    ids=["Arabic", "fullwidth", "circled", "another"],
)
def test_a_number_that_is_hidden_is_not_told_by_digits_of_another_script(name: str, told: bool) -> None:
    hides = names({b"sip:8500@example.net": NUMBER_HIDDEN})
    assert (hides.name(name, "sip:8500@example.net") is not None) is told


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("sip:bob@[2001:DB8::1]", b"sip:bob@[2001:db8::1]"),
        ("<sip:alice@example.net;user=phone>", b"sip:alice@example.net"),
        ('"Alice" <sip:alice@example.net>;tag=1', b"sip:alice@example.net"),
        ("tel:+1 555 0123", b"tel:+15550123"),
        ("+1 (555) 01-23", b"tel:+15550123"),
        ("sip:alice%40corp@example.net", b"sip:alice%40corp@example.net"),
        ("sip:+1(555)01-23@example.net", b"sip:+15550123@example.net"),
        ("sip:example.net", b"sip:example.net"),
    ],
)
def test_settings_are_asked_for_by_an_address_that_can_be_read(text: str, asked: bytes) -> None:
    seen: list[bytes] = []
    Names(lambda uri: seen.append(uri) or STRICT, lambda value: value).address(text)  # type: ignore[func-returns-value]
    assert seen == [asked]


def test_what_may_be_told_at_most_holds_for_address_name_and_header() -> None:
    told = open_names()
    assert told.address("sip:alice@example.net", STRICT).endswith("@anonymous.invalid")
    assert told.name("Alice", "sip:alice@example.net", STRICT) is None
    assert (
        told.header('"Alice" <sip:alice@example.net>', STRICT) == f"<{told.address('sip:alice@example.net', STRICT)}>"
    )


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("im:alice@example.net", b"sip:alice@example.net"),
        ("MAILTO:alice@EXAMPLE.net", b"sip:alice@example.net"),
        ("sip:al ice@example.net", b"sip:ice@example.net"),
        ("sip:alice@example.net:99999", b"sip:alice@example.net"),
        ("sip:+15550123", b"tel:+15550123"),
        ("Alice, +1-555-0123", b"tel:+15550123"),
        ("anonymous", b""),
        ("", b""),
        ("x" * 600 + "alice@example.net", b""),
    ],
)
def test_of_an_address_that_cannot_be_read_whom_it_may_mean_is_asked_and_nothing_is_told(
    text: str, asked: bytes
) -> None:
    """Whether that one may be recorded hangs on it."""
    seen: list[bytes] = []
    names_ = Names(lambda uri: seen.append(uri) or OPEN, lambda value: value)  # type: ignore[func-returns-value]
    assert names_.treatment(text) == STRICT
    assert seen == [asked]


def test_two_addresses_of_another_scheme_are_two() -> None:
    """No user `im` stands for everybody."""
    told = [
        open_names().address(text) for text in ("im:alice@example.net", "im:bob@example.net", "pres:bob@example.net")
    ]
    assert len(set(told)) == 3
    assert all(each.endswith("@anonymous.invalid") for each in told)
