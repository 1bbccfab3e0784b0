"""As whom an account may speak: From, To of a REGISTER, and P-Preferred-Identity must be addresses of it.

P-Asserted-Identity is not asked: what a phone asserts nobody believes (`asserted`). A From that is nobody's
(RFC 3323 §4.1) stays: who may know it learns from us who calls, and the settings that hold are the account's.
"""

from __future__ import annotations

from config.subscriber_address import forms
from proxy.address_of_record import addresses_of_record
from proxy.errors import Malformed, Refused
from proxy.headers import NameAddr, parse_name_addr
from proxy.message import Message
from proxy.uri import parse_sip_uri

_NOBODY = (b"anonymous", b"anonymous.invalid")
"""User and host (RFC 3323 §4.1.1.3). Any other user there is somebody: a trunk that goes by the user alone would take a
number for the caller's."""
_PREFERRED = b"p-preferred-identity"
_WHY = "Forbidden"


class Identity:
    """The addresses that one account may use."""

    __slots__ = ("_addresses", "_realms")

    def __init__(self, addresses: tuple[bytes, ...], realms: tuple[bytes, ...]) -> None:
        """Take canonical addresses, the main one first, and the realms that a number without a host belongs to."""
        self._addresses = addresses
        self._realms = realms

    def has(self, uri: bytes) -> bool:
        """Tell whether a URI is an address of the account."""
        found = addresses_of_record(uri, self._realms)
        # As it stands there, mostly; other forms of it are asked for only then.
        return any(each in self._addresses for each in found) or any(
            form in found for address in self._addresses for form in forms(address, self._realms)
        )

    def main(self) -> NameAddr:
        """Return the address that the account is taken for, as a From has it."""
        address = self._addresses[0]
        if b"@" not in address and self._realms:
            address += b"@" + self._realms[-1]
        scheme = b"sip:" if b"@" in address else b"tel:"
        return NameAddr(b"", scheme + address, b"")

    def check(self, request: Message, *, replaces: bool) -> NameAddr | None:
        """Hold a request outside dialogs against the account; return what has to stand in place of its From.

        Where From does not tell who sends it, `request.caller` does from then on.

        Args:
            request: of a phone that has authenticated.
            replaces: a From that is another's gives way, rather than that the request is refused.

        Raises:
            Refused: 403.
        """
        if request.method == b"REGISTER":
            # RFC 3261 §10.3, steps 3 and 4: may this user change the registrations of that address?
            if not self.has(request.to.uri) or not self.has(request.from_.uri):
                raise Refused(403, _WHY)
            return None
        if _PREFERRED in request.index:
            self._check_preferred(request)
        if self.has(request.from_.uri):
            return None
        if _is_nobody(request.from_.uri):
            request.caller = self.main()
            return None
        if not replaces:
            raise Refused(403, _WHY)
        request.caller = self.main()
        return request.caller

    def _check_preferred(self, request: Message) -> None:
        for value in request.items(_PREFERRED):
            try:
                preferred = parse_name_addr(value).uri
            except Malformed:
                raise Refused(400, "Malformed P-Preferred-Identity") from None
            if not self.has(preferred):
                raise Refused(403, _WHY)


def _is_nobody(uri: bytes) -> bool:
    try:
        parsed = parse_sip_uri(uri)
    except Malformed:
        return False
    return parsed is not None and (parsed.user.lower() or _NOBODY[0], parsed.host.lower()) == _NOBODY
