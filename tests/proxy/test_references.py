"""References to other dialogs: each end reads the dialog that it knows (dialogs.md "References to other dialogs")."""

from __future__ import annotations

from urllib.parse import quote_from_bytes

import pytest

from config.vocabulary import Zone
from proxy.crossing import Crossing
from proxy.errors import Malformed
from proxy.headers import parse_name_addr
from proxy.message import Draft
from proxy.record import End
from proxy.references import References
from proxy.uri import SipUri, parse_sip_uri
from tests.agents import read
from tests.proxy.test_crossing import crossing, records
from tests.world import SETTINGS, World, settings

CALL_ID = b"abc@10.1.1.23"
REPLACES = CALL_ID + b";to-tag=callee;from-tag=caller"


def mapped(*headers: bytes, world: World | None = None) -> tuple[World, Crossing, Draft]:
    """Return the draft of ALICE's request with these headers, its references mapped for the carrier."""
    world, made = crossing(world, headers=headers, body=b"")
    draft = Draft(made.request)
    references(world).map(draft, made)
    return world, made, draft


def references(world: World) -> References:
    return world.core.generation.references


def uri(text: bytes) -> SipUri:
    found = parse_sip_uri(text)
    assert found is not None
    return found


def contact_token(world: World, *, for_near: bool) -> bytes:
    """Return a Contact URI of ours: towards ALICE the carrier's, towards the carrier hers."""
    _, made = crossing(world)
    target = b"sip:gw@198.51.100.7:5060" if for_near else b"sip:alice@10.1.1.23:5062"
    user = records(world).contact(made, for_near=for_near, target=target, routes=())
    return b"sip:%b@192.0.2.1:5060" % user


@pytest.mark.parametrize("name", [b"Replaces", b"Join", b"Target-Dialog"])
def test_a_reference_names_the_dialog_as_the_far_side_knows_it(name: bytes) -> None:
    """RFC 3891, 3911 and 4538: Call-ID sealed for the trunk, tags kept."""
    tags = b";local-tag=1;remote-tag=2" if name == b"Target-Dialog" else b";to-tag=1;from-tag=2"
    world, made, draft = mapped(name + b": " + CALL_ID + tags)
    value = draft.first(name.lower())
    assert value is not None
    call_id, _, rest = value.partition(b";")
    assert b";" + rest == tags
    assert world.core.generation.identity.open_call_id(call_id, made.far.end) == CALL_ID


def test_a_list_of_call_ids_is_mapped() -> None:
    """In-Reply-To."""
    world, made, draft = mapped(b"In-Reply-To: abc@10.1.1.23, def@10.1.1.23")
    value = draft.first(b"in-reply-to")
    assert value is not None
    opened = [world.core.generation.identity.open_call_id(item, made.far.end) for item in value.split(b", ")]
    assert opened == [b"abc@10.1.1.23", b"def@10.1.1.23"]


def test_a_refer_to_carries_the_number_dialled_and_nothing_else() -> None:
    """User parameters, passwords, URI parameters, other embedded headers, display names and header parameters go."""
    _, _, draft = mapped(
        b'Refer-To: "Bob" <sip:+15550100;phone-context=alice:secret@10.1.1.99;transport=tcp?From=alice&Subject=x>'
        b";method=INVITE;x=alice"
    )
    assert draft.first(b"refer-to") == b"<sip:+15550100@192.0.2.1:5060>;method=INVITE"


def test_a_tel_refer_to_stays_one() -> None:
    """RFC 3966, less its parameters."""
    _, _, draft = mapped(b"Refer-To: <tel:+15550100;ext=1;phone-context=alice.example>")
    assert draft.first(b"refer-to") == b"<tel:+15550100>"


@pytest.mark.parametrize(
    "value",
    [b"<http://alice.example/page>", b"<sip:10.1.1.23>", b"<sip:%61lice@h>", b"<tel:+1(555)0100/x>", b"no uri",
     b"<sip:a@h?Replaces=x%0D%0Ay>"],
)  # fmt: skip
def test_a_refer_to_that_cannot_be_read_is_refused(value: bytes) -> None:
    """Fail closed: it would leak, or open the response to injection."""
    with pytest.raises(Malformed):
        mapped(b"Refer-To: " + value)


def test_a_refer_to_with_replaces_is_carried() -> None:
    """RFC 3891 §4: embedded and escaped."""
    world, made, draft = mapped(
        b"Refer-To: <sip:+15550100@10.1.1.99?Replaces=" + quote_from_bytes(REPLACES).encode() + b">"
    )
    value = parse_name_addr(draft.first(b"refer-to") or b"")
    headers = uri(value.uri).headers
    assert headers.startswith(b"Replaces=")
    assert b"@" not in headers
    assert b";" not in headers
    call_id = headers.partition(b"=")[2].partition(b"%3B")[0]
    assert world.core.generation.identity.open_call_id(call_id, made.far.end) == CALL_ID


# --- transfer tokens


