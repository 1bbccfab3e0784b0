"""The SIP core: bytes and time go in, bytes and events come out; it never touches a socket or a clock.

A datagram enters `core.Core.receive`, is read by `parse` into a `message.Message`, meets its
transaction in `matching` and `transaction`, is checked and routed (`validation`, `routing`), gets a
fresh `message.Draft` for every branch, which `identity`, `topology` and the plan (`policy`, filled in
by filters/) edit, and leaves through the sinks of `sinks`. Only `transport*` and `resolver` know Twisted.
With several workers `handover` decides first whose a message is, and `places` who has a connection.
"""
