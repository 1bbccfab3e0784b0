"""The sections of the configuration about signed calls: STIR/SHAKEN (RFC 8224, RFC 8588)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from config.section import Https, NumberStart, Section

Attestation = Literal["A", "B", "C"]


class Signing(Section):
    """How calls are signed for trunks with `sign = true` (SHAKEN, RFC 8588): after all edits, so that a signature
    tells no number that the message hides.

    A call is signed where both numbers stand in it with their country code (`+…`): the calling one in
    P-Asserted-Identity or else in From, the called one in To or else in the Request-URI. Files are relative to
    `state_dir`. Attestation: A, the caller is known and may use the number; B, the caller is known; C, a gateway.

    A call that the core has diverted keeps the signatures that it came with, and gets a `div` one (RFC 8946) that names
    the number that it was for, if that is one of `numbers` and if its subscriber and the trunk's contract show
    `history`. While the certificate of `chain` does not hold, calls go on unsigned; that is logged and counted.
    """

    key: str = Field(default="signing.key", description="private key: EC P-256 in PEM, readable for nobody else")
    x5u: Https = Field(description="where everybody finds the certificates that belong to the key")
    chain: str | None = Field(
        default=None, description="the same certificates as a PEM file, the key's first: the start checks that they fit"
    )
    numbers: tuple[NumberStart, ...] = Field(
        default=(),
        description="numbers that you answer for, or how they begin, with `+` and country code: A is attested for no "
        "others where there are any, and `div` is signed for these alone",
    )
    attest_access: Attestation = Field(
        default="B",
        description="attested for calls of phones; A only where something before Sipveil checks their number",
    )
    attest_core: Attestation = Field(default="C", description="attested for calls from the core")
    attest_trunk: Attestation = Field(default="C", description="attested for calls from another trunk")


class Verification(Section):
    """How the signatures of calls from trunks are verified (SHAKEN); without this section they are not.

    The core is told the result in `P-Sipveil-Verstat`: `TN-Validation-Passed;attest=A` (or B, C),
    `TN-Validation-Failed`, or `No-TN-Validation` where nobody signed or the certificate is not in the folder. Nobody
    else can send that header, and nobody else gets it. No certificate is fetched: put chains into the folder, and
    reload. A call that was diverted passes where `div` PASSporTs (RFC 8946), each by a signer of the folder, lead from
    the first one to To or the Request-URI. Paths are relative to `state_dir`.
    """

    anchors: str = Field(default="anchors.pem", description="trust anchors: certificates in PEM")
    certificates: str = Field(
        default="certificates",
        description="folder of chains, *.pem: the first line is the URL as it stands in `x5u`, then the signer's "
        "certificate and what is between it and an anchor",
    )
