"""Listeners that need certificates and have none, keys that mean nothing for their transport, and who cannot be
reached over them."""

from __future__ import annotations

from collections.abc import Iterator

from config.draft import EACH, Draft, find, tables, texts
from config.lines import Path
from config.problem import Mistake

_TLS = ("tls", "wss")
_WEB = ("ws", "wss")
_NEEDS = {
    "certificates": _TLS, "keys": _TLS, "client_ca": _TLS, "require_client_certificate": _TLS, "ca": ("tls",),
    "origins": _WEB,
}  # fmt: skip
"""Key of a listener → transports that it means something for."""


def stream_mistakes(draft: Draft) -> Iterator[Mistake]:
    """Yield what is wrong with the listeners of connections."""
    web: dict[str, Path] = {}
    for path, listener in tables(draft, "listeners", EACH):
        transport = listener.get("transport", "udp")
        yield from _useless(path, listener, transport)
        if transport in _TLS:
            yield from _certificates(path, listener, transport)
        if transport in _WEB:
            web.update((name, path) for _, name in texts(listener, "name"))
    yield from _beyond_reach(draft, web)


def _useless(path: Path, listener: Draft, transport: object) -> Iterator[Mistake]:
    for key, transports in _NEEDS.items():
        if key in listener and transport not in transports:
            right = f'take it out, or write transport = "{transports[0]}"'
            yield Mistake((*path, key), f"means nothing for transport {transport}", right)


def _certificates(path: Path, listener: Draft, transport: object) -> Iterator[Mistake]:
    certificates, keys = listener.get("certificates", ()), listener.get("keys", ())
    if not certificates:
        right = 'write certificates = ["example.net.pem"] and keys = ["example.net.key"]'
        yield Mistake((*path, "certificates"), f"is missing for transport {transport}", right)
    elif isinstance(certificates, list) and isinstance(keys, list | tuple) and len(certificates) != len(keys):
        wrong = f"has {len(keys)} files for {len(certificates)} certificates"
        yield Mistake((*path, "keys"), wrong, "write the key of each certificate, in the same order")
    if listener.get("require_client_certificate") is True and not listener.get("client_ca"):
        wrong = "is true, and nothing says who certifies clients"
        yield Mistake((*path, "require_client_certificate"), wrong, 'write client_ca = "clients.pem"')


def _beyond_reach(draft: Draft, web: dict[str, Path]) -> Iterator[Mistake]:
    """WebSockets are opened by phones; nobody can be connected to by them (RFC 7118 §5)."""
    for pattern in ("core", "listener"), ("trunks", EACH, "listener"):
        for path, name in find(draft, *pattern):
            if isinstance(name, str) and name in web:
                wrong = f"{name} takes WebSockets, by which nobody can be reached"
                yield Mistake(path, wrong, "name a listener for udp, tcp or tls")
