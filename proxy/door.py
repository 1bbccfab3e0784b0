"""Who is let in at all: `guard.deny` and `guard.allow`, in front of all zones."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from config.address import NetworkValue
from proxy.location import Address


class Door:
    """The two lists of one configuration. Asked once for each address: the answer is remembered with its zone."""

    def __init__(self, deny: Iterable[NetworkValue], allow: Iterable[NetworkValue]) -> None:
        """Keep both."""
        self._deny = tuple(deny)
        self._allow = tuple(allow)

    def denies(self, address: Address) -> bool:
        """Tell whether an address is kept out: it is denied, or others are allowed and it is not."""
        if not self._deny and not self._allow:
            return False
        ip = ipaddress.ip_address(address[0].partition("%")[0])

        def holds(item: NetworkValue) -> bool:
            return item.port in (0, address[1]) and ip in item.network

        return any(map(holds, self._deny)) or (bool(self._allow) and not any(map(holds, self._allow)))
