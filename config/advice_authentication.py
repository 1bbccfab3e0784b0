"""Who may call, where nobody has to say who it is."""

from __future__ import annotations

from collections.abc import Iterator

from config.problem import Mistake
from config.settings import Settings


def authentication_advice(settings: Settings) -> Iterator[Mistake]:
    """Yield doors that stand open to all the world or shut for browsers, and realms that would be taken for one."""
    access, section = settings.access, settings.authentication
    if section is not None and set(section.algorithms) != {"MD5"}:
        yield from _browsers(settings)
    if access is None:
        return
    everywhere = next((str(each) for each in access.networks if each.network.prefixlen == 0), None)
    if everywhere and section is None:
        wrong = f"{everywhere} is all the world, and nobody is asked who it is"
        yield Mistake(("access", "networks"), wrong, "add [authentication], or write your phones' networks")
    if everywhere and section is not None and not section.required:
        wrong = f"{everywhere} is all the world, and who brings no credentials passes"
        yield Mistake(("authentication", "required"), wrong, "write required = true once all phones have accounts")
    if section is None and not settings.realms:
        wrong = "no realm is named, so phones' credentials for yours go on to trunks whose contract keeps credentials"
        if any(trunk.privacy.credentials is not None for trunk in settings.trunks):
            yield Mistake(("realms",), wrong, "name the realms that your own servers ask for")


def _browsers(settings: Settings) -> Iterator[Mistake]:
    """Yield what keeps SIP.js 0.21 and JsSIP 3.13 out: they read the first challenge alone, and know MD5 alone."""
    for listener in settings.listeners:
        if listener.transport in ("ws", "wss"):
            wrong = "MD5 is not asked for first, and phones in browsers (SIP.js, JsSIP) give up at anything else"
            right = f'write algorithms = ["MD5"] if listener {listener.name} is for them'
            yield Mistake(("authentication", "algorithms"), wrong, right)
            return
