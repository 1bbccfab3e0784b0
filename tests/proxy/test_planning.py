"""What one message asks for beyond its dialog's decision, and what is settled around the edits for a recorder."""

from __future__ import annotations

from typing import Any

from config.vocabulary import Zone
from proxy.counters import Counters
from proxy.crossing import Crossing
from proxy.message import Draft
from proxy.party import Party
from proxy.planning import Planning
from tests.proxy.test_crossing import crossing
from tests.recording_sessions import recording_world
from tests.world import WALL


class Diary:
    """A privacy side, and each of its plans, that write down what they are asked; a decision is a number of wishes."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def also(self, message: Any, decision: int, hop: Party) -> int:
        self.asked.append("also")
        return decision + 1

    def also_private(self, message: Any, decision: int, hop: Party, private: Any) -> int:
        self.asked.append("also_private")
        return decision + 1

    def plan(self, decision: int, hop: Party) -> Any:
        self.asked.append(f"plan {decision}")
        return self

    def apply(self, draft: Draft, context: Any) -> None:
        self.asked.append(f"apply {context.origin.decode()}")

    def tell_recorder(self, draft: Draft, message: Any, source: Party, hop: Party, *others: Any) -> str:
        self.asked.append(f"tell {hop.label} of {source.label}")
        return ""

    def seal(self, draft: Draft, hop: Party, wall: int) -> None:
        self.asked.append("seal")


def planning() -> tuple[Any, Planning, Crossing]:
    world, made = crossing()
    diary: Any = Diary()
    return diary, Planning(world.core.generation.tokens, diary, Counters()), made


def to_recorder() -> Party:
    trunks = recording_world().core.generation.network.trunks
    return next(party for party in (Party(Zone.TRUNK, trunk) for trunk in trunks) if party.recorder is not None)


def test_a_message_is_asked_for_its_own_wishes() -> None:
    diary, stages, made = planning()
    plan: Any = stages.stricter(made.request, 7, made.hop.party, WALL)
    assert plan is diary
    assert diary.asked == ["also", "plan 8"]


def test_towards_a_recorder_those_of_whom_it_names_count_too() -> None:
    diary, stages, made = planning()
    stages.stricter(made.request, 7, to_recorder(), WALL)
    assert diary.asked == ["also", "also_private", "plan 9"]


def test_either_side_is_shown_its_own_host() -> None:
    diary, stages, made = planning()
    stages.edit(Draft(made.request), made, made.request, diary, towards_far=True)
    stages.edit(Draft(made.request), made, made.request, diary, towards_far=False)
    assert diary.asked == [f"apply {made.far_origin.decode()}", f"apply {made.near_origin.decode()}"]


def test_a_recorder_is_told_before_the_plan_and_sealed_for_behind_it() -> None:
    """Whichever way a message goes."""
    diary, stages, made = planning()
    recorder, near, far = to_recorder(), made.source, made.hop.party
    made.hop = made.hop._replace(party=recorder)
    stages.edit(Draft(made.request), made, made.request, diary, towards_far=True)
    made.hop, made.source = made.hop._replace(party=far), recorder
    stages.edit(Draft(made.request), made, made.request, diary, towards_far=False)
    told = [one for one in diary.asked if not one.startswith("apply")]
    assert told == [
        f"tell {recorder.label} of {near.label}", "seal", f"tell {recorder.label} of {far.label}", "seal"
    ]  # fmt: skip
    assert [one.partition(" ")[0] for one in diary.asked] == ["tell", "apply", "seal"] * 2
