"""The sides that messages come from and go to."""

from __future__ import annotations

from config.recorder_trunk import RecorderTrunk
from config.retired import trunk_id
from config.settings import Trunk
from config.vocabulary import Zone
from proxy.record import End


class Party:
    """A side that messages come from or go to; immutable. What is asked of it for each message is worked out once."""

    __slots__ = (
        "_hash",
        "edge",
        "end",
        "in_access",
        "in_core",
        "is_limited",
        "is_uniform",
        "key",
        "label",
        "logs_in",
        "recorder",
        "registers",
        "trunk",
        "trusted",
        "zone",
        "zone_name",
    )

    def __init__(self, zone: Zone, trunk: Trunk | None = None, edge: bool = False) -> None:
        """Name a side.

        Args:
            zone: where it stands.
            trunk: which one, in the zones trunk and psap.
            edge: an edge proxy of the access zone, whose Route and Record-Route are believed.
        """
        self.zone = zone
        self.zone_name: str = zone.value
        """The zone for counters: asking an enumeration for a value runs Python code."""
        self.in_access = zone is Zone.ACCESS
        self.in_core = zone is Zone.CORE
        """Asked several times a message: a member of an enumeration is looked up by Python code."""
        self.trunk = trunk
        self.edge = edge
        self.trusted = trunk.trusted if zone is Zone.TRUNK and trunk else zone in (Zone.CORE, Zone.PSAP)
        """Inside the trust domain of RFC 3325: what it says of who calls is believed, and that it was verified.

        A PSAP is, on its emergency calls and their call-backs alone: an operator chose whom these go to.
        """
        self.end = End(zone, trunk_id(trunk.name) if trunk else 0)
        """What dialog records and token contexts keep of it."""
        self.label: str = trunk.name if trunk else zone.value
        """The name for events: the trunk's, or the zone's."""
        self.key = f"{zone.value}/{self.label}/{'edge' if edge else ''}"
        """What tells it from the other parties of one configuration."""
        self.is_uniform = trunk is not None and trunk.uniform and zone is Zone.TRUNK
        """Whether it may not see by whose software a message was written; a PSAP gets what there is."""
        self.is_limited = trunk is not None and trunk.limits is not None
        """Whether its calls are counted (`proxy/trunk_limits.py`)."""
        self.logs_in = trunk is not None and trunk.credentials is not None
        """Whether its challenges are ours to answer."""
        self.registers = trunk is not None and trunk.registration is not None
        """Whether we register there, so that calls may come for our Contact."""
        self.recorder = trunk.recorder if isinstance(trunk, RecorderTrunk) else None
        """What is configured of it, where it is a recorder."""
        self._hash = hash(self.key)

    def __hash__(self) -> int:
        """Return a hash that does not walk through a trunk's settings."""
        return self._hash

    def __eq__(self, other: object) -> bool:
        """Tell whether two values name the same side of the same configuration."""
        if self is other:
            return True
        if not isinstance(other, Party):
            return NotImplemented
        return (self.zone, self.edge, self.trunk) == (other.zone, other.edge, other.trunk)


ACCESS = Party(Zone.ACCESS)
CORE = Party(Zone.CORE)


def is_phone(source: Party | None) -> bool:
    """Tell whether a source is a phone: of the access zone, and none of its edge proxies."""
    return source is not None and source.in_access and not source.edge
