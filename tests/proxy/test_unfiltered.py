"""What stands in for filters that fail, for emergency calls alone."""

from __future__ import annotations

from proxy.dialled import Wish
from proxy.headers import NameAddr
from proxy.message import Draft
from proxy.party import CORE
from proxy.policy import KEEP_ALL, EditContext
from proxy.unfiltered import PLAN, Unfiltered
from tests.agents import ALICE, read


def test_everything_passes_but_credentials() -> None:
    """Also those of other realms: without filters nobody can tell whose they are."""
    headers = (b"X-Odd: 1", b'Authorization: Digest realm="a"', b'Proxy-Authorization: Digest realm="b"')
    message = read(ALICE.invite(headers=headers).data)
    draft = Draft(message)
    PLAN.apply(draft, EditContext(lambda value: value, b"h", True, b"INVITE", 0))
    assert [line for line in message.lines if line not in draft.lines] == list(headers[1:])
    assert draft.body == message.body
    assert PLAN.keeps_all
    assert PLAN.contact_params(b";x=1") == b";x=1"
    name = NameAddr(b'"A" ', b"sip:a@x", b"")
    assert PLAN.address(name, b"h", is_from=True) == name
    assert PLAN.left_of_privacy([b"id"]) is None
    assert PLAN.may_assert
    assert not any((PLAN.tells_identity, PLAN.indicates, PLAN.fulfils_privacy, PLAN.vouches))


def test_the_decision_is_to_keep_all() -> None:
    privacy = Unfiltered()
    message = read(ALICE.invite().data)
    assert privacy.decide(message, CORE, CORE, Wish.WITHHOLD) == privacy.towards(CORE) == KEEP_ALL
    assert privacy.answers(message, CORE, CORE) == privacy.also(message, 7, CORE) == KEEP_ALL
    assert privacy.plan(7, CORE) is PLAN
    assert not privacy.leaks(b"00:11:22:33:44:55")
