"""What scripts/bench runs: how much a message, a call and a kilobyte cost, and what others pay for the same.

    main ──┬── peers ──┬── contenders            Sipveil, Kamailio, a forwarder that looks at nothing; pinned
           │           └── generator (.py, .c)   caller and trunk in one process on another core
           ├── core, profiling ── calls, stages  one call after the other through proxy.core.Core, without sockets
           ├── instructions ── instructed        the same calls, counted by valgrind
           ├── memory                            what calls and transactions keep resident
           └── growth ── plots                   how cost grows with what messages hold
    figures → spread, baseline → report

Everything says the same words: `messages`. Machines drift, so figures are compared only with figures of the same
minute: peers alternate, and what runs in the process is put beside a fixed piece of work (`calibration`).
"""

from tap import CORE as CORE  # before anything imports the core, so that what is measured is what scripts/run runs
