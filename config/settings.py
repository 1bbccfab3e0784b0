"""The schema of the configuration file: every section, key, default and bound.

The docstrings and `description`s below, and in the files of sections that have one of their own, are the
configuration reference (docs/configuration.md is generated from them). All times are seconds, all sizes bytes.
Settings are immutable: a running proxy swaps the whole object or keeps it.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from config.address import HostPort, NameServer, Network, NextHop
from config.authentication_section import Authentication
from config.credentials_section import Credentials
from config.default_ports import with_default_ports
from config.groups_section import Group
from config.guard_section import Guard
from config.numbering_section import Numbering, TrunkNumbers
from config.privacy_section import ACCESS_DEFAULT, PolicyRule, Privacy, SubscriberPrivacy, replacing_only_its_keys
from config.recorders_section import Recorder, RecordingClient
from config.recording_section import Recording
from config.region_section import Basis, Country, Region
from config.registrar_section import Registrar
from config.registration_section import Registration
from config.section import Dialled, HostName, IPText, Method, Name, Section
from config.signing_section import Signing, Verification
from config.streams_section import Streams
from config.subscribers_section import SubscriberStore
from config.trunk_operation import TrunkHealth, TrunkLimits
from config.vocabulary import Zone


class Listener(Section):
    """A socket that Sipveil opens."""

    name: Name = Field(description="how trunks, access and core refer to this listener")
    address: IPText = Field(description="IPv4 or IPv6 address to bind, without brackets")
    port: int = Field(default=5060, ge=0, le=65535, description="port to bind; 0 lets the system choose one")
    transport: Literal["udp", "tcp", "tls", "ws", "wss"] = Field(
        default="udp",
        description="transport protocol; ports that are left out, here, in `advertised` and beside addresses of hops, "
        "are 5061 for `tls`, 80 for `ws` and 443 for `wss` (WebSockets, RFC 7118). A TCP listener with the address and "
        "port of a UDP one takes what is too large for a datagram, both ways",
    )
    advertised: HostPort | None = Field(
        default=None,
        description="host or host:port that others are told in Contact and Record-Route; default: the bound address",
    )
    certificates: tuple[str, ...] = Field(
        default=(),
        description="for tls and wss: PEM files of our certificates, each with what is between it and its authority; "
        "relative to `state_dir`. Who asks for a name (SNI) is shown the one that has it, others the first",
    )
    keys: tuple[str, ...] = Field(
        default=(), description="PEM files of their private keys, in the same order, readable for nobody else"
    )
    ca: str | None = Field(
        default=None,
        description="PEM file of the authorities that certify the far ends that we connect to; default: the system's",
    )
    client_ca: str | None = Field(
        default=None, description="PEM file of the authorities that certify clients, which are asked for a certificate"
    )
    require_client_certificate: bool = Field(
        default=False, description="refuse clients without a certificate of `client_ca` (mutual TLS)"
    )
    origins: tuple[str, ...] = Field(
        default=(),
        description="for ws and wss: web pages that may connect, such as `https://phone.example.net`; empty: all. "
        "What is not a browser can say any",
    )


class Access(Section):
    """The zone of the subscribers' phones: untrusted."""

    networks: tuple[Network, ...] = Field(
        default=(), description="where phones are: networks, addresses or address:port"
    )
    listener: Name = Field(description="the listener that phones are reached through")
    believed_on: tuple[Name, ...] = Field(
        default=(), description="listeners on which an address tells that it is phones; empty: all of them"
    )
    edge_proxies: tuple[Network, ...] = Field(
        default=(), description="proxies in front of the phones whose Route, Record-Route and Path are believed"
    )
    edge_tls_name: HostName | None = Field(
        default=None,
        description="name that the certificates of all edge proxies show: where the TLS connection of one is gone, "
        "Sipveil then makes a new one to it, as over TCP. Without it there is nobody to expect, and none is made",
    )
    privacy: Annotated[Privacy, replacing_only_its_keys(ACCESS_DEFAULT)] = Field(
        default=ACCESS_DEFAULT,
        description="what phones may not see of others; a key given here replaces only that key",
    )
    record_budget: int = Field(
        default=320,
        ge=64,
        le=1024,
        description="plain bytes of a dialog record towards a phone; default over streams 1,024",
    )


