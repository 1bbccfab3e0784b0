"""Recording sessions in an explanation: where they come from, and what is said of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import ip_address

from config.address import is_ip
from config.recorders_section import RecordingClient
from config.settings import Settings
from proxy.flow import Flow
from proxy.party import Party
from proxy.recording import SUPPORTED, Detector, Finding, Kind
from proxy.recording_control import known_of
from proxy.routing import Network
from tap.explain_ends import Address, ExplainError, addresses
from tap.explain_rewrite import read

PRIVATE = (
    "whoever sends this asks for privacy: while this call lasts, metadata of recordings tell that one as the Privacy "
    "header of a recording client's message would (see docs/recording.md)"
)
_WHAT = {
    Kind.RS: "a recording session", Kind.RS_SUSPECT: "taken for a recording session",
    Kind.CONTROL: "a command to record",
}  # fmt: skip


def detector_of(settings: Settings) -> Detector:
    """Return what recognises recording, as the proxy has it."""
    return Detector(known_of(settings))


def is_session(finding: Finding) -> bool:
    """Tell whether a message is of a recording session."""
    return finding.kind in (Kind.RS, Kind.RS_SUSPECT) and finding.rule != SUPPORTED


def client_flow(network: Network, settings: Settings, wanted: Address | None) -> Flow:
    """Return the flow of a recording client: of the one at an address, else of the first; with its certificate.

    Raises:
        ExplainError: none is configured at an address of access, core or a trunk.
    """
    for client in settings.recording_clients:
        listener = next(one for one in settings.listeners if one.name == client.listener)
        local = listener.address, listener.port
        for address in ([wanted] if wanted is not None else []) + list(addresses(client.networks)):
            identity = (client.tls_names[0].lower(),)
            inside = _is_in(client, address[0])
            if inside and network.party_from("TLS", local, address, identity) is not None:
                return Flow("TLS", local, address, 1, identity)
    raise ExplainError("a recording session, and no [[recording_clients]] is at an address of access, core or a trunk")


def remark(finding: Finding, receivers: Sequence[Party | None], answers: Iterable[bytes] = ()) -> str:
    """Return what is said of a message that has to do with recording; "" where there is nothing to say.

    Args:
        finding: what was found in it.
        receivers: to whom it went.
        answers: what the proxy itself sent on its account.
    """
    what = _WHAT.get(finding.kind)
    if what is None:
        return ""
    if finding.rule == SUPPORTED:
        return f"says that it could record (rule {SUPPORTED}): no recording session, unless a recording client sends it"
    text = f"{what} (rule {finding.rule}, see docs/recording.md)"
    if finding.kind is Kind.CONTROL:
        return f"{text}: {'let through' if receivers else 'refused'} as its sender's setting `recording` says"
    recorder = next((each.recorder for each in receivers if each is not None and each.recorder is not None), None)
    if recorder is None:
        return ": ".join((text, "it goes to no recorder", *filter(None, map(_why, answers))))
    way = "in clear, for Sipveil stands in front of it" if recorder.role == "recorder-edge" else "encrypted to it"
    return f"{text}: to recorder {recorder.name} over mutual TLS, metadata {way}"


def _why(answer: bytes) -> str:
    """Return what a refusal says by its Warning (RFC 3261 §20.43); "" for nothing."""
    message = read(answer)
    warning = message.value(b"warning") if message is not None else None
    return warning.partition(b'"')[2].rstrip(b'"').decode("ascii", "replace") if warning else ""


def _is_in(client: RecordingClient, host: str) -> bool:
    return is_ip(host) and any(ip_address(host) in item.network for item in client.networks)
