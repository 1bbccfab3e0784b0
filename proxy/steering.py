"""A program by which the kernel gives each datagram to its owner's socket, so that hardly any is handed over.

The sockets of a listener's workers share one address (SO_REUSEPORT). Left alone, the kernel chooses one by the sender's
address; SO_ATTACH_REUSEPORT_CBPF (socket(7)) lets a program in classic BPF (Linux, Documentation/networking/filter.rst)
choose, which sees the UDP payload from offset 0 and returns the number of a socket, in the order in which they
were bound: the worker's number. The instructions are made here; `proxy/transport_shared.py` attaches them.

`owner` (proxy/matching.py) is the truth, the program only does early, for what nearly everybody sends, what `owner`
would do after it. What it gets wrong or cannot tell (compact or folded Call-IDs, our own requests come back) is
read by some worker and handed over.

    begins with SIP/ ── yes ──> find "nch=z9hG4bK" ──> the letter after it ──> its number mod N
          │ no
          └────────> find "\\nCall-ID:" ──> skip a space ──> hash of what stands up to the line's end, mod N

The machine has a 32-bit accumulator A, an index X, sixteen words of memory and only forward jumps, the conditional
ones over 255 instructions at most; so each loop is written out, up to a bound. A load from beyond the datagram ends
the program with 0.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final, NamedTuple

from proxy.matching import HASH_FACTOR, HASH_MODULUS, HASH_SHIFT, WORKER_LETTERS

UNDECIDED = 0xFFFFFFFF
"""What the program returns where it cannot tell: no socket has it, so the kernel chooses by addresses, as without."""
MOST_INSTRUCTIONS = 4096
"""BPF_MAXINSNS; the kernel takes no longer program."""

LOAD_WORD, LOAD_LENGTH, LOAD_NUMBER, LOAD_MEMORY = 0x20, 0x80, 0x00, 0x60
LOAD_WORD_AT_X, LOAD_BYTE_AT_X = 0x40, 0x50
X_NUMBER, X_MEMORY, A_TO_X, X_TO_A = 0x01, 0x61, 0x07, 0x87
STORE_A, STORE_X = 0x02, 0x03
ADD, ADD_X, SUBTRACT, MULTIPLY, OR, SHIFT_LEFT, SHIFT_RIGHT, MODULO = 0x04, 0x0C, 0x14, 0x24, 0x44, 0x64, 0x74, 0x94
JUMP, IF_EQUAL, IF_GREATER, IF_AT_LEAST = 0x05, 0x15, 0x25, 0x35
RETURN, RETURN_A = 0x06, 0x16
"""Codes of instructions, from linux/bpf_common.h: class, size or operation, and source of the operand."""

_LOWER = 0x20202020
"""Set in a word, it makes letters lower-case. Some other characters become alike; what is found is looked at again."""
_GROUP = 16
"""Places between two exits of a scan, so that conditional jumps reach them."""
_CHECKED = 4
"""Places that are loaded after one look at the datagram's length. They reach over fewer bytes than must
come after the beginning of what is searched for, so that none is missed for being near the end."""
_SHORTEST = 32
"""Bytes. What is shorter is a keepalive (RFC 5626 §4.4.1) and has no Call-ID."""
_STATUS_LINE = len("SIP/2.0 200 ")
_BRANCH = b"nch=z9hg4bk"
_CALL_ID = b"\ncall-id:"
_HASH, _START = 0, 1
"""Words of memory."""


class Instruction(NamedTuple):
    """One `struct sock_filter`."""

    code: int
    if_true: int
    if_false: int
    operand: int


class Reach(NamedTuple):
    """How far the program looks."""

    branch: int
    """Bytes of a response in which our branch has to begin."""
    call_id: int
    """Bytes of a request in which the Call-ID's line has to begin."""
    value: int
    """Bytes that a Call-ID has at most; those that trunks see have 64 unless configured otherwise (`max_call_id`)."""


REACHES: Final = (Reach(256, 1500, 80), Reach(100, 276, 48))
"""The first is as much as a program can hold. The second fits into net.core.optmem_max of kernels before Linux 6.8."""