class Core(Section):
    """The zone of the operator's own PBX or registrar: trusted."""

    networks: tuple[Network, ...] = Field(default=(), description="where the core's servers are")
    listener: Name = Field(description="the listener that the core is reached through")
    believed_on: tuple[Name, ...] = Field(
        default=(),
        description="listeners on which an address tells that it is the core; empty: all of them, or those with TLS "
        "where `listener` has TLS or `tls_names` are given",
    )
    tls_name: HostName | None = Field(
        default=None,
        description="name that a certificate must show where `next_hop` has addresses and the listener TLS",
    )
    tls_names: tuple[HostName, ...] = Field(
        default=(),
        description="names, one of which a client's certificate must show on listeners with TLS, besides its address; "
        "empty: the address is enough",
    )
    next_hop: NextHop | None = Field(
        default=None,
        description="where requests for the core go; default: the Request-URI. A name is looked up as those of trunks",
    )
    privacy: Privacy = Field(default=Privacy(), description="what the core may not see; empty: it sees all")
    record_budget: int = Field(
        default=1024, ge=64, le=1024, description="plain bytes of a dialog record towards the core"
    )


class Trunk(Section):
    """A SIP trunk provider, with its contract."""

    name: Name = Field(description="the trunk's name; it stands in dialog records, so renaming one is deleting it")
    hosts: tuple[NextHop, ...] = Field(
        min_length=1,
        description="the trunk's hops; the next one is tried when one answers 503, cannot be reached or is silent. "
        "A name without a port is looked up as RFC 3263 says: NAPTR, SRV, A and AAAA; with one: A and AAAA",
    )
    networks: tuple[Network, ...] = Field(default=(), description="further networks that the trunk sends from")
    listener: Name = Field(description="the listener that the trunk is reached through")
    believed_on: tuple[Name, ...] = Field(
        default=(),
        description="listeners on which an address tells that it is the trunk; empty: all of them, or those with TLS "
        "where `listener` has TLS or `tls_names` are given",
    )
    tls_name: HostName | None = Field(
        default=None, description="name that a certificate must show where `hosts` has addresses and the listener TLS"
    )
    tls_names: tuple[HostName, ...] = Field(
        default=(),
        description="names, one of which a client's certificate must show on listeners with TLS, besides its address; "
        "empty: the address is enough",
    )
    trusted: bool = Field(default=False, description="inside the trust domain of RFC 3325: may see asserted identities")
    pstn: bool = Field(
        default=False,
        description="leads to the telephone network, where a number is hidden by indicator and never left out "
        "(47 CFR 64.1601(a)); needs `trusted`",
    )
    emergency: bool = Field(
        default=False,
        description="carries emergency calls and counts as zone psap for them; it is believed when it marks a call as "
        "a call-back (RFC 7090), so it has to take that mark out of others' calls",
    )
    domain: str | None = Field(
        default=None, description="host of Request-URI and To towards this trunk; default: its first host"
    )
    privacy: Privacy = Field(
        default=Privacy(), description="the contract: what this trunk gets, whatever subscribers say"
    )
    allow_headers: tuple[str, ...] = Field(
        default=(), description="headers outside the catalogue that this trunk may see"
    )
    record_route: bool = Field(
        default=True, description="false for trunks that drop Record-Route: the Contact carries the record"
    )
    max_call_id: int = Field(default=64, ge=48, le=255, description="longest Call-ID that the trunk takes")
    max_user: int = Field(
        default=255, ge=128, le=1500,
        description="longest user part of a URI that the trunk takes; default over streams 1,500",
    )  # fmt: skip
    max_datagram: int = Field(default=65535, ge=1300, le=65535, description="largest datagram that the trunk takes")
    token_alphabet: Literal["base64url", "base32"] = Field(
        default="base64url", description="how tokens are written; base32 for trunks that lose upper and lower case"
    )
    seal_tags: bool = Field(
        default=False, description="seal every tag, not only those that may tell a device id or address"
    )
    refuse_bodies: bool = Field(
        default=False,
        description="refuse a request whose body may not pass as a whole with 415, rather than send it without "
        "(MESSAGE and PUBLISH are refused always; parts with `handling=optional` are only removed)",
    )
    uniform: bool = Field(
        default=False,
        description="send all messages in one handwriting, so that they do not tell the make of a phone: order, names "
        "and blanks of headers, order of option tags, Max-Forwards of 69 at most, numbers of o= moved, and tags sealed "
        "as by `seal_tags`; CSeq stays, for both ends count with it",
    )
    sign: bool = Field(default=False, description="wants calls signed (STIR/SHAKEN): see `[signing]`")
    record_budget: int = Field(
        default=160, ge=64, le=1024, description="plain bytes of a dialog record; default over streams 1,024"
    )
    numbers: TrunkNumbers | None = Field(
        default=None, description="how it wants numbers; default: as they were dialled"
    )
    country: Country | None = Field(
        default=None, description="where it processes what it gets, ISO 3166-1 alpha-2: see `[region]`"
    )
    transfer_basis: Basis = Field(
        default="none",
        description="what allows data to go there from elsewhere: an adequacy decision, standard contractual clauses, "
        "binding corporate rules (GDPR Art. 45 to 47)",
    )
    limits: TrunkLimits | None = Field(default=None, description="how many calls it takes")
    health: TrunkHealth = Field(default=TrunkHealth(), description="how outages are noticed")
    credentials: Credentials | None = Field(default=None, description="what it is told when it asks for a password")
    registration: Registration | None = Field(default=None, description="how we register there; default: not at all")

    def zone(self, *, emergency_call: bool) -> Zone:
        """Return the zone that this trunk counts as for a call (design.md §2)."""
        return Zone.PSAP if self.emergency and emergency_call else Zone.TRUNK


