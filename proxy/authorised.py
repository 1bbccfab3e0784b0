"""Requests of our own to a trunk that asks for a password: repeated with credentials, as calls are (`challenged.py`).

Each attempt has the next CSeq and a branch of its own (RFC 3261 §22.2), and there are as many as of a call
(`cseq.LAST_ATTEMPT`). The nonces are those of the calls to that trunk, so that mostly none is challenged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from proxy.hop import Hop
from proxy.login import Login
from proxy.message import Message
from proxy.originate import Ask, Asker, ask
from proxy.transaction import ClientTransaction

if TYPE_CHECKING:
    from proxy.core import Core

ASKING: Final = (401, 407)


class Authorised:
    """One request and its attempts."""

    __slots__ = ("_asker", "_core", "_hop", "_login", "_patience", "_what", "challenged", "client", "cseq")

    def __init__(self, core: Core, hop: Hop, what: Ask, asker: Asker, patience: float = 0.0) -> None:
        """Set up; as `originate.ask`, whose hop is a trunk's here."""
        self._core = core
        self._hop = hop
        self._what = what
        self._asker: Asker | None = asker
        """None where nobody wants to know any more."""
        self._patience = patience
        self._login = Login(is_invite=False)
        self.cseq = what.cseq
        """Of the attempt that was sent last."""
        self.challenged = False
        """Whether the trunk has asked for a password, and so is there."""
        self.client: ClientTransaction | None = None
        """Of the attempt that was sent last."""

    def begin(self, now: float) -> None:
        """Send the first attempt."""
        self._send(now)

    def stop(self) -> int:
        """Make no further attempt and tell nobody; return the CSeq of the last one."""
        self._asker = None
        return self.cseq

    def answered(self, status: int, response: Message | None, now: float) -> None:
        """Take what became of an attempt: a challenge is answered, all else is told."""
        name, logins, asker = self._hop.party.label, self._core.logins, self._asker
        if asker is None:
            return
        if status in ASKING and response is not None:
            self.challenged = True
            following = logins.repeat(name, self._login, response, now) if logins.knows(name) else None
            if following is not None:
                self._login = following
                self.cseq += 1
                self._send(now)
                return
        elif response is not None:
            logins.accepted(name, self._login, now)
        asker.answered(status, response, now)

    def _send(self, now: float) -> None:
        what, login = self._what, self._login
        self._core.logins.identify(self._hop.party.label, login, what.method, what.uri)
        complete = what._replace(cseq=self.cseq, extra=(*what.extra, *login.lines))
        self.client = ask(self._core, self._hop, complete, self, now, self._patience)
