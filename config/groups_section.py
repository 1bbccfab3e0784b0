"""`[[groups]]`: trunks that stand in for each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pydantic import Field

from config.draft import EACH, Draft, tables, texts
from config.section import Name, Section


class Member(Section):
    """A trunk of a group."""

    trunk: Name = Field(description="name of the trunk")
    priority: int = Field(default=1, ge=0, le=65535, description="the lowest is tried first")
    weight: int = Field(
        default=1, ge=0, le=65535,
        description="share of the calls among the members of one priority; 0: only after all others of it",
    )  # fmt: skip


class Group(Section):
    """Trunks that stand in for each other: a route to the group reaches one of them, and the next when that fails.

    Which one is first is drawn for each request by priority and weight; a request that is repeated gets the same order.
    Members that are known to be silent come last, full ones are passed over. Each one gets the call under its own
    contract, edited from what the caller sent. What counts as a failure is what counts between the `hosts` of a trunk.
    """

    name: Name = Field(description="the group's name, as routes call it; no trunk has the same")
    members: tuple[Member, ...] = Field(min_length=1, max_length=16, description="its trunks")
    failover: float = Field(
        default=5.0, ge=1, le=32,
        description="how long an INVITE may be without any answer until the next target is tried; what the silent one "
        "says later is cancelled or ended. With no target left it has timer B",
    )  # fmt: skip


def expand(groups: Iterable[Group], names: Iterable[str]) -> Iterator[str]:
    """Yield the destinations of a route with the members of groups in place of the groups."""
    members = {group.name: [member.trunk for member in group.members] for group in groups}
    for name in names:
        yield from members.get(name, [name])


def expand_draft(draft: Draft) -> Mapping[str, list[str]]:
    """Return the same of what tomllib read: the members of each group by its name."""
    return {
        name: [trunk for _, trunk in texts(group, "members", EACH, "trunk")]
        for _, group in tables(draft, "groups", EACH)
        for _, name in texts(group, "name")
    }
