"""Numbers as subscribers dial them, with country code (E.164), and as a trunk wants them.

A number is rewritten before the plan looks at it, so what a policy hides stays hidden. What is no number with country
code by the dial plan, as `phonenumbers` has it, stays as it is: emergency numbers, short codes, names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from urllib.parse import unquote_to_bytes

from config.numbering_section import Numbering, TrunkNumbers
from proxy.dialled import SEPARATORS, Prefixes
from proxy.errors import Malformed
from proxy.headers import NameAddr
from proxy.memo import remembered
from proxy.uri import parse_sip_uri

LONGEST = 15
"""Digits of an international number at most (ITU-T E.164 §6.1)."""
_CONTEXT = b"phone-context"


class DialPlan:
    """Reads and writes numbers for one configuration."""

    def __init__(self, numbering: Numbering, emergency: Iterable[str], prefixes: Prefixes) -> None:
        """Read by a numbering plan; emergency numbers are none of its, prefixes such as *67 stand before numbers."""
        self._numbering = numbering
        self._emergency = frozenset(emergency)
        self._prefixes = prefixes
        self.global_number: Callable[[bytes], bytes] = remembered(self._read)
        """Return the number in a user part or telephone-subscriber with `+` and country code, b"" for any other."""

    def written(self, form: TrunkNumbers) -> Callable[[NameAddr], NameAddr]:
        """Return what writes the number of an address as a trunk wants it; other addresses it returns as they are."""

        def write(address: NameAddr) -> NameAddr:
            uri = self.uri(address.uri, form)
            return address if uri == address.uri else address._replace(uri=uri)

        return write

    def uri(self, uri: bytes, form: TrunkNumbers) -> bytes:
        """Return a sip, sips or tel URI with its number in a trunk's form, and without a prefix such as *67.

        Parameters of the number stay (`isub`, `ext`, RFC 3966 §5.3), but for a phone-context, which a number with
        country code has no use for (§5.1.5).
        """
        try:
            dialled = self._prefixes.in_uri(uri).number
            if dialled[:4].lower() == b"tel:":
                number = self.global_number(dialled[4:])
                return dialled[:4] + number + _params(dialled[4:]) if number else uri
            parsed = parse_sip_uri(dialled)
        except Malformed:
            return uri
        number = self.global_number(parsed.user) if parsed is not None else b""
        if parsed is None or not number:
            return uri
        user = self.formed(number, form) + _params(parsed.user)
        return uri if user == parsed.user and dialled == uri else bytes(parsed.replaced(user=user))

    def formed(self, number: bytes, form: TrunkNumbers) -> bytes:
        """Return a number with `+` and country code as a trunk wants it."""
        if form.form == "e164":
            text = number.decode()
        elif form.form == "national":
            text = self._national(number) or form.prefix + number[1:].decode()
        else:
            text = form.prefix + number[1:].decode()
        return (form.add + text.removeprefix(form.strip)).encode()

    def _national(self, number: bytes) -> str:
        """Return how a number of the home country is dialled within it, "" for others."""
        import phonenumbers  # noqa: PLC0415 -- a quarter of a second's start, for who has a dial plan

        home = phonenumbers.country_code_for_region(self._numbering.home)
        try:
            parsed = phonenumbers.parse(number.decode(), None)
        except phonenumbers.NumberParseException:
            return ""
        if parsed.country_code != home:
            return ""
        shown = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)
        return "".join(filter(str.isdigit, shown))

    def _read(self, user: bytes) -> bytes:
        """Work out `global_number`."""
        head, _, rest = unquote_to_bytes(user).partition(b";")
        text = head.translate(None, SEPARATORS).decode("ascii", "replace")
        digits = text.removeprefix("+")
        if not (digits.isascii() and digits.isdigit()) or not {text, digits}.isdisjoint(self._emergency):
            return b""
        if text == digits:
            context = _context(rest)
            if context is None:
                return self._dialled(digits)
            # RFC 3966 §5.1.5: a local number is global behind the digits of its context; a domain says nothing.
            digits = context.removeprefix("+") + digits
            if not context.startswith("+") or not digits.isdigit():
                return b""
        return b"+" + digits.encode() if self._numbering.short < len(digits) <= LONGEST and digits[0] != "0" else b""

    def _dialled(self, digits: str) -> bytes:
        """Return what was dialled at home with its country code, b"" where that plan says nothing."""
        if len(digits) <= self._numbering.short:
            return b""
        import phonenumbers  # noqa: PLC0415

        try:
            parsed = phonenumbers.parse(digits, self._numbering.home)
        except phonenumbers.NumberParseException:
            return b""
        if not phonenumbers.is_possible_number(parsed):
            return b""
        number = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
        return number.encode() if number.removeprefix("+") not in self._emergency else b""


def _context(params: bytes) -> str | None:
    """Return the phone-context among a number's parameters, None where there is none."""
    for item in params.split(b";"):
        name, _, value = item.partition(b"=")
        if name.lower() == _CONTEXT:
            return value.translate(None, SEPARATORS).decode("ascii", "replace")
    return None


def _params(user: bytes) -> bytes:
    """Return the parameters behind a number that stay, each with its `;` in front."""
    _, _, rest = user.partition(b";")
    kept = [item for item in rest.split(b";") if item and item.partition(b"=")[0].lower() != _CONTEXT]
    return b"".join(b";" + item for item in kept)
