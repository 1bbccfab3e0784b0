"""The shell around the core: commands, sockets, clocks, logs and the metrics page.

`main` is the `sipveil` command, `plugin` the same for twistd. Both load a configuration and start
`service`, which puts keys, policy and core together and hands the core to `shell`. There datagrams
come in through proxy/transport, timers tick, and whatever the core raises ends at `boundary`. `log`
and `events` write lines without personal data; `metrics` is read through `site`. With several workers
`supervisor` has `spawner` fork them, and each `worker` is a shell on sockets from `equipment`, which hears from
`registration_feed` who is registered elsewhere. `demo` places a call through a proxy of its own and shows what it did.
`explain` hands messages of a file or a capture (`message_file`, `capture`) to a core without sockets; `scan` searches
captures, of whatever proxy, for what they should not tell.
"""

from tap.native import CORE as CORE  # before anything imports from proxy or filters: it chooses which ones these are
