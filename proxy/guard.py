"""Who asks for too much: counts of what sources and subscribers want, and bans. No socket, no clock, no message.

A source is an IPv4 address or an IPv6 /64, told apart by whether it speaks from a connection: over UDP anybody may
write anybody's address. So nothing that a forged datagram can cause lasts, or reaches a peer that has shown that it
hears us (`proved`). All tables are bounded. The one of sources forgets the eldest, so that a flood from forged
addresses makes the guard lax and shuts nobody out; the one of bans takes no further ones.
"""

from __future__ import annotations

from enum import Enum

from config.guard_section import Guard as GuardSettings
from proxy.bucket import Bucket
from proxy.flow import Flow
from proxy.memo import Recent, remembered
from proxy.rate import part_of

BITS = 1024
"""Places of the map that counts different names; names share places, so it counts a little less than there are."""
BANS = 16_384
"""Most sources that are banned, or were not long ago."""
PROVEN = 65_536
"""Most peers that are remembered to have heard us: as many as Linux lets connections wait by default, and 10 MB."""
LINGER = 1.0
"""Seconds for which a source that asked for too much is judged before its requests are parsed."""
LEAST_NAMES = 5
"""Names in vain that make no sweep, however many workers share them out: the least that may be configured."""
PURGE = 1.0
"""Seconds between two looks for bans that are over."""


class Verdict(Enum):
    """What becomes of a new request."""

    PASS = "goes on"  # noqa: S105 -- no password
    LIMITED = "503"
    BANNED = "as a scanner's"


class _Bucket(Bucket):
    """A token bucket, and which names a source asked for in vain."""

    __slots__ = ("began", "names")

    def __init__(self, tokens: float, now: float) -> None:
        super().__init__(tokens, now)
        self.names = 0
        self.began = now


class _Ban:
    """Until when, and how often before."""

    __slots__ = ("level", "until")

    def __init__(self) -> None:
        self.until = 0.0
        self.level = 0


