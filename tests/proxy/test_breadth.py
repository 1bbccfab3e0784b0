"""Max-Breadth (RFC 5393 §5.3)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.breadth import breadth_of, share
from proxy.errors import Refused
from tests.agents import ALICE, read


@pytest.mark.parametrize(
    ("value", "breadth"), [(b"7", 7), (b"0", 0), (b"x", 60), (b"", 60), (b"9" * 30, 60), (b"-1", 60)]
)
def test_what_cannot_be_read_counts_as_absent(value: bytes, breadth: int) -> None:
    """An absent Max-Breadth gets the default (§5.3.3.1)."""
    assert breadth_of(read(ALICE.request(headers=(b"Max-Breadth: " + value,)).data), 60) == breadth


@given(st.integers(1, 300), st.integers(1, 300))
def test_the_sum_is_what_came(breadth: int, targets: int) -> None:
    """§5.3.3: and no branch gets nothing."""
    if breadth < targets:
        with pytest.raises(Refused):
            share(breadth, targets)
        return
    shares = share(breadth, targets)
    assert (sum(shares), len(shares), min(shares) > 0) == (breadth, targets, True)
