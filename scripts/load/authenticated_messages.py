"""What phones with passwords say: the messages of the benchmarks, with credentials and the numbers for them."""

from __future__ import annotations

from scripts.benchmark import messages
from scripts.load.accounts import NUMBER, PASSWORD, USER
from scripts.load.config import REALM

BY_CHANCE = 5
"""Letters of a word that a token of ours may hold by chance, in so many requests as are searched here."""
CANARIES = (
    *(each for each in messages.CANARIES if len(each) > BY_CHANCE), USER, PASSWORD, NUMBER, "uthorization",
    f'realm="{REALM}"',
)  # fmt: skip
"""What no trunk may see: besides what the benchmarks look for, everything of the credentials."""

_CHANGES = {
    "invite": (("i{{run}}", "i{{attempt}}{{run}}"), ("CSeq: 1 INVITE\r\n", "CSeq: {{cseq}} INVITE\r\n{{credentials}}")),
    "refused-ack": (("i{{run}}", "i{{attempt}}{{run}}"), ("CSeq: 1 ", "CSeq: {{cseq}} ")),
    "ack": (("CSeq: 1 ", "CSeq: {{cseq}} "),),
    "bye": (("CSeq: 2 ", "CSeq: {{next}} "),),
}
"""Name of a message → what is replaced by what: each attempt has a CSeq and a branch of its own (RFC 3261 §22.2)."""
URI = "sip:+15551234567@{proxy[0]}:{proxy[1]}"
"""The Request-URI of the INVITE, which the credentials have to name."""


def as_file() -> str:
    """Return the templates as generator.c reads them."""
    sections = []
    for name, plain in messages.TEMPLATES.items():
        text = plain
        for old, new in _CHANGES.get(name, ()):
            if old not in text:
                raise AssertionError(f"{name} has no {old!r} any longer")
            text = text.replace(old, new)
        sections.append(f"%% {name}\n{text}")
    return "".join(sections) + "%% canaries\n" + "".join(f"{canary}\n" for canary in CANARIES)
