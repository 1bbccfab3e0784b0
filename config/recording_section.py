"""`[recording]`: how recording is recognised, beside what the RFCs and known makers write."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from config.section import Section

Words = Annotated[str, Field(pattern=r"^[!-~]+( [!-~]+){0,7}$", title="words")]
Code = Annotated[str, Field(pattern=r"^[0-9*#]{1,15}$", title="feature code")]
HeaderPattern = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9*-]{3,63}$", title="header, `*` for any letters")]
# An absolute URI: no blank, for readers part it from the name by one
Namespace = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9+.-]{1,31}:[!-~]{1,222}$", title="XML namespace")]
ElementName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]{0,63}$", title="element")]


class MetadataExtension(Section):
    """Elements of a maker's own that may stand in recording metadata; all others do not pass, nor do attributes.

    What the RFCs and known makers have is built in (docs/recording.md) and stays as it is, whatever is written here.
    """

    namespace: Namespace = Field(description="their XML namespace; none of RFC 7865's")
    structure: tuple[ElementName, ...] = Field(
        default=(), max_length=64, description="elements that hold others, and no text of their own"
    )
    texts: tuple[ElementName, ...] = Field(
        default=(),
        max_length=64,
        description="elements whose text passes as it is, up to 256 letters; not where it has a name, an address or "
        "three digits in a row in common with a participant who hides them. Name none that tell of a person",
    )
    addresses: tuple[ElementName, ...] = Field(
        default=(),
        max_length=64,
        description="elements that hold an address of record or a number, told as the settings of whom it names say",
    )
    identifiers: tuple[ElementName, ...] = Field(
        default=(), max_length=64, description="elements that hold an identifier, told as a pseudonym of the session"
    )
    calls: tuple[ElementName, ...] = Field(
        default=(),
        max_length=64,
        description="elements that hold a Call-ID or session identifier, told as a pseudonym unless the recorder has "
        "`real_ids`",
    )

    @property
    def elements(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.structure, *self.texts, *self.addresses, *self.identifiers, *self.calls)


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
    metadata_extensions: tuple[MetadataExtension, ...] = Field(
        default=(), max_length=16, description="elements of makers that metadata may hold; strict without it"
    )
