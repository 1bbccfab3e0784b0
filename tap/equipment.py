"""What the workers of one machine have in common; made once, before the first of them, and inherited by fork."""

from __future__ import annotations

import mmap
import socket
import time
from collections.abc import Mapping, Sequence

from config.settings import Settings
from config.statefile import StateFileError
from config.subscribers import Subscribers
from filters.catalogue import CatalogueError
from filters.engine import build
from proxy.digest_client import Account
from proxy.policy import Privacy
from proxy.transport_handover import Inbox
from proxy.transport_shared import open_group, open_stream_group, steer
from tap import signing
from tap.connections import Files, read_files
from tap.log import logger
from tap.registration_journal import RegistrationJournal
from tap.shared_nonce_counts import SharedNonceCounts
from tap.shared_tally import SharedTally
from tap.shelf import Shelf
from tap.shell import StartError, cannot_open, with_ports
from tap.signing import passwords_of, signer_of, verifier_of
from tap.state import State, prepare, recalled
from tap.subscriber_watch import SubscriberWatch, subscribers_of
from tap.wish_file import WishFile
from tap.worker_metrics import Ledger
from tap.worker_reload import Line


class Equipment:
    """Sockets, state, policy and board.

    The supervisor keeps all of it open and uses none but the board, so that a worker that is started anew finds its
    sockets as its predecessor left them: bound, in the same place of the kernel's choice, with what came meanwhile.
    """

    state: State
    subscribers: Subscribers
    privacy: Privacy
    passwords: Mapping[str, Account]
    ledger: Ledger
    shelf: Shelf
    counts: SharedNonceCounts
    wishes: WishFile

    def __init__(self, settings: Settings) -> None:
        """Open nothing yet."""
        self.settings = settings
        self._groups: list[list[socket.socket]] = []
        self.inboxes: list[Inbox] = []
        self.feeds: list[Inbox] = []
        """Where each worker hears who is registered; none without a registrar of our own."""
        self.nodes = memoryview(mmap.mmap(-1, 2 * settings.workers)).cast("H")
        """Which start of each worker runs (`proxy/places.py`), in memory that all have in common."""
        self.tally = SharedTally(settings.workers)
        self.tls: Files = {}
        self.steered = 0
        """Bytes of a request in which the kernel finds out the owner; 0: it does not, and workers hand over more."""
        self.lines: list[Line] = []

    def open(self) -> None:
        """Bind every listener once for each worker, read certificates, and note the system's ports; all or none.

        Raises:
            StartError: an address cannot be bound, or a certificate not used.
        """
        for listener in self.settings.listeners:
            opening = open_group if listener.transport == "udp" else open_stream_group
            try:
                self._groups.append(opening(listener.address, listener.port, self.settings.workers))
            except (OSError, ValueError) as error:
                self.close()
                raise StartError(cannot_open(listener.transport, listener.address, listener.port, error)) from error
        datagrams = [group for group in self._groups if group[0].type == socket.SOCK_DGRAM]
        if self.settings.workers > 1 and datagrams:
            self.steered = min(steer(group) for group in datagrams)
        try:
            self.tls = read_files(self.settings, recalled(self.settings, time.time()))
        except StateFileError as error:
            self.close()
            raise StartError(str(error)) from error
        self.settings = with_ports(self.settings, self.sockets(0))

    def prepare(self, wall: float) -> None:
        """Read or make the state, compile the policy, and make the ways between workers; wall in Unix seconds.

        Nobody but the supervisor touches the state folder, so workers that start at once have the same keys.

        Raises:
            StartError: the state folder or a catalogue file cannot be used.
        """
        try:
            self.state = prepare(self.settings, wall)
            self.subscribers = subscribers_of(self.settings)
            credentials = signing.read(self.settings, wall, self.state.retired)
            signer, verifier = signer_of(self.settings, credentials), verifier_of(credentials)
            self.privacy = build(self.settings, self.subscribers, signer, verifier, credentials.recorders)
            self.passwords = passwords_of(self.settings, credentials)
        except (StateFileError, CatalogueError) as error:
            raise StartError(str(error)) from error
        # Read once for all workers, who have it by fork and go on from there, one that is started anew as well.
        SubscriberWatch(self.settings, self.subscribers, time.monotonic, logger("supervisor")).begin()
        self.inboxes = [Inbox() for _ in range(self.settings.workers)]
        registrar = self.settings.registrar
        if registrar is not None and registrar.mode == "local":
            RegistrationJournal(self.settings, time.monotonic, logger("supervisor")).make()
            self.feeds = [Inbox() for _ in range(self.settings.workers)]
        self.lines = [Line() for _ in range(self.settings.workers)]
        self.shelf = Shelf()
        self.counts = SharedNonceCounts(int(wall))
        self.wishes = WishFile(self.settings, logger("supervisor"))
        if self.settings.recorders:
            self.wishes.map()  # once for all workers: each that is forked has the same
        self.ledger = Ledger(self.settings)

    def sockets(self, worker: int) -> Sequence[socket.socket]:
        """Return a worker's socket of each listener."""
        return [group[worker] for group in self._groups]

    def renew(self) -> None:
        """Go on with the configuration that a reload has brought since this was made; a new worker's first step."""
        candidate = self.shelf.current(self.subscribers)
        if candidate is not None:
            self.settings = candidate.settings.model_copy(update={"listeners": self.settings.listeners})
            self.state = State(candidate.ring, candidate.retired)
            self.privacy = candidate.privacy
            self.passwords = passwords_of(candidate.settings, candidate.credentials)
            self.tls = candidate.tls

    def close(self) -> None:
        """Close all sockets of this process; safe to call twice."""
        for group in self._groups:
            for sock in group:
                sock.close()
        for inbox in (*self.inboxes, *self.feeds):
            inbox.close()
        for line in self.lines:
            line.close()
        if self.lines:
            self.shelf.close()
            self.counts.close()
        self._groups.clear()
        self.inboxes.clear()
        self.feeds.clear()
        self.lines.clear()