class Assembler:
    """Collects instructions with jumps to names."""

    def __init__(self) -> None:
        """Begin a program."""
        self._lines: list[tuple[int, int, str, str]] = []
        self._places: dict[str, int] = {}

    def emit(self, code: int, operand: int = 0, *, then: str = "", otherwise: str = "") -> None:
        """Append an instruction; a condition goes on with the next one where no name is given."""
        self._lines.append((code, operand, then, otherwise))

    def jump(self, name: str) -> None:
        """Append a jump, as far as need be."""
        self.emit(JUMP, then=name)

    def mark(self, name: str) -> None:
        """Give the place of the next instruction a name."""
        self._places[name] = len(self._lines)

    def program(self) -> list[Instruction]:
        """Return the instructions, their jumps counted from the next one.

        Raises:
            ValueError: a jump or the program is too long.
        """
        if len(self._lines) > MOST_INSTRUCTIONS:
            raise ValueError("too many instructions")
        return [self._instruction(at, *line) for at, line in enumerate(self._lines, 1)]

    def _instruction(self, following: int, code: int, operand: int, then: str, otherwise: str) -> Instruction:
        steps = [self._places[name] - following if name else 0 for name in (then, otherwise)]
        if code == JUMP:
            return Instruction(code, 0, 0, steps[0])
        if not all(0 <= step < 256 for step in steps):
            raise ValueError("too long a jump")
        return Instruction(code, steps[0], steps[1], operand)


def steering(workers: int, reach: Reach = REACHES[0]) -> list[Instruction]:
    """Return the program that chooses among so many workers."""
    asm = Assembler()
    asm.emit(LOAD_LENGTH)
    asm.emit(IF_AT_LEAST, _SHORTEST, then="message")
    asm.emit(RETURN, 0)  # whom `owner` names for what has no Call-ID
    asm.mark("message")
    asm.emit(LOAD_WORD, 0)
    asm.emit(OR, _LOWER)
    asm.emit(IF_EQUAL, _word(b"sip/"), then="response")
    asm.jump("request")
    asm.mark("response")
    _scan(asm, "branch", _BRANCH, _STATUS_LINE, reach.branch)
    _by_letter(asm, workers)
    asm.mark("request")
    _scan(asm, "call-id", _CALL_ID, 0, reach.call_id)
    _by_hash(asm, workers, reach.value)
    return asm.program()


def packed(program: Sequence[Instruction]) -> bytes:
    """Return a program as an array of `struct sock_filter`."""
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)


def _word(text: bytes) -> int:
    """Return the word that four bytes make in the accumulator: network order."""
    return int.from_bytes(text[:4], "big")


def _scan(asm: Assembler, name: str, pattern: bytes, first: int, last: int) -> None:
    """Find where a pattern, in letters of any case, begins between first and last; go on with X there.

    A pattern of n bytes has n - 3 words, of which exactly one stands at each place that is a multiple of n - 3: so only
    these places are loaded, and compared with all the words. What looks like the pattern and is not, such as
    a `Call-Info`, costs the rest of its group, since there is no way back.
    """
    lowered = bytes(byte | 0x20 for byte in pattern)
    words = [_word(lowered[at:]) for at in range(len(pattern) - 3)]
    places = range(first + len(words) - 1, last + len(words), len(words))
    for begin in range(0, len(places), _GROUP):
        group = f"{name} {begin}"
        _look(asm, group, places[begin : begin + _GROUP], words)
        asm.jump(f"{group} next")
        for distance in range(len(words)):
            asm.mark(f"{group} {distance}")
            asm.emit(LOAD_NUMBER, -distance & 0xFFFFFFFF)
            asm.jump(f"{group} verify")
        asm.mark(f"{group} verify")
        asm.emit(ADD_X)
        asm.emit(A_TO_X)
        for at in (*range(0, len(pattern) - 4, 4), len(pattern) - 4):
            asm.emit(LOAD_WORD_AT_X, at)
            asm.emit(OR, _LOWER)
            asm.emit(IF_EQUAL, _word(lowered[at:]), otherwise=f"{group} next")
        asm.jump(f"{name} found")
        asm.mark(f"{group} short")
        asm.emit(RETURN, UNDECIDED)
        asm.mark(f"{group} next")
    asm.emit(RETURN, UNDECIDED)
    asm.mark(f"{name} found")


