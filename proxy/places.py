"""Which process has a connection, and whether it still runs: what records and flow tokens say of a flow.

A connection lives in one worker, and ends with it. Its number has the worker's in front (`Flow.connection`), and each
start of a worker has a number of its own, its node. All workers see the nodes of all others, so whoever opens a record
knows at once that its connection is gone, and with it no other worker's.
"""

from __future__ import annotations

from typing import Protocol

from proxy.flow import Flow

WORKER_SHIFT = 32
"""Bits of a connection's number that its worker counts up; what is above them is the worker."""
SERIAL = (1 << WORKER_SHIFT) - 1


class Nodes(Protocol):
    """The node of each worker: a list, or memory that processes share."""

    def __getitem__(self, worker: int, /) -> int:
        """Return 16 bits that tell this start of a worker from those before it."""

    def __setitem__(self, worker: int, node: int, /) -> None:
        """Note a start."""

    def __len__(self) -> int:
        """Return how many workers there are."""


def worker_of_connection(number: int) -> int:
    """Return the worker that has a connection."""
    return number >> WORKER_SHIFT


class Places:
    """What all generations of a core know of all workers."""

    __slots__ = ("_nodes", "worker")

    def __init__(self, nodes: Nodes, worker: int) -> None:
        """Be one of the workers that nodes are of."""
        self._nodes = nodes
        self.worker = worker

    def node(self, flow: Flow | None) -> int:
        """Return the node of the worker that has a flow's connection; of one that is none, our own."""
        worker = self.worker if flow is None or not flow.connection else flow.connection >> WORKER_SHIFT
        return self._nodes[worker] if worker < len(self._nodes) else 0

    def has(self, flow: Flow, node: int) -> bool:
        """Tell whether the process still runs that a flow is of, by the node that was noted with it."""
        worker = flow.connection >> WORKER_SHIFT
        return worker < len(self._nodes) and self._nodes[worker] == node


def alone(node: int, worker: int = 0) -> Places:
    """Return the places of a process that knows of no other."""
    nodes = [0] * (worker + 1)
    nodes[worker] = node
    return Places(nodes, worker)
