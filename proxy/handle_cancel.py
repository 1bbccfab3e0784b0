"""CANCEL (RFC 3261 §9.2, §16.10): answered here, and passed to every pending branch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.derive import plain_reason
from proxy.flow import Flow
from proxy.matching import ServerKey, server_key
from proxy.message import Message
from proxy.transaction import ServerTransaction

if TYPE_CHECKING:
    from proxy.core import Core


class CancelHandler:
    """Takes CANCELs that are not retransmissions."""

    def __init__(self, core: Core) -> None:
        """Work on the core's tables."""
        self._core = core

    def receive(self, request: Message, key: ServerKey, flow: Flow, now: float) -> None:
        """Answer 200 and cancel the INVITE's branches; 481 where there is no such INVITE.

        The CANCELs that go out are made from the INVITEs that went out, so nothing of this one leaves but the
        cause of a Reason.
        """
        core = self._core
        server = core.open_server(key, request, flow)
        invite = core.servers.get(server_key(request, b"INVITE"))
        if invite is None:
            core.respond(server, request, flow, 481, now)
            return
        core.respond(server, request, flow, 200, now)
        if isinstance(invite, ServerTransaction) and invite.context is not None and not invite.finished:
            invite.context.cancel(plain_reason(request.value(b"reason")), now)
