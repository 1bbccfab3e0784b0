"""What the core counts: plain integers on the hot path, read by the metrics page at scrape.

Labels come from the closed sets below, so that no series can carry personal data and their number
is bounded. docs/metrics.md is generated from this table.
"""

from __future__ import annotations

from typing import NamedTuple

METHODS = ("INVITE", "ACK", "CANCEL", "BYE", "PRACK", "UPDATE", "REGISTER", "OPTIONS", "SUBSCRIBE", "NOTIFY",
           "PUBLISH", "MESSAGE", "INFO", "REFER", "other")  # fmt: skip
LABELS = {method.encode(): method for method in METHODS[:-1]}
"""The label of each method as it stands in messages; any other is counted as the last of METHODS."""


class CounterSpec(NamedTuple):
    """One counter: its Prometheus name, what it means, its label and the label's closed set."""

    name: str
    help: str
    label: str
    values: tuple[str, ...]


COUNTERS = (
    CounterSpec("sipveil_requests_received_total", "Requests that were parsed, by method.", "method", METHODS),
    CounterSpec("sipveil_responses_received_total", "Responses that were parsed, by class.", "class",
                ("1xx", "2xx", "3xx", "4xx", "5xx", "6xx")),
    CounterSpec("sipveil_responses_made_total", "Responses that Sipveil made itself, by status code.", "code",
                ("100", "200", "400", "401", "403", "404", "407", "408", "415", "416", "420", "430", "440", "480",
                 "481", "482", "483", "487", "500", "501", "503", "505", "513", "other")),
    CounterSpec("sipveil_dropped_total", "Messages that were dropped in silence, by reason.", "reason",
                ("malformed", "keepalive", "unknown-source", "denied", "stray-response", "ack-without-dialog",
                 "parked-full", "late", "failed-closed", "undelivered", "challenge-rate", "worker")),
    CounterSpec("sipveil_overload_refused_total", "Requests refused with 503 for overload or a full table, by method.",
                "method", METHODS),
    CounterSpec("sipveil_guarded_total",
                "What the guard did: requests of sources and subscribers over their limit (503), of scanners by what "
                "they write, of banned sources; answers sent late; bans that began.", "what",
                ("source", "subscriber", "scanner", "banned", "delayed", "ban")),
    CounterSpec("sipveil_retransmissions_absorbed_total", "Requests answered from stored bytes, by method.",
                "method", METHODS),
    CounterSpec("sipveil_retransmissions_sent_total", "Messages sent again by timers A, E and G.", "timer",
                ("A", "E", "G")),
    CounterSpec("sipveil_timeouts_total", "Transactions ended by a timer.", "timer", ("B", "C", "F", "H")),
    CounterSpec("sipveil_failovers_total",
                "Tries of a further target of a next hop, by what the one before did: 503, no way there, no answer, "
                "another 5xx to an emergency call or of a recorder, what a contract keeps from one of a group, the "
                "flow of a registered phone that is gone, a password that a trunk of a group does not take.", "reason",
                ("503", "transport", "timeout", "emergency", "recorder", "contract", "flow", "password")),
    CounterSpec("sipveil_trunk_challenges_total",
                "Challenges of trunks that we have a password for: answered, answered anew since a nonce was too old, "
                "and refused: the password is not accepted, we have none for what they ask, or they asked four times.",
                "outcome", ("answered", "stale", "rejected", "unanswerable", "attempts")),
    CounterSpec("sipveil_trunk_registrations_total",
                "REGISTERs of our own to trunks, by what came of them: registered or renewed; taken out; no target "
                "answered; no way to any; the password is not accepted; refused otherwise. Lapsed: the time was over "
                "before it could be renewed.", "outcome",
                ("registered", "taken-out", "silent", "unreachable", "password", "refused", "lapsed")),
    CounterSpec("sipveil_probes_total",
                "OPTIONS of our own to trunks, by what came of it; refused: with 503.", "outcome",
                ("answered", "refused", "silent", "unreachable")),
    CounterSpec("sipveil_trunk_limits_reached_total",
                "Times that a call was kept from a trunk, by which of the trunk's limits.", "limit", ("calls", "rate")),
    CounterSpec("sipveil_region_kept_total",
                "Times that a trunk was kept from a request, by whose data may not go there.", "whose",
                ("caller", "forwarder")),
    CounterSpec("sipveil_recording_total",
                "Requests that have to do with recording: of recording sessions, and of what may be one (suspect); "
                "commands to record that were let through or refused with 403; and those that mention it (hint).",
                "what", ("session", "suspect", "allowed", "refused", "hint")),
    CounterSpec("sipveil_recording_rules_total",
                "Requests that have to do with recording, by the rule that tells (docs/recording.md; R1b-supported: "
                "`siprec` in Supported and nothing else; R2-unread: a body that cannot be looked through).", "rule",
                ("R1", "R1b", "R1b-supported", "R2", "R2-unread", "R3", "R4", "R5", "R6", "R7", "R8", "R9", "R10",
                 "R11", "R12", "R13", "R14", "R17")),
    CounterSpec("sipveil_recording_sessions_total",
                "Recording sessions of configured clients; begun: an INVITE on its way to a recorder, once for each "
                "recorder that is tried.", "result", ("begun", "answered", "refused")),
    CounterSpec("sipveil_recording_refused_total",
                "Messages of recording sessions, or for recorders, that went nowhere, or bare: from nobody who may "
                "record; no recorder, or no recording session; somebody who takes part may not be recorded; not over "
                "mutual TLS; media in the clear; metadata that cannot be read, or not be encrypted or decrypted; a "
                "certificate that they are encrypted to, or opened with, does not hold now (expired).",
                "reason",
                ("client", "recorder", "subscriber", "way", "media", "metadata", "encryption", "expired")),
    CounterSpec("sipveil_recording_opened_total",
                "Messages of recording sessions whose metadata were opened for a recorder behind us, by key: the "
                "present one, or one of `former_keys`, which may go when nothing comes for it any more.", "key",
                ("present", "former")),
    CounterSpec("sipveil_recording_plain_rtp_total",
                "Messages of recording sessions with media that nothing encrypts, by what became of them.", "outcome",
                ("allowed", "refused")),
    CounterSpec("sipveil_privacy_wishes_total",
                "Wishes for privacy of callers and callees, which recordings of a call have to know: kept (noted); not "
                "kept, for there was no room (full) or nobody knows whose it was (unknown), and then all participants "
                "are private for as long; calls refused, for one address wished for too much (limited). And times that "
                "headers or metadata of a recording session named somebody of whom something is hidden so (applied) "
                "or that all were taken for private (strict).", "outcome",
                ("noted", "full", "unknown", "limited", "applied", "strict")),
    CounterSpec("sipveil_failed_closed_total", "Messages on which a filter failed, by kind of message.", "kind",
                ("request", "ack", "bye", "provisional", "final", "invite-2xx")),
    CounterSpec("sipveil_tokens_refused_total", "Tokens that did not open or did not fit, by reason.", "reason",
                ("forged", "expired", "fingerprint", "side", "hop", "no-dialog")),
    CounterSpec("sipveil_authentications_total",
                "Requests of phones that had to say who they are, by outcome: proof accepted; none brought and "
                "challenged; no account, password or an account that is disabled (wrong), "
                "and whatever else comes from there for a while (slowed); a nonce that is old, not theirs, or used "
                "up; credentials that cannot be read, or are for another URI; another's From; no accounts known; who "
                "passed without; and how many challenges were left unsaid for being too many (silenced).", "outcome",
                ("accepted", "challenged", "silenced", "wrong", "slowed", "stale", "foreign", "replayed", "malformed",
                 "uri", "identity", "unavailable", "not-asked", "emergency")),
    CounterSpec("sipveil_privacy_overrides_total",
                "Requests that nothing was hidden of, by reason: emergency calls, call-backs, and those among them "
                "on which a filter failed.", "reason", ("emergency", "callback", "filter")),
    CounterSpec("sipveil_calls_total", "Dialog-forming INVITEs that were forwarded, by zone of the hop.", "zone",
                ("access", "core", "trunk", "psap")),
    CounterSpec("sipveil_stun_total", "STUN requests over UDP, by whether a phone was told its address.", "outcome",
                ("answered", "ignored")),
    CounterSpec("sipveil_registrations_total",
                "REGISTERs answered here, by outcome; limited: more than one account or source may.", "outcome",
                ("updated", "queried", "forbidden", "unknown", "brief", "full", "limited", "refused")),
    CounterSpec("sipveil_identity_total", "Identity headers that arrived and what became of them.", "outcome",
                ("kept", "broken", "revealing", "unreadable")),
    CounterSpec("sipveil_signing_total",
                "Calls for trunks that want them signed, by whether they could be; `div…`: diverted ones, which others "
                "had signed.", "outcome",
                ("signed", "no-number", "expired", "div", "div-hidden", "div-not-ours", "div-stale", "div-expired")),
    CounterSpec("sipveil_verification_total", "Calls from trunks whose signatures were looked at, by result.", "result",
                ("TN-Validation-Passed", "TN-Validation-Failed", "No-TN-Validation")),
    CounterSpec("sipveil_connections_opened_total", "Connections that came to be used, by who made them: others or we.",
                "direction", ("in", "out")),
    CounterSpec("sipveil_connections_refused_total",
                "Connections refused because there were too many, in all or from one address, or too many new ones a "
                "second from there (rate).", "reason",
                ("total", "source", "rate")),
    CounterSpec("sipveil_connections_closed_total",
                "Connections that ended, by what ended them: the peer; no way there; a TLS handshake that failed; "
                "another name in the certificate, or a recorder's without its pin or authority; nothing said; a "
                "message not completed in time; nothing said for long, or not as often as Flow-Timer asks for; what is "
                "no SIP; a message too large; not reading what waits; we stopped.", "reason",
                ("peer", "connect", "handshake", "identity", "silent", "slow", "idle", "flow-timer", "malformed",
                 "size", "not-reading", "shutdown")),
    CounterSpec("sipveil_connections_held_back_total",
                "How often a connection was not read until the next second, for it brought too much.", "reason",
                ("rate",)),
)  # fmt: skip


class _Count:
    """One value. To raise a number that stands in a dictionary takes two look-ups, and a new number."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0


class Counters:
    """The values of all counters of one core."""

    __slots__ = ("_counts",)

    def __init__(self) -> None:
        """Start with every counter at zero."""
        self._counts: dict[str, dict[str, _Count]] = {}

    def add(self, name: str, label: str) -> None:
        """Count one; name is a CounterSpec's without `sipveil_` and `_total`."""
        labels = self._counts.get(name)
        count = None if labels is None else labels.get(label)
        if count is None:
            count = self._counts.setdefault(name, {})[label] = _Count()
        count.value += 1

    @property
    def values(self) -> dict[tuple[str, str], int]:
        """What was counted until now, by name and label."""
        return {(name, label): count.value for name, labels in self._counts.items() for label, count in labels.items()}
