"""Who has a connection, and whether it still runs."""

from __future__ import annotations

from proxy.flow import Flow
from proxy.places import Places, alone, worker_of_connection

UDP = Flow("UDP", ("192.0.2.1", 5060), ("10.0.0.1", 5062))
OURS = Flow("TCP", ("192.0.2.1", 5060), ("10.0.0.1", 40001), (1 << 32) + 5)
THEIRS = OURS._replace(connection=(2 << 32) + 5)


def test_all_workers_see_who_has_begun_anew() -> None:
    """A flow of the one that died is gone for everybody; nobody else's is."""
    nodes = [10, 11, 12]
    places = [Places(nodes, worker) for worker in range(3)]
    noted = places[0].node(OURS), places[0].node(THEIRS)
    assert noted == (11, 12)
    nodes[2] = 77
    for each in places:
        assert each.has(OURS, noted[0])
        assert not each.has(THEIRS, noted[1])
        assert each.has(THEIRS, 77)


def test_what_is_no_connection_is_ours() -> None:
    places = Places([10, 11], 1)
    assert (places.node(None), places.node(UDP)) == (11, 11)


def test_a_worker_that_there_is_no_longer_has_nothing() -> None:
    """A record of a time with more of them."""
    assert not Places([10], 0).has(THEIRS, 0)
    assert Places([10], 0).node(THEIRS) == 0


def test_alone() -> None:
    assert alone(7).has(OURS._replace(connection=5), 7)
    assert alone(7, 2).node(UDP) == 7
    assert worker_of_connection(THEIRS.connection) == 2
