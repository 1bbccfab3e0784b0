"""The section of the configuration about the store of subscribers' settings."""

from __future__ import annotations

from pydantic import Field

from config.section import Section


class SubscriberStore(Section):
    """Where the settings of single subscribers are kept (`sipveil subscriber`).

    Without this section there are none: everybody gets `privacy.default`. With it, the strict profile is everybody's
    until the store could be read, and again where it could not be read for `stale_after` seconds.
    """

    store: str = Field(default="subscribers.db", description="SQLite file; relative to `state_dir`")
    poll: float = Field(default=1.0, ge=0.05, le=60, description="seconds after which a change is obeyed at the latest")
    stale_after: float = Field(
        default=86_400.0, ge=0, description="how long the last known settings hold while the store cannot be read"
    )
