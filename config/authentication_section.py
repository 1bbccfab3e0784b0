"""The section `[authentication]`: who of the phones has to prove who it is, and how (RFC 3261 §22, RFC 8760)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from config.address import Network
from config.section import Section

# What stands in quotes without anything to escape, and in `username:realm:password` without a colon more.
Realm = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,252}$", title="realm")]


def _each_once(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) != len(names):
        raise ValueError("names one algorithm twice; write each once")
    return names


class Authentication(Section):
    """Phones prove who they are by digest authentication; the accounts are in the store of `[subscribers]`
    (`sipveil account`).

    Requests outside dialogs get 407 (REGISTER: 401) until they do; ACK, CANCEL, emergency calls and what comes within a
    dialog of ours never do. From, P-Preferred-Identity and, of a REGISTER, To have to be addresses of the account.
    Credentials for the realm go to nobody, the core included. While the store could not be read for
    `subscribers.stale_after` seconds, all is answered with 503.
    """

    realm: Realm = Field(
        description="the realm that accounts are of; changing it makes all passwords void, since it is hashed with them"
    )
    required: bool = Field(
        default=True,
        description="false: who brings no credentials passes as nobody in particular, and who brings wrong ones does "
        "not; for going over to authentication one phone after the other",
    )
    exempt: tuple[Network, ...] = Field(
        default=(),
        description="sources in `access.networks` that are not asked: edge proxies that have authenticated the phones "
        "behind them",
    )
    algorithms: Annotated[tuple[Literal["SHA-512-256", "SHA-256", "MD5"], ...], AfterValidator(_each_once)] = Field(
        default=("SHA-256", "MD5"),
        min_length=1,
        description="what is offered, a challenge each, the stronger one first whatever the order here; MD5 is for "
        "phones that know no other, of which some look at the first challenge alone (SIP.js, JsSIP, baresip 1.0) and "
        "want it to be all that there is. SHA-512-256 is offered while all accounts of the realm have that hash, as "
        "those have whose password was set by this version",
    )
    userhash: bool = Field(
        default=False,
        description="lets phones send the hash of their username in place of it (RFC 7616 §3.4.4); takes some 500 "
        "bytes of memory for each account",
    )
    foreign_from: Literal["refuse", "replace"] = Field(
        default="refuse",
        description="what becomes of a From that is no address of the account: 403, or the account's first address "
        "takes its place. `anonymous.invalid` is nobody's and stays",
    )
    nonce_life: int = Field(
        default=300, ge=10, le=86_400, description="how long a nonce holds; afterwards a phone is asked anew, unheard"
    )
    failures: int = Field(
        default=10,
        ge=1,
        description="wrong answers a minute from one address for one account; for the rest of it right ones count as "
        "wrong from there, but not from where that account was proved before",
    )
    source_failures: int = Field(
        default=100, ge=1, description="the same for all accounts together, as tried from one address (IPv6: one /64)"
    )
    challenges: int = Field(
        default=200,
        ge=1,
        description="challenges a second to one address (IPv6: one /64); beyond it there is silence, so that nobody is "
        "flooded with answers to what somebody else sends in their name",
    )
