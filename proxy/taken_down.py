"""The BYE that takes down a call whose 2xx could not be passed on, where its trunk asks for a password.

It is made from what we sent and what came (`derive.py`), so it has no crossing: repeated with credentials it is the
same bytes with the next CSeq and another branch. A call that could not be taken down would be billed until somebody
notices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.authorised import ASKING
from proxy.derive import authorised
from proxy.login import Login
from proxy.matching import client_key, make_branch
from proxy.message import Message
from proxy.transaction import ClientTransaction

if TYPE_CHECKING:
    from proxy.core import Core
    from proxy.party import Party


class TakenDown:
    """The user of its transactions."""

    __slots__ = ("_bye", "_core", "_login", "_party")

    def __init__(self, core: Core, party: Party, bye: bytes) -> None:
        """Set up.

        Args:
            core: whose sockets and passwords to use.
            party: who gets it.
            bye: finished, without credentials.
        """
        self._core = core
        self._party = party
        self._bye = bye
        self._login = Login(is_invite=False)

    def on_response(self, client: ClientTransaction, response: Message, now: float) -> None:
        """Answer a challenge; all else is the end of it."""
        logins, name = self._core.logins, self._party.label
        if response.status not in ASKING or not self._party.logs_in or not logins.knows(name):
            return
        following = logins.repeat(name, self._login, response, now)
        if following is None:
            return
        self._login = following
        logins.identify(name, following, b"BYE", self._bye.split(b" ", 2)[1])
        core, flow = self._core, client.flow
        key = client_key(response.via.branch, b"%d" % following.attempt)
        branch = make_branch(core.generation.tokens, key, b"bye", flow.peer, b"down", core.worker)
        data = authorised(self._bye, branch, following.attempt, following.lines)
        again = core.start_client(flow, b"BYE", data, branch, self)
        again.hop = self._party
        again.start(now)

    def on_failure(self, client: ClientTransaction, status: int, now: float) -> None:
        """Leave it at that."""
