"""Keys about the store of subscribers' settings."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from config.subscribers_section import SubscriberStore


def test_defaults() -> None:
    """A change is obeyed within a second, and what is known holds for a day."""
    assert SubscriberStore().model_dump() == {"store": "subscribers.db", "poll": 1.0, "stale_after": 86_400.0}


@pytest.mark.parametrize(("key", "value"), [("poll", 0), ("poll", 61), ("stale_after", -1), ("file", "x")])
def test_bounds(key: str, value: object) -> None:
    with pytest.raises(ValidationError, match=key):
        SubscriberStore.model_validate({key: value})