class Guard:
    """Counts, and says who is to wait."""

    __slots__ = (
        "_banned", "_bans", "_buckets", "_burst", "_calls", "_limited", "_messages", "_proven", "_purged", "_rate",
        "_settings", "_sweep", "active", "enabled",
    )  # fmt: skip

    def __init__(self, settings: GuardSettings, workers: int = 1) -> None:
        """Begin with empty tables.

        Args:
            settings: the limits.
            workers: among how many processes the requests of one source are spread.
        """
        self.active = False
        """Whether anybody is banned or asked for too much: what the hot path tests for each datagram."""
        self._buckets: Recent[str | tuple[str, int] | bytes, _Bucket] = Recent(settings.sources)
        self._proven: Recent[tuple[str, int], bool] = Recent(PROVEN)
        self._bans: dict[str, _Ban] = {}
        self._limited: dict[str, float] = {}
        self._banned = 0
        self._purged = 0.0
        self.obey(settings, workers)

    def obey(self, settings: GuardSettings, workers: int = 1) -> None:
        """Follow new settings; what is counted stays, and so do bans."""
        self._settings = settings
        self.enabled = settings.enabled
        self._rate = settings.source_rate / workers
        self._burst = max(1.0, settings.source_burst / workers)
        self._calls = settings.subscriber_calls / workers
        self._messages = settings.subscriber_messages / workers
        self._sweep = part_of(settings.sweep, workers, LEAST_NAMES)
        if not self.enabled:
            self.active = False

    def admit(self, flow: Flow, now: float) -> Verdict:
        """Count a new request outside dialogs."""
        peer = flow.peer
        key = peer[0] if flow.transport == "UDP" and ":" not in peer[0] else source_of(flow)
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = _Bucket(self._burst, now)
            self._buckets.put(key, bucket)
        if self._rate and not bucket.take(self._rate, self._burst, now) and not self._take_own(peer, now):
            self._hold(key, now)
            return Verdict.LIMITED
        return Verdict.BANNED if self.active and self.is_banned(flow, now) else Verdict.PASS

    def is_banned(self, flow: Flow, now: float) -> bool:
        """Tell whether a peer's source is banned and the peer has not shown that it hears us."""
        ban = self._bans.get(source_of(flow))
        return ban is not None and now < ban.until and self._proven.get(flow.peer) is None

    def judge(self, flow: Flow, now: float) -> Verdict:
        """Tell what would become of a new request, without counting it; only asked for while `active`."""
        if self.is_banned(flow, now):
            return Verdict.BANNED
        key = source_of(flow)
        if self._rate and self._limited.get(key, 0.0) > now:
            bucket, own = self._buckets.get(key), self._buckets.get(flow.peer)
            if bucket is not None and bucket.is_dry(self._rate, now):
                spared = self._proven.get(flow.peer) is not None and (own is None or not own.is_dry(self._rate, now))
                return Verdict.PASS if spared else Verdict.LIMITED
        return Verdict.PASS

    def admit_subscriber(self, who: bytes, method: bytes, now: float) -> int:
        """Count a call or a message of a subscriber.

        Args:
            who: what stands for the subscriber.
            method: INVITE or MESSAGE; others are not counted.
            now: monotonic seconds.

        Returns:
            0 where it may go on, else the seconds until one may.
        """
        most = self._calls if method == b"INVITE" else self._messages if method == b"MESSAGE" else 0.0
        if not most or not self.enabled:
            return 0
        key, burst = method + who, max(1.0, most)
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = _Bucket(burst, now)
            self._buckets.put(key, bucket)
        return 0 if bucket.take(most / 60, burst, now) else 1 + int(60 / most)

    def failed(self, flow: Flow, name: bytes, now: float) -> bool:
        """Note that somebody asked for a name in vain; True when that is the beginning of a ban."""
        if not self.enabled or self._settings.scanners == "off":
            return False
        bucket = self._bucket(flow, now)
        if now - bucket.began > self._settings.window:
            bucket.began, bucket.names = now, 0
        bucket.names |= 1 << (hash(name) % BITS)
        if bucket.names.bit_count() < self._sweep:
            return False
        bucket.names = 0
        return self._ban(source_of(flow), now)

    def retried(self, flow: Flow, name: bytes) -> None:
        """Note that somebody who was challenged comes again with credentials: until it fails, it was not in vain."""
        bucket = self._buckets.get(source_of(flow))
        if bucket is not None and bucket.names:
            bucket.names &= ~(1 << (hash(name) % BITS))

    def proved(self, flow: Flow) -> None:
        """Note that a peer hears us: it brought back what only who got it can know."""
        if self._proven.get(flow.peer) is None:
            self._proven.put(flow.peer, True)

    def has_proved(self, flow: Flow) -> bool:
        """Tell whether a peer has shown that it hears us, as far as that is remembered."""
        return self._proven.get(flow.peer) is not None

    def tick(self, now: float) -> None:
        """Let bans end."""
        if now - self._purged < PURGE:
            return
        self._purged = now
        window = self._settings.window
        self._bans = {key: ban for key, ban in self._bans.items() if now < ban.until + ban.level * window}
        self._limited = {key: until for key, until in self._limited.items() if now < until}
        self._banned = sum(1 for ban in self._bans.values() if now < ban.until)
        self.active = self.enabled and bool(self._banned or self._limited)

    def sizes(self) -> tuple[int, int]:
        """Return how many are banned and how many over their limit, as of the last tick."""
        return self._banned, len(self._limited)

    def _bucket(self, flow: Flow, now: float) -> _Bucket:
        key = source_of(flow)
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = _Bucket(self._burst, now)
            self._buckets.put(key, bucket)
        return bucket

    def _take_own(self, peer: tuple[str, int], now: float) -> bool:
        """Take a token of a proven peer's own, where those of its address are gone: others may have taken them."""
        if self._proven.get(peer) is None:
            return False
        own = self._buckets.get(peer)
        if own is None:
            own = _Bucket(self._burst, now)
            self._buckets.put(peer, own)
        return own.take(self._rate, self._burst, now)

    def _hold(self, key: str, now: float) -> None:
        if key in self._limited or len(self._limited) < BANS:
            self._limited[key] = now + LINGER
            self.active = True

    def _ban(self, key: str, now: float) -> bool:
        ban = self._bans.get(key)
        if ban is None:
            if len(self._bans) >= BANS:
                return False
            ban = self._bans[key] = _Ban()
        settings = self._settings
        if now < ban.until:
            return False
        ban.level = max(0, ban.level - int((now - ban.until) // settings.window)) if ban.until else 0
        ban.until = now + min(settings.ban_longest, settings.ban << min(ban.level, 16))
        ban.level += 1
        self._banned += 1
        self.active = True
        return True


def source_of(flow: Flow) -> str:
    """Return what stands for a source: its IPv4 address or IPv6 /64, and whether it is a connection's."""
    host = flow.peer[0]
    if ":" in host:
        host = _prefix(host)
    return host if flow.transport == "UDP" else f"{host} connected"


@remembered
def _prefix(host: str) -> str:
    """Return the /64 of an IPv6 address: what one customer has at least (RFC 6177 §2)."""
    groups, _, last = host.partition("%")[0].partition("::")
    head = groups.split(":") if groups else []
    tail = last.split(":") if last else []
    missing = 8 - len(head) - len(tail)
    full = head + ["0"] * missing + tail if "::" in host else head
    return ":".join(group.lstrip("0") or "0" for group in full[:4])
