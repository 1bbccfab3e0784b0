"""A generation: one immutable set of everything that decides."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from config.vocabulary import Action, Category, Zone
from proxy.generation import Generation, Ways
from proxy.letters import to_base32, to_base64
from proxy.party import Party
from proxy.passage import Passage
from proxy.policy import KEEP_ALL, pack
from proxy.record import End
from proxy.tokens import Purpose
from tests.world import SETTINGS, World, settings

HIDING = pack({Category.NETWORK: Action.SEAL})


def generation(**changes: object) -> Generation:
    return World(settings(**changes)).core.generation


def carrier(of: Generation) -> Party:
    return Party(Zone.TRUNK, of.network.settings.trunks[0])


def test_a_generation_does_not_change() -> None:
    """A transaction keeps the one that it began with."""
    with pytest.raises(FrozenInstanceError):
        generation().network = None  # type: ignore[assignment, misc]


def test_a_side_hides_what_the_decision_hides() -> None:
    """Category `network` covers Call-IDs (config/settings.py)."""
    one = generation()
    assert one.side(Party(Zone.ACCESS), HIDING).hides
    assert not one.side(Party(Zone.CORE), KEEP_ALL).hides
    assert not one.side(Party(Zone.CORE), pack({Category.NAME: Action.REMOVE})).hides
    for party in (Party(Zone.ACCESS), carrier(one)):
        devices = one.side(party, pack({Category.DEVICE: Action.REMOVE}))
        assert (devices.hides, devices.hides_devices) == (False, True)
        assert not one.side(party, pack({Category.NETWORK: Action.SEAL})).hides_devices


def test_a_trunks_side_has_its_profile() -> None:
    """dialogs.md "Trunk profile"."""
    trunks = [
        {**SETTINGS["trunks"][0], "seal_tags": True, "max_call_id": 100, "token_alphabet": "base32"},
        *SETTINGS["trunks"][1:],
    ]
    one = generation(trunks=trunks)
    side = one.side(carrier(one), HIDING)
    assert (side.seal_tags, side.max_call_id, side.alphabet) == (True, 100, "base32")
    assert side.end == carrier(one).end
    assert side.wary
    assert not one.side(Party(Zone.ACCESS), HIDING).wary
    assert one.side(carrier(one), HIDING, emergency=True).max_call_id == 255
    plain = one.side(Party(Zone.ACCESS), HIDING)
    assert (plain.seal_tags, plain.max_call_id, plain.alphabet) == (False, 64, "base64url")


def test_a_passage_is_the_same_for_all_that_it_hangs_on() -> None:
    """What is usual and what is said alike lead to one passage, and whatever differs to another."""
    one = generation()
    phone, trunk = Party(Zone.ACCESS), carrier(one)
    ways = ("UDP", ("192.0.2.1", 5060), "TCP", ("192.0.2.2", 5060))

    def passage(ends: tuple[End, End], key_id: int = 3, ways: Ways | None = None) -> Passage:
        return one.passage(phone, trunk, HIDING, KEEP_ALL, emergency=False, key_id=key_id, ends=ends, ways=ways)

    usual = passage((phone.end, trunk.end))
    assert passage((End(*phone.end), End(*trunk.end))) is usual
    assert passage((phone.end, trunk.end), ways=None) is usual
    other = End(Zone.TRUNK, 77)
    for different in (
        passage((other, trunk.end)), passage((phone.end, other)), passage((other, other)),
        passage((phone.end, trunk.end), ways=ways), passage((phone.end, trunk.end), key_id=4),
    ):  # fmt: skip
        assert different is not usual
    assert (passage((other, trunk.end)).near.end, passage((phone.end, other)).far.end) == (other, other)
    assert passage((phone.end, trunk.end), ways=ways).far_way == "TCP"


def test_a_token_is_told_by_its_authentication_alone() -> None:
    """And by its purpose."""
    one = generation()
    token = one.tokens.seal(Purpose.ROUTE, b"payload", 3)
    for user in (to_base64(token), to_base32(token)):
        assert one.is_token(user, Purpose.ROUTE)
        assert not one.is_token(user, Purpose.CONTACT)
    assert not one.is_token(to_base64(token)[:-1], Purpose.ROUTE)
    assert not one.is_token(b"alice", Purpose.ROUTE)
    assert not one.is_token(b"", Purpose.ROUTE)


def test_a_side_is_told_the_advertised_name_or_the_bound_address() -> None:
    """dialogs.md "Names"; IPv6 in brackets."""
    assert generation().origin(Party(Zone.ACCESS)) == b"192.0.2.1:5060"
    named = generation(listeners=[{"name": "main", "address": "2001:db8::1", "advertised": "sip.example.net:5070"}])
    assert named.origin(Party(Zone.ACCESS)) == b"sip.example.net:5070"
    six = generation(listeners=[{"name": "main", "address": "2001:db8::1"}])
    assert six.origin(Party(Zone.ACCESS)) == b"[2001:db8::1]:5060"