class Dns(Section):
    """Whom names of next hops are asked of."""

    servers: tuple[NameServer, ...] = Field(
        default=(),
        description="name servers, address or address:port, the one to ask first at the head; empty: the system's",
    )


class Host(Section):
    """Where a name is found, in place of what DNS says."""

    name: HostName = Field(description="a name as it stands in `hosts` of a trunk or in `next_hop` of the core")
    addresses: tuple[IPText, ...] = Field(
        min_length=1,
        description="its addresses, the one to use first at the head; the port is that beside the name, or 5060",
    )


class Route(Section):
    """One line of the routing table; the first that matches an initial request decides (see `route_order`)."""

    source: Literal["access", "core", "trunk", "any"] = Field(
        default="any",
        description="zone that the request comes from; any: all, but from one trunk to another lead only lines for "
        "`trunk`, and those for emergency calls",
    )
    methods: tuple[Method, ...] = Field(default=(), description="methods that this line is for; empty: all")
    prefix: str = Field(
        default="", description="how the user part of the Request-URI, less *67 and its like, must begin"
    )
    emergency: bool = Field(default=False, description="this line is for emergency calls, and only for them")
    domains: tuple[str, ...] = Field(
        default=(),
        description="hosts in the Request-URI for which phones reach trunks by this line, besides our own addresses, "
        "`names` and `realms`; `*`: any, and then a trunk is reached for third parties. Numbers need none",
    )
    to: tuple[str, ...] = Field(
        min_length=1,
        description="trunks, groups, `core`, `access` (the Request-URI itself) or `registered` (all phones of the "
        "address in the Request-URI), by name; several: forked in parallel",
    )

    @property
    def leads_to_trunks(self) -> bool:
        """Return whether it leads to anything but the core and phones."""
        return not set(self.to) <= {"core", "access", "registered"}


class Emergency(Section):
    """What makes a call an emergency call besides urn:service:sos (RFC 5031)."""

    numbers: tuple[Dialled, ...] = Field(
        default=("112", "911"), description="dialled numbers that are emergency numbers"
    )
    callback: int = Field(
        default=1800, ge=300, le=86_400,
        description="how long after an emergency call the caller's Contact is that of a call-back, which nothing "
        "refuses (RFC 6881 ED-62.5, SP-40); afterwards it is one like others",
    )  # fmt: skip


class Limits(Section):
    """Bounds on what one message, one peer or all peers together may use."""

    message: int = Field(default=65535, ge=1300, le=65535, description="largest message (RFC 3261 §18.1.1)")
    headers: int = Field(default=256, ge=32, le=1024, description="most header lines (Kamailio takes 256 of one kind)")
    line: int = Field(default=8192, ge=512, le=65535, description="longest start or header line (nginx: 8 KiB)")
    transactions: int = Field(
        default=500_000,
        ge=100,
        description="most server transactions at once; above it 503, above a quarter more within dialogs too, above "
        "twice as many for emergency calls; an answered call leaves two for 64*T1 (32 s), 3 KiB in all: 500,000 are "
        "7,800 calls a second and 800 MiB",
    )
    parked: int = Field(
        default=10_000, ge=1, description="most requests waiting for a look-up at once; 10,000 more for emergency calls"
    )
    max_breadth: int = Field(
        default=60, ge=1, le=255, description="Max-Breadth where a request has none (RFC 5393 §5.3.3.1)"
    )
    contact_calls: int = Field(
        default=10, ge=1, description="calls a minute to one subscriber through a Contact outside its dialog"
    )
    max_dialog_age: int = Field(default=172_800, ge=3600, description="age at which a dialog's records stop to open")


class Overload(Section):
    """What happens when more comes than the proxy can carry.

    New requests outside dialogs are then refused early with 503 and Retry-After, as many as it takes. What belongs
    to a call in progress passes, and so do emergency calls.
    """

    enabled: bool = Field(default=True, description="whether anything is refused for overload")
    max_delay: float = Field(
        default=0.05, ge=0.005, le=1,
        description="how long a datagram may wait to be read, standing; near it everything new is refused",
    )  # fmt: skip
    retry_after: int = Field(
        default=10, ge=1, le=1800,
        description="seconds after which a refused phone may try again; up to twice as many, drawn for each call",
    )  # fmt: skip


