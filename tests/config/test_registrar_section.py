"""The section `[registrar]` by itself; with its neighbours: test_check_registrar.py."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from config.registrar_section import Registrar


def test_defaults_are_closed() -> None:
    section = Registrar(domains=("example.net",))
    assert (section.mode, section.unauthenticated) == ("local", False)


@pytest.mark.parametrize("domain", ["", "sip:example.net", "a@example.net", "exa mple.net", "example.net:5060"])
def test_what_is_no_domain_is_refused(domain: str) -> None:
    with pytest.raises(ValidationError, match="is no domain"):
        Registrar(domains=(domain,))


@pytest.mark.parametrize("domain", ["example.net", "192.0.2.1", "2001:db8::1", "pbx"])
def test_domains(domain: str) -> None:
    assert Registrar(domains=(domain,)).domains == (domain,)


def test_no_domain_is_no_registrar() -> None:
    with pytest.raises(ValidationError):
        Registrar(domains=())


def test_the_shortest_is_an_hour_at_most() -> None:
    """RFC 3261 §10.3: only what is shorter than an hour may be refused for being short."""
    with pytest.raises(ValidationError):
        Registrar(domains=("example.net",), minimum_expires=3601)
