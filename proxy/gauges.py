"""What is in progress at this moment, for the metrics page."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from proxy.core import Core


def gauges(core: Core) -> dict[str, float]:
    """Return what is in progress by metric name, or by `name trunk` where it is of one trunk."""
    banned, limited = core.guard.sizes()
    return {
        "sipveil_server_transactions": len(core.servers),
        "sipveil_client_transactions": len(core.clients),
        "sipveil_parked_requests": len(core.parking),
        "sipveil_targets_passed_over": len(core.outages.marks),
        "sipveil_bindings": len(core.bindings),
        "sipveil_registered_addresses": core.bindings.addresses,
        "sipveil_overload_active": int(core.overload.active),
        "sipveil_overload_refused_ratio": 1 - core.overload.share,
        "sipveil_overload_lag_seconds": core.overload.wait,
        **_of_trunks(core),
        "sipveil_recorder_certificate_end_seconds": core.generation.privacy.recorders_end(),
        "sipveil_privacy_wishes_strict_until_seconds": core.wishes.strict_until,
        "sipveil_guard_banned": banned,
        "sipveil_guard_limited": limited,
    }


def _of_trunks(core: Core) -> dict[str, float]:
    """Return what is known of each trunk, by metric and trunk."""
    network = core.generation.network
    found: dict[str, float] = {}
    for trunk in network.settings.trunks:
        found[f"sipveil_trunk_calls {trunk.name}"] = core.limits.calls(trunk.name)
        found[f"sipveil_trunk_registered {trunk.name}"] = int(core.registrations.is_up(trunk.name))
    for address in core.outages.marks:
        party = network.party_of(address)
        if party is not None and party.trunk is not None:
            name = f"sipveil_trunk_addresses_passed_over {party.label}"
            found[name] = found.get(name, 0) + 1
    return found
