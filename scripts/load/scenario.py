"""The scenarios: what the caller plays, what the trunk plays, and what of the contract it takes."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent / "scenarios"


class Scenario(NamedTuple):
    """Two SIPp scenarios that belong together; the caller's file is caller_NAME.xml."""

    name: str
    trunk: str
    """The trunk's file is trunk_TRUNK.xml."""
    what: str
    rings: bool = True
    """Whether the set-up time has the trunk's ringing in it: it ends with the 200 to an INVITE."""
    contract: str = ""
    """Lines of the trunk's privacy table without which the proxy would refuse what the caller sends."""

    @property
    def caller_file(self) -> Path:
        """Return the caller's scenario."""
        return FOLDER / f"caller_{self.name.replace('-', '_')}.xml"

    @property
    def trunk_file(self) -> Path:
        """Return the trunk's scenario."""
        return FOLDER / f"trunk_{self.trunk}.xml"


SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario("rich", "call", "a call by a phone that tells everything it knows"),
        Scenario("plain", "call", "a call by a phone that tells name and number only"),
        Scenario("messages", "messages", "OPTIONS, then MESSAGE", rings=False, contract='content = "keep"'),
        Scenario("cancel", "cancelled", "the caller gives up as soon as it rings", rings=False),
        Scenario("busy", "busy", "486, acknowledged", rings=False),
        Scenario("reinvite", "reinvite", "a call that first the caller, then the trunk changes"),
        Scenario("trunk-bye", "bye", "a call that the trunk ends"),
    )
}
"""Name → scenario, in the order in which `all` runs them."""
