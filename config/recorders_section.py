"""`[[recorders]]` and `[[recording_clients]]`: who may be told what is recorded, and who may tell (RFC 7866)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from config.address import Network, NextHop
from config.region_section import Basis, Country
from config.section import HostName, Name, Section
from config.trunk_operation import TrunkHealth

Pin = Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$", title="SHA-256 in base64")]
UserAtHost = Annotated[str, Field(pattern=r"^[^@\s:;<>\"]+@[A-Za-z0-9._-]+$", title="user@host")]


class FormerKey(Section):
    """A certificate that clients may still encrypt to, with its key, while they take up the recorder's present one.

    What they encrypted to it is opened until it ends; or until it is taken out, after which nothing opens it any more.
    """

    certificate: str = Field(description="PEM file of the certificate, relative to `state_dir`")
    key: str = Field(description="PEM file of its private key, readable for nobody else")


class Recorder(Section):
    """A recording server (SRS, RFC 7866): reached over mutual TLS, or not at all.

    Recorders of one `group` stand in for each other by priority and weight. Metadata are edited as the settings of
    each participant say, and then encrypted to `certificate`.
    """

    name: Name = Field(description="the recorder's name; it stands in dialog records, so renaming one is deleting it")
    hosts: tuple[NextHop, ...] = Field(
        min_length=1, description="the recorder's hops, by name or address; 5061 where no port is given"
    )
    networks: tuple[Network, ...] = Field(
        default=(), description="further networks that the recorder sends from, and that its names lead to"
    )
    listener: Name = Field(
        description="the TLS listener whose certificate we show the recorder, and whose `ca` certifies it where it has "
        "none of its own"
    )
    ca: str | None = Field(
        default=None,
        description="PEM file of the authorities that certify this recorder, in place of the listener's `ca` where we "
        "connect, beside its `client_ca` where the recorder does; relative to `state_dir`",
    )
    pins: tuple[Pin, ...] = Field(
        default=(),
        max_length=8,
        description="SHA-256 of the public key (SubjectPublicKeyInfo, as for RFC 7469 §2.4) in base64, one of which "
        "the certificate that it shows has to have, whoever certifies it; two while a key is replaced",
    )
    tls_name: HostName | None = Field(
        default=None, description="name that the recorder's certificate must show where `hosts` has addresses"
    )
    role: Literal["recorder", "recorder-edge"] = Field(
        default="recorder",
        description="`recorder`: metadata leave encrypted to it; `recorder-edge`: a recorder that Sipveil stands in "
        "front of, for which metadata encrypted to `certificate` are decrypted with `key`, while it holds",
    )
    certificate: str | None = Field(
        default=None, description="PEM file of the certificate that metadata are encrypted to, relative to `state_dir`"
    )
    key: str | None = Field(
        default=None,
        description="for recorder-edge: PEM file of the private key of `certificate`, readable for nobody else",
    )
    former_keys: tuple[FormerKey, ...] = Field(
        default=(),
        max_length=3,
        description="for recorder-edge: further certificates that it opens for with their keys, such as the one before "
        "this, while clients change to a new one",
    )
    algorithm: Literal["aes-128-gcm", "aes-256-gcm", "aes-128-cbc", "aes-256-cbc"] = Field(
        default="aes-128-gcm",
        description="how metadata are encrypted (RFC 8591); the two with CBC are for recorders that know nothing "
        "better: nobody notices there what was changed on the way",
    )
    key_transport: Literal["oaep", "pkcs1"] = Field(
        default="oaep", description="how the key of metadata goes to an RSA certificate; pkcs1 for old recorders"
    )
    country: Country | None = Field(default=None, description="where it records, ISO 3166-1 alpha-2: see `[region]`")
    transfer_basis: Basis = Field(default="none", description="what allows data to go there: as for trunks")
    group: Name = Field(default="recorders", description="those of one group stand in for each other")
    priority: int = Field(default=1, ge=0, le=65535, description="the lowest of the group is tried first")
    weight: int = Field(
        default=1, ge=0, le=65535, description="share of the sessions among the recorders of one priority"
    )
    health: TrunkHealth = Field(default=TrunkHealth(), description="how outages are noticed")
    plain_rtp: Literal["refuse", "allow"] = Field(
        default="refuse",
        description="what becomes of a recording session whose media are not encrypted (RTP/AVP, RTP/AVPF): refused "
        "with 488, or allowed, which is counted",
    )
    real_ids: bool = Field(
        default=False,
        description="whether it is told Call-IDs and session identifiers of the recorded call as they are",
    )

    @property
    def takes_enveloped(self) -> bool:
        """Whether what came for it in EnvelopedData, which authenticates nothing, is opened in front of it."""
        return self.role == "recorder-edge" and self.algorithm in ("aes-128-cbc", "aes-256-cbc")


class RecordingClient(Section):
    """Who may open recording sessions (SRC, RFC 7866); everybody else is refused with 403."""

    name: Name = Field(description="the client's name, for logs and metrics")
    networks: tuple[Network, ...] = Field(min_length=1, description="where it sends from")
    listener: Name = Field(description="the TLS listener that it connects to, which has `client_ca`")
    tls_names: tuple[HostName, ...] = Field(min_length=1, description="names, one of which its certificate must show")
    addresses: tuple[UserAtHost, ...] = Field(
        default=(),
        description="user@host of its From where all that it sends is recording, for clients that do not say so in "
        "the message",
    )
    to: Name = Field(default="recorders", description="the group of recorders that its sessions go to")