def _look(asm: Assembler, group: str, places: range, words: Sequence[int]) -> None:
    """Compare what stands at some places with the words of a pattern; where one fits, X is the place."""
    for nth, place in enumerate(places):
        if nth % _CHECKED == 0:
            end = places[min(nth + _CHECKED, len(places)) - 1] + 4
            asm.emit(LOAD_LENGTH)
            asm.emit(IF_AT_LEAST, end, otherwise=f"{group} short")
        asm.emit(X_NUMBER, place)
        asm.emit(LOAD_WORD, place)
        asm.emit(OR, _LOWER)
        for distance, word in enumerate(words):
            asm.emit(IF_EQUAL, word, then=f"{group} {distance}")


def _by_letter(asm: Assembler, workers: int) -> None:
    """Return the number of the letter after our cookie; X is where the pattern of the branch begins."""
    asm.emit(LOAD_BYTE_AT_X, len(_BRANCH))
    for number, (low, high) in _runs(WORKER_LETTERS):
        name = f"letter {number}"
        asm.emit(IF_AT_LEAST, low, otherwise=f"not {name}")
        asm.emit(IF_GREATER, high, then=f"not {name}")
        asm.emit(SUBTRACT, low)
        asm.emit(ADD, number)
        asm.emit(MODULO, workers)
        asm.emit(RETURN_A)
        asm.mark(f"not {name}")
    asm.emit(RETURN, 0)  # no letter of ours: whom `owner` names


def _runs(letters: bytes) -> list[tuple[int, tuple[int, int]]]:
    """Return the stretches of letters that follow each other: number of the first one, first and last."""
    starts = [at for at, letter in enumerate(letters) if at == 0 or letter != letters[at - 1] + 1]
    ends = [*starts[1:], len(letters)]
    return [(start, (letters[start], letters[end - 1])) for start, end in zip(starts, ends, strict=True)]


def _by_hash(asm: Assembler, workers: int, longest: int) -> None:
    """Return the worker of the Call-ID, `matching.owner`'s arithmetic; X is where its line begins.

    The number that the value's bytes make, modulo HASH_MODULUS, byte by byte. Since the modulus has 24 bits,
    the remainder and one more byte fit into the accumulator; memory has it shifted, ready for the next one.
    """
    asm.emit(LOAD_BYTE_AT_X, len(_CALL_ID))
    asm.emit(IF_EQUAL, ord(" "), otherwise="value")
    asm.emit(X_TO_A)
    asm.emit(ADD, 1)
    asm.emit(A_TO_X)
    asm.mark("value")
    asm.emit(STORE_X, _START)
    asm.emit(LOAD_NUMBER, 0)
    asm.emit(STORE_A, _HASH)
    for at in range(longest + 1):
        asm.emit(LOAD_BYTE_AT_X, len(_CALL_ID) + at)
        asm.emit(IF_GREATER, ord(" "), then=f"byte {at}")
        asm.jump("end of value" if at else "undecided")
        asm.mark(f"byte {at}")
        if at == longest:
            break
        asm.emit(X_MEMORY, _HASH)
        asm.emit(ADD_X)
        asm.emit(MODULO, HASH_MODULUS)
        asm.emit(SHIFT_LEFT, 8)
        asm.emit(STORE_A, _HASH)
        asm.emit(X_MEMORY, _START)
    asm.mark("undecided")
    asm.emit(RETURN, UNDECIDED)
    asm.mark("end of value")
    asm.emit(LOAD_MEMORY, _HASH)
    asm.emit(SHIFT_RIGHT, 8)
    asm.emit(MULTIPLY, HASH_FACTOR)
    asm.emit(SHIFT_RIGHT, HASH_SHIFT)
    asm.emit(MODULO, workers)
    asm.emit(RETURN_A)