def test_a_refer_to_at_our_contact_becomes_a_transfer_token() -> None:
    """It holds target, side and flow, and the replaced dialog as its maker knows it."""
    world = World()
    target = contact_token(world, for_near=True)
    world, made, draft = mapped(
        b"Refer-To: <" + target + b"?Replaces=" + quote_from_bytes(REPLACES + b";early-only").encode() + b">",
        world=world,
    )
    sent = uri(parse_name_addr(draft.first(b"refer-to") or b"").uri)
    assert sent.user != uri(target).user
    transfer = references(world).open_transfer(sent, made.far.end)
    assert transfer is not None
    assert transfer.record.target == b"sip:gw@198.51.100.7:5060"
    assert transfer.record.far == made.far.end
    assert (transfer.call_id, transfer.to_tag, transfer.from_tag, transfer.early_only) == (
        CALL_ID,
        b"callee",
        b"caller",
        True,
    )
    assert transfer.record.subscriber == made.base.subscriber, "the referrer"


def test_a_transfer_token_opens_for_its_recipient_only() -> None:
    """Nor is a Contact a transfer token, or a transfer token a Contact."""
    world = World()
    target = contact_token(world, for_near=True)
    world, made, draft = mapped(b"Refer-To: <" + target + b">", world=world)
    sent = uri(parse_name_addr(draft.first(b"refer-to") or b"").uri)
    assert references(world).open_transfer(sent, made.far.end) is not None
    for other in (End(Zone.ACCESS), End(Zone.CORE), End(Zone.TRUNK, 1), made.near.end):
        assert references(world).open_transfer(sent, other) is None
    assert references(world).open_contact(sent) is None
    assert references(world).open_transfer(uri(target), made.far.end) is None
    assert references(world).open_contact(uri(target)) is not None


def test_a_transfer_without_replaces_names_no_dialog() -> None:
    """A blind transfer to a Contact."""
    world = World()
    world, made, draft = mapped(b"Refer-To: <" + contact_token(world, for_near=True) + b">", world=world)
    transfer = references(world).open_transfer(uri(parse_name_addr(draft.first(b"refer-to") or b"").uri), made.far.end)
    assert transfer is not None
    assert (transfer.call_id, transfer.to_tag, transfer.from_tag, transfer.early_only) == (b"", b"", b"", False)


def test_only_our_own_contacts_are_opened() -> None:
    """What does not authenticate is a name like any other."""
    world = World()
    assert references(world).open_contact(uri(b"sip:alice@192.0.2.1")) is None
    target = uri(contact_token(world, for_near=True))
    assert references(world).open_contact(target.replaced(user=target.user[:-1])) is None
    assert references(World(ring=world.ring)).open_contact(target) is not None


def test_the_called_side_gets_replaces_in_its_own_words() -> None:
    """A dialog that the called side began is known to it by its own Call-ID, any other by the sealed one."""
    world = World()
    identity = world.core.generation.identity
    for for_near in (True, False):
        target = contact_token(world, for_near=for_near)
        world, made, draft = mapped(
            b"Refer-To: <" + target + b"?Replaces=" + quote_from_bytes(REPLACES).encode() + b">", world=world
        )
        transfer = references(world).open_transfer(
            uri(parse_name_addr(draft.first(b"refer-to") or b"").uri), made.far.end
        )
        assert transfer is not None
        value = references(world).replaces(transfer, made.far, 3)
        call_id, _, rest = value.partition(b";")
        assert rest == b"to-tag=callee;from-tag=caller"
        assert (call_id == CALL_ID) is not for_near
        assert identity.open_call_id(call_id, made.far.end) == CALL_ID


@pytest.mark.parametrize("for_near", [True, False])
def test_the_called_side_gets_its_own_tag_as_it_made_it(for_near: bool) -> None:
    """Whichever side began the dialog; the phone's tag is sealed as it was in that dialog (RFC 3891 §3)."""
    world = World(settings(trunks=[{**SETTINGS["trunks"][0], "seal_tags": True}, *SETTINGS["trunks"][1:]]))
    ours = b"from-tag=0123456789abcdef"
    named = quote_from_bytes(b"abc@10.1.1.23;to-tag=9c57ad12a4e0;" + ours).encode()
    target = contact_token(world, for_near=for_near)
    world, made, draft = mapped(b"Refer-To: <" + target + b"?Replaces=" + named + b">", world=world)
    at = uri(parse_name_addr(draft.first(b"refer-to") or b"").uri)
    transfer = references(world).open_transfer(at, made.far.end)
    assert transfer is not None
    value = references(world).replaces(transfer, made.far, 3)
    assert b";to-tag=9c57ad12a4e0;" in value
    sealed = world.core.generation.identity.seal_tag(b"0123456789abcdef", made.far, 3)
    assert value.endswith(b";from-tag=" + sealed)
    assert ours not in value


def test_a_request_without_references_is_not_touched() -> None:
    """And one towards a side that does not hide keeps what it says."""
    _, made, draft = mapped()
    assert draft.lines == list(made.request.lines)


def test_a_message_of_ours_can_be_read_again() -> None:
    """Whatever was mapped is still a request."""
    _, made, draft = mapped(b"Replaces: " + REPLACES, b"Refer-To: <sip:+15550100@10.1.1.99>")
    lines = [draft.start, *(line for line in draft.lines if line is not None), b"", draft.body]
    assert read(b"\r\n".join(lines)).value(b"refer-to") == b"<sip:+15550100@192.0.2.1:5060>"
    assert made.near_is_caller
