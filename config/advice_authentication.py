"""Who may call, where nobody has to say who it is."""

from __future__ import annotations

from collections.abc import Iterator

from config.problem import Mistake
from config.settings import Settings


def authentication_advice(settings: Settings) -> Iterator[Mistake]:
    """Yield doors that stand open to all the world, and realms that phones and registrar would take for one."""
    access, section = settings.access, settings.authentication
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
