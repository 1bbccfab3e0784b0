"""What is varied, and that each point is measured; never a time."""

from __future__ import annotations

import pytest

from config.settings import Limits
from proxy.parse import parse
from scripts.benchmark import growth
from scripts.benchmark.calls import lines
from scripts.benchmark.errors import BenchError
from scripts.benchmark.growth import AXES, contract, with_headers, with_prefix, with_size

INVITE = lines("r", 1, 1, first=7)[0].say("invite")
SMALL = {"size": (1800, 3000), "headers": (0, 5), "policies": (1, 3), "subscribers": (1, 2), "calls": (0, 5)}


@pytest.mark.parametrize("name", AXES)
def test_measured(name: str) -> None:
    curve = growth.run(AXES[name], 1, SMALL[name])
    assert tuple(curve.micros) == tuple(curve.relative) == SMALL[name]
    assert all(value > 0 for value in curve.micros.values())


def test_size() -> None:
    message = parse(with_size(INVITE, 6000), Limits())
    assert 6000 <= len(message.raw) < 6200
    assert int(message.value(b"content-length") or 0) == len(message.body)


def test_headers() -> None:
    assert len(parse(with_headers(INVITE, 9), Limits()).lines) == len(parse(INVITE, Limits()).lines) + 9


def test_prefix_leads_to_a_trunk() -> None:
    assert with_prefix(INVITE, 4).startswith(b"INVITE sip:9000315551234567@")


def test_contracts_differ() -> None:
    assert len({tuple(contract(number).items()) for number in range(256)}) == 256


def test_calls_that_are_not_forwarded_are_no_measurement() -> None:
    """An INVITE that is too large, say, is refused cheaply."""
    with pytest.raises(BenchError, match="of 40 INVITEs 0 were forwarded"):
        growth.run(AXES["headers"], 1, (300,))
