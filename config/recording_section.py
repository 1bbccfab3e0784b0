"""`[recording]`: how recording is recognised, beside what the RFCs and known makers write."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from config.section import Section

Words = Annotated[str, Field(pattern=r"^[!-~]+( [!-~]+){0,7}$", title="words")]
Code = Annotated[str, Field(pattern=r"^[0-9*#]{1,15}$", title="feature code")]
HeaderPattern = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9*-]{3,63}$", title="header, `*` for any letters")]


class Recording(Section):
    """How recording is recognised, beside what the RFCs and known makers write.

    A command to record is refused with 403 where its sender's setting `recording`, or `[privacy.default]`, does not
    show it: an INFO with `Record`, a call to one of `codes`, a text of `commands`. Emergency calls are exempt.
    """

    codes: tuple[Code, ...] = Field(
        default=(), max_length=64, description="feature codes that switch recording: the whole number that is dialled"
    )
    commands: tuple[Words, ...] = Field(
        default=(),
        max_length=64,
        description="texts that switch recording where they are all of a MESSAGE or INFO, in any case",
    )
    headers: tuple[HeaderPattern, ...] = Field(
        default=(), max_length=64, description="further headers of makers that tell of recording, such as `X-Rec-*`"
    )
