"""From configured keys and certificates to what signs and verifies calls."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from config.settings import Settings
from config.signing_key import load
from config.trust_store import load as load_trust
from config.vocabulary import Zone
from filters.signer import Signer
from filters.verifier import Verifier
from tap.log import logger


def signer_of(settings: Settings, wall: float) -> Signer | None:
    """Return what signs calls; None where nothing is to be signed. Says so when its certificate ends soon.

    Raises:
        SigningKeyError: if key or chain cannot be used.
    """
    signing = settings.signing
    if signing is None:
        return None
    loaded = load(signing, Path(settings.state_dir), wall)
    if loaded.expires is not None and loaded.expires_soon(wall):
        day = datetime.fromtimestamp(loaded.expires, UTC).strftime("%Y-%m-%d")
        logger("signing").warn("the certificate that calls are signed with ends on {day}; renew it", day=day)
    attest = {
        Zone.ACCESS: signing.attest_access, Zone.CORE: signing.attest_core, Zone.TRUNK: signing.attest_trunk
    }  # fmt: skip
    return Signer(loaded.key, signing.x5u, attest)


def verifier_of(settings: Settings) -> Verifier | None:
    """Return what verifies calls; None where nothing is to be verified. Tells of chains that cannot be used.

    Raises:
        TrustStoreError: if there are no trust anchors.
    """
    if settings.verification is None:
        return None
    store = load_trust(settings.verification, Path(settings.state_dir))
    for problem in store.problems:
        logger("verification").warn("{problem}; calls signed with it are not verified", problem=problem)
    return Verifier(store.signatories)
