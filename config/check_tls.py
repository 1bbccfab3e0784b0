"""What is wrong with the certificate and key files of TLS listeners: all of it, before a start needs them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from config import tls_files
from config.draft import EACH, Draft, tables, texts
from config.lines import Path as Key
from config.problem import Mistake
from config.settings import Settings
from config.tls_files import OwnCertificate, TlsFileError

_RENEW = "renew it, and look at this machine's clock"


def tls_mistakes(draft: Draft, folder: Path, wall: float) -> Iterator[Mistake]:
    """Yield what keeps listeners from speaking TLS.

    Args:
        draft: the configuration.
        folder: where it is, which `state_dir` is relative to.
        wall: Unix time in seconds.
    """
    named = draft.get("state_dir", Settings.model_fields["state_dir"].default)
    state = folder / (named if isinstance(named, str) else "")
    for path, listener in tables(draft, "listeners", EACH):
        if listener.get("transport") not in ("tls", "wss"):
            continue
        yield from _pairs(path, listener, state, wall)
        for key in ("ca", "client_ca"):
            for _, name in texts(listener, key):
                try:
                    tls_files.read_authorities(state / name)
                except TlsFileError as error:
                    yield _mistake((*path, key), error)


def tls_advice(settings: Settings, wall: float) -> Iterator[Mistake]:
    """Yield which certificates end soon; for settings without mistakes."""
    folder = Path(settings.state_dir)
    for place, listener in enumerate(settings.listeners):
        if listener.transport not in ("tls", "wss"):
            continue
        for number, own in enumerate(tls_files.load(listener, folder).own):
            if own.ends - wall < tls_files.EXPIRY_WARNING:
                path = ("listeners", place, "certificates", number)
                yield Mistake(path, f"the certificate holds from {own.days()}", "renew it")


def _pairs(path: Key, listener: Draft, state: Path, wall: float) -> Iterator[Mistake]:
    chains, keys = texts(listener, "certificates", EACH), texts(listener, "keys", EACH)
    for (place, chain), (_, key) in zip(chains, keys, strict=False):
        where = (*path, *place)
        try:
            own: OwnCertificate = tls_files.read_pair(state / chain, state / key)
        except TlsFileError as error:
            yield _mistake(where, error)
            continue
        if not own.holds(wall):
            yield Mistake(where, f"{state / chain}: it holds from {own.days()}, not today", _RENEW)


def _mistake(path: Key, error: TlsFileError) -> Mistake:
    wrong, _, right = str(error).partition("; ")
    return Mistake(path, wrong, right or "see what the file should be in docs/configuration.md")
