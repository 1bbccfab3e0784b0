"""What a registration at a trunk needs besides its own section."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from config.address import parse_host_port, parse_network
from config.draft import EACH, Draft, parsed, tables
from config.lines import Path
from config.problem import Mistake


def registration_mistakes(draft: Draft) -> Iterator[Mistake]:
    """Yield registrations without a user, at a registrar that would be a stranger, or required where few know."""
    for path, trunk in tables(draft, "trunks", EACH):
        for key, section in tables(trunk, "registration"):
            where = (*path, *key)
            if "user" not in section and "credentials" not in trunk:
                wrong = "is missing, and the trunk has no credentials to take it from"
                yield Mistake((*where, "user"), wrong, 'write the account\'s, such as user = "+15550100"')
            yield from _elsewhere(where, trunk, section)
            if section.get("required") is True and draft.get("workers", 1) != 1:
                wrong = "is known to the one worker that registers, and there are several"
                yield Mistake((*where, "required"), wrong, "write required = false, or workers = 1")


def _elsewhere(where: Path, trunk: Draft, section: Draft) -> Iterator[Mistake]:
    """A registrar whose answers would come from a stranger."""
    networks = [network.network for _, network in parsed(parse_network, trunk, "networks", EACH)]
    hosts = {hop.host for _, hop in parsed(parse_host_port, trunk, "hosts", EACH)}
    for key, hop in parsed(parse_host_port, section, "registrar"):
        if hop.host in hosts:
            continue
        known = any(ipaddress.ip_address(hop.host) in each for each in networks) if hop.is_ip else bool(networks)
        if not known:
            wrong = f"{hop.host} is none of the trunk's hosts and in none of its networks, so its answers count as none"
            yield Mistake((*where, *key), wrong, "add its addresses to the trunk's networks")
