"""The self-test passes every honest policy, and stops one that does not do what it says."""

from __future__ import annotations

from typing import Any

import pytest

from config.vocabulary import Category
from filters.engine import Engine, build
from filters.plan import CompiledPlan
from proxy.dialled import Wish
from proxy.message import Draft, Message
from proxy.party import Party
from proxy.policy import EditContext, Privacy, Private, Session, pack
from tap.selftest import self_test
from tests.world import SETTINGS, settings

OPEN = {"default": {category.name.lower(): "keep" for category in Category if category is not Category.CREDENTIALS}}


class Wrapped:
    """An engine with a plan of its own in front."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def decide(self, request: Message, source: Party, hop: Party, wish: Wish) -> int:
        return self.engine.decide(request, source, hop, wish)

    def answers(self, request: Message, source: Party, hop: Party) -> int:
        return self.engine.answers(request, source, hop)

    def kept_from(self, request: Message, source: Party, hop: Party) -> str:
        return self.engine.kept_from(request, source, hop)

    def may_record(self, request: Message, source: Party) -> bool:
        return self.engine.may_record(request, source)

    def withheld(self, message: Message, wish: Wish) -> int:
        return self.engine.withheld(message, wish)

    def noted_as(self, uri: bytes, *, believed: bool) -> tuple[bytes, ...]:
        return self.engine.noted_as(uri, believed=believed)

    def tell_recorder(
        self, draft: Draft, message: Message, source: Party, hop: Party, session: Session, wall: int, private: Private
    ) -> str:  # fmt: skip
        return self.engine.tell_recorder(draft, message, source, hop, session, wall, private)

    def also_private(self, message: Message, decision: int, hop: Party, private: Private) -> int:
        return self.engine.also_private(message, decision, hop, private)

    def recorders_end(self) -> float:
        return self.engine.recorders_end()

    def seal(self, draft: Draft, hop: Party, wall: int) -> None:
        self.engine.seal(draft, hop, wall)

    def also(self, message: Message, decision: int, hop: Party) -> int:
        return self.engine.also(message, decision, hop)

    def towards(self, hop: Party) -> int:
        return self.engine.towards(hop)

    def plan(self, decision: int, hop: Party) -> Any:
        return self.engine.plan(decision, hop)

    def leaks(self, text: bytes) -> bool:
        return self.engine.leaks(text)


class Forgetful(Wrapped):
    """Decides strictly, and plans as if all were open."""

    def plan(self, decision: int, hop: Party) -> CompiledPlan:
        return self.engine.plan(pack({}), hop)


class Raising(Wrapped):
    """Its plans raise."""

    def plan(self, decision: int, hop: Party) -> Any:
        class Plan:
            keeps_all = False

            def apply(self, draft: Draft, context: EditContext) -> None:
                raise ValueError("secret")

            def __getattr__(self, name: str) -> Any:
                return getattr(plan, name)

        plan = self.engine.plan(decision, hop)
        return Plan()


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"privacy": OPEN},
        {"privacy": {"floor": {"number": "anonymise", "network": "seal"}}},
        {"access": None, "routes": SETTINGS["routes"][1:3]},
        {"access": None, "core": None, "routes": []},
        {"core": None, "routes": [SETTINGS["routes"][-1]]},
        {"trunks": [], "routes": []},
        {"trunks": [{**SETTINGS["trunks"][0], "allow_headers": ["X-Sipveil-Self-Test"]}], "routes": []},
        {"trunks": [{**SETTINGS["trunks"][0], "hosts": ["[2001:db8::7]:5060"], "trusted": True}], "routes": []},
        {"trunks": [{**SETTINGS["trunks"][0], "token_alphabet": "base32", "record_route": False}], "routes": []},
    ],
)
def test_an_honest_policy_passes(changes: dict[str, Any]) -> None:
    """However open it is: what is not hidden may be seen."""
    configured = settings(**changes)
    assert self_test(configured, build(configured)) == ""


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (
            Forgetful,
            r"self-test of a call from access to carrier: it discloses .*unknown.*, which its own",
        ),
        (Raising, r"self-test of a call from access to carrier failed: ValueError at \S+test_selftest\.py:\d+"),
    ],
)
def test_one_that_does_not_do_what_it_says_is_stopped(kind: type[Wrapped], said: str) -> None:
    """And nothing of the text of an exception is told."""
    configured = settings()
    privacy: Privacy = kind(build(configured))
    told = self_test(configured, privacy)
    assert "secret" not in told
    assert told.startswith(said) or said.split(":", maxsplit=1)[0] in told, told
