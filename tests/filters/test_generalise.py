"""The coarse part of a header: country without cell, product without version."""

from __future__ import annotations

import pytest

from filters.generalise import generalised


@pytest.mark.parametrize(
    ("name", "value", "coarse"),
    [
        (b"user-agent", b"Yealink SIP-T46S 66.15.0.10", b"Yealink"),
        (b"user-agent", b"snomD785/10.1.84.12", b"snomD"),
        (b"server", b"Asterisk PBX 20.5.0", b"Asterisk"),
        (b"user-agent", b"00:15:65:aa:bb:cc", None),
        (b"user-agent", b"", None),
        (
            b"p-access-network-info", b"3GPP-E-UTRAN-FDD; utran-cell-id-3gpp=26201D0FCE11",
            b"3GPP-E-UTRAN-FDD;utran-cell-id-3gpp=262",
        ),
        (b"p-access-network-info", b'3GPP-GERAN;cgi-3gpp="310410abcdef"', b"3GPP-GERAN;cgi-3gpp=310"),
        (b"p-access-network-info", b"IEEE-802.11; i-wlan-node-id=001565aabbcc", b"IEEE-802.11"),
        (b"p-access-network-info", b"", None),
        (b"accept-language", b"de-AT, de;q=0.8, en-GB;q=0.5", b"de, en"),
        (b"accept-language", b"*", None),
        (b"x-country", b"AT", b"AT"),
        (b"x-country-code", b"Austria, Vienna", None),
        (b"geolocation", b"<cid:alice@example.net>", None),
        (b"x-cell", b"26201D0FCE11", None),
    ],
)  # fmt: skip
def test_what_is_left(name: bytes, value: bytes, coarse: bytes | None) -> None:
    assert generalised(name, value) == coarse
