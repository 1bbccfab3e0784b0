"""What scripts/loadtest runs: SIPp on both sides of a Sipveil of its own, and a search for leaks at the trunk.

    main ── sweep ── run ──┬── proxy, account       a pinned Sipveil, its CPU and memory
                           ├── sipp, scenario       caller and trunk, the scenarios in scenarios/
                           ├── tape ── search       every message that the trunk receives, while the calls run
                           └── figures              SIPp's files → rates, percentiles
    result → report, plot

Scenarios that SIPp cannot play have ends of their own; each is a Trial with its Offered and its Outcome:

    commands ── trial ──┬── config, accounts, proxy      a Sipveil with what the scenario needs
                        ├── meter ── looks ── series     CPU and memory, second by second, as lines and a picture
                        └── outcome ── layout, output    figures for a person and for a program, exit status

    authenticated ── authenticated_messages, scripts/benchmark/generator.c   digest at 1,000 calls/s
    flows ────────── flow_phones (registering), flow_calls, flow_tls         thousands of connections
    trunk_group ──── group_calls, group_trunk, alarm                         each call followed by itself

`account`, `config`, `ports` and `proxy` stand alone, for other measurements too (scripts/bench).
"""