class Timers(Section):
    """Timers of RFC 3261 table 4, in seconds."""

    t1: float = Field(default=0.5, gt=0, le=5, description="round-trip time estimate")
    t2: float = Field(default=4.0, gt=0, le=40, description="longest retransmission interval")
    t4: float = Field(default=5.0, gt=0, le=50, description="longest time a message stays in the network")
    timer_c: float = Field(
        default=185.0, gt=180, le=3600, description="how long an INVITE may ring (more than 3 minutes)"
    )


class Metrics(Section):
    """The page for Prometheus and the health check."""

    address: IPText = Field(default="127.0.0.1", description="address to bind")
    port: int = Field(default=9464, ge=0, le=65535, description="port to bind; 0 lets the system choose one")
    enabled: bool = Field(default=True, description="whether the page is served at all")


class Log(Section):
    """What is logged; never personal data, at any level."""

    level: Literal["debug", "info", "warn", "error"] = Field(default="info", description="least level that is written")
    format: Literal["text", "json"] = Field(default="text", description="how a line looks")


class Settings(Section):
    """The whole configuration."""

    state_dir: str = Field(
        default="state", description="folder for the key ring and retired trunks; relative to this file"
    )
    catalogue: tuple[str, ...] = Field(
        default=(),
        description="files of your own that add to the catalogue of fields (docs/catalogue.md); relative to this file",
    )
    workers: int = Field(
        default=1, ge=1, le=64, description="processes that share the calls; as many as there are cores for them"
    )
    realms: tuple[str, ...] = Field(
        default=(), description="our digest realms: credentials for them never travel further"
    )
    names: tuple[str, ...] = Field(
        default=(), description="host names that mean this proxy in Route and Request-URI, besides the listeners' own"
    )
    route_order: Literal["first", "longest"] = Field(
        default="first",
        description="which of the `[[routes]]` that match decides: the first, or the one with the longest `prefix` and "
        "among equals the first",
    )
    listeners: tuple[Listener, ...] = Field(min_length=1, description="sockets")
    access: Access | None = Field(default=None, description="the phones' zone")
    core: Core | None = Field(default=None, description="the operator's own servers")
    trunks: tuple[Trunk, ...] = Field(default=(), description="trunk providers")
    groups: tuple[Group, ...] = Field(default=(), description="trunks that stand in for each other")
    dns: Dns = Field(default=Dns(), description="name servers")
    hosts: tuple[Host, ...] = Field(default=(), description="names that DNS is not asked for")
    routes: tuple[Route, ...] = Field(default=(), description="routing table")
    numbering: Numbering | None = Field(default=None, description="how numbers are dialled")
    emergency: Emergency = Field(default=Emergency(), description="emergency calls")
    privacy: SubscriberPrivacy = Field(default=SubscriberPrivacy(), description="policy levels")
    rules: tuple[PolicyRule, ...] = Field(default=(), description="further rules of the policy")
    registrar: Registrar | None = Field(default=None, description="registrations of phones")
    subscribers: SubscriberStore | None = Field(default=None, description="settings of single subscribers")
    region: Region | None = Field(default=None, description="where subscribers' data stay")
    authentication: Authentication | None = Field(default=None, description="who phones are")
    recorders: tuple[Recorder, ...] = Field(default=(), description="recording servers")
    recording_clients: tuple[RecordingClient, ...] = Field(default=(), description="who may open recording sessions")
    recording: Recording = Field(default=Recording(), description="how recording is recognised")
    signing: Signing | None = Field(default=None, description="STIR/SHAKEN signatures")
    verification: Verification | None = Field(default=None, description="STIR/SHAKEN verification")
    limits: Limits = Field(default=Limits(), description="bounds")
    streams: Streams = Field(default=Streams(), description="bounds on connections")
    overload: Overload = Field(default=Overload(), description="overload control")
    guard: Guard = Field(default=Guard(), description="who is kept out, and how much one may ask for")
    timers: Timers = Field(default=Timers(), description="timers")
    metrics: Metrics = Field(default=Metrics(), description="metrics page")
    log: Log = Field(default=Log(), description="logging")

    _ports = model_validator(mode="before")(staticmethod(with_default_ports))

    @property
    def own_realms(self) -> tuple[str, ...]:
        """Return `realms` and that of `[authentication]`."""
        own = (self.authentication.realm,) if self.authentication else ()
        return tuple(dict.fromkeys((*self.realms, *own)))
