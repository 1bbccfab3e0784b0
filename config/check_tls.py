"""What is wrong with the certificate and key files of TLS listeners: all of it, before a start needs them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from config import tls_files
from config.check_files import RENEW, file_mistake, state_folder
from config.draft import EACH, Draft, tables, texts
from config.lines import Path as Key
from config.problem import Mistake
from config.settings import Settings
from config.tls_files import OwnCertificate, TlsFileError


def tls_mistakes(draft: Draft, folder: Path, wall: float) -> Iterator[Mistake]:
    """Yield what keeps listeners from speaking TLS.

    Args:
        draft: the configuration.
        folder: where it is, which `state_dir` is relative to.
        wall: Unix time in seconds.
    """
    state = state_folder(draft, folder)
    for path, listener in tables(draft, "listeners", EACH):
        if listener.get("transport") not in ("tls", "wss"):
            continue
        yield from _pairs(path, listener, state, wall)
        for key in ("ca", "client_ca"):
            for _, name in texts(listener, key):
                try:
                    tls_files.read_authorities(state / name)
                except TlsFileError as error:
                    yield file_mistake((*path, key), error)


def tls_advice(settings: Settings, wall: float) -> Iterator[Mistake]:
    """Yield which certificates end soon; for settings without mistakes."""
    folder = Path(settings.state_dir)
    for place, listener in enumerate(settings.listeners):
        if listener.transport not in ("tls", "wss"):
            continue
        for number, own in enumerate(tls_files.load(listener, folder).own):
            if own.validity.ends_within(tls_files.EXPIRY_WARNING, wall):
                path = ("listeners", place, "certificates", number)
                yield Mistake(path, f"the certificate holds from {own.validity.days()}", "renew it")


def _pairs(path: Key, listener: Draft, state: Path, wall: float) -> Iterator[Mistake]:
    chains, keys = texts(listener, "certificates", EACH), texts(listener, "keys", EACH)
    for (place, chain), (_, key) in zip(chains, keys, strict=False):
        where = (*path, *place)
        try:
            own: OwnCertificate = tls_files.read_pair(state / chain, state / key)
        except TlsFileError as error:
            yield file_mistake(where, error)
            continue
        if not own.validity.holds(wall):
            yield Mistake(where, f"{state / chain}: it holds from {own.validity.days()}, not today", RENEW)
