"""The kernel's program, run by a machine of our own; the kernel itself runs it in test_transport_shared.py."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.matching import WORKER_LETTERS, owner
from proxy.steering import MOST_INSTRUCTIONS, REACHES, UNDECIDED, Assembler, Instruction, Reach, packed, steering
from tests import strategies as sip
from tests.proxy.test_matching import request

WORKERS = (2, 3, 4, 64)
PROGRAMS = {workers: steering(workers) for workers in WORKERS}
WORD = 0xFFFFFFFF


class Machine:
    """Classic BPF as Documentation/networking/filter.rst describes it, as much of it as the program uses."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.a = self.x = 0
        self.memory: dict[int, int] = {}

    def run(self, program: Sequence[Instruction]) -> int:
        at = 0
        while True:
            code, if_true, if_false, operand = program[at]
            at += 1
            if code in (0x06, 0x16):
                return operand if code == 0x06 else self.a
            if code in (0x20, 0x40, 0x50):
                size, place = 1 if code == 0x50 else 4, operand + (0 if code == 0x20 else self.x)
                if place + size > len(self.data):
                    return 0
                self.a = int.from_bytes(self.data[place : place + size], "big")
            elif code == 0x05:
                at += operand
            elif code in (0x15, 0x25, 0x35):
                met = {0x15: self.a == operand, 0x25: self.a > operand, 0x35: self.a >= operand}[code]
                at += if_true if met else if_false
            else:
                self.step(code, operand)

    def step(self, code: int, k: int) -> None:
        if code in (0x02, 0x03):
            self.memory[k] = self.a if code == 0x02 else self.x
        elif code in (0x01, 0x61, 0x07):
            self.x = {0x01: lambda: k, 0x61: lambda: self.memory[k], 0x07: lambda: self.a}[code]()
        else:
            self.a = WORD & {
                0x00: lambda: k, 0x60: lambda: self.memory[k], 0x80: lambda: len(self.data), 0x87: lambda: self.x,
                0x04: lambda: self.a + k, 0x0C: lambda: self.a + self.x, 0x14: lambda: self.a - k,
                0x24: lambda: self.a * k, 0x44: lambda: self.a | k, 0x64: lambda: self.a << k,
                0x74: lambda: self.a >> k, 0x94: lambda: self.a % k,
            }[code]()  # fmt: skip


def chosen(data: bytes, workers: int = 4) -> int:
    return Machine(data).run(PROGRAMS[workers])


def response(worker: int, status: bytes = b"200 OK", sent_by: bytes = b"192.0.2.1:5060") -> bytes:
    via = b"%b;branch=z9hG4bK%cAbCdEf.gh;received=192.0.2.1" % (sent_by, WORKER_LETTERS[worker])
    return request(via=via).replace(b"INVITE sip:bob@example.com SIP/2.0", b"SIP/2.0 " + status)


def call_ids() -> st.SearchStrategy[bytes]:
    """What phones, servers and Sipveil itself write."""
    return st.one_of(
        st.uuids().map(lambda each: str(each).encode()),
        st.from_regex(rb"[0-9]{1,9}-[0-9]{1,5}@127\.0\.0\.1", fullmatch=True),
        st.from_regex(rb"0015655e-a17b[0-9a-f]{4}-[0-9a-f]{8}-[0-9a-f]{8}@10\.1\.1\.23", fullmatch=True),
        st.from_regex(rb"[A-Za-z0-9_-]{22,64}", fullmatch=True),
        st.from_regex(rb"[!-~]{1,80}", fullmatch=True),
    )


# --- it decides as the owner does


@given(call_ids(), st.sampled_from(WORKERS), st.sampled_from([b"INVITE", b"ACK", b"CANCEL", b"BYE", b"REGISTER"]))
def test_a_request_goes_to_the_owner_of_its_call_id(call_id: bytes, workers: int, method: bytes) -> None:
    """The same hash, to the last bit."""
    data = request(method, call_id=call_id)
    assert chosen(data, workers) == owner(data, workers)


@given(st.sampled_from([b"Call-ID:", b"Call-Id: ", b"call-id: ", b"CALL-ID:"]), call_ids(), st.integers(0, 1200))
def test_however_it_is_written_and_wherever_it_stands(name: bytes, call_id: bytes, before: int) -> None:
    """In letters of any case, and at each of the places that a scan in steps could miss."""
    data = request(call_id=call_id).replace(b"Call-ID: ", b"Subject: " + b"x" * before + b"\r\n" + name)
    assert chosen(data) == owner(data, 4)


@given(st.integers(0, 63), st.sampled_from(WORKERS), st.integers(0, 160))
def test_a_response_goes_to_the_worker_of_our_branch(worker: int, workers: int, before: int) -> None:
    """Wherever the branch begins; also where there are fewer workers than there were."""
    data = response(worker, sent_by=b"x" * before + b".example.net:5060")
    assert chosen(data, workers) == worker % workers == owner(data, workers)


@given(sip.requests, st.sampled_from(WORKERS))
def test_generated_requests_go_to_their_owner_or_by_addresses(data: bytes, workers: int) -> None:
    """Whatever else is in them."""
    assert chosen(data, workers) in (owner(data, workers), UNDECIDED)


def test_what_only_looks_like_a_call_id_is_passed_over() -> None:
    """Another name with the same letters, in front."""
    for line in (b"Call-Info: <http://call-id:80/>", b"X-Call-ID: other", b"Subject: *call-info all-in-one"):
        data = request().replace(b"From:", line + b"\r\nUser-Agent: " + b"x" * 100 + b"\r\nFrom:")
        assert chosen(data) == owner(data, 4)


def test_the_first_call_id_counts() -> None:
    """A body may hold another message (message/sipfrag)."""
    data = request() + request(call_id=b"another")
    assert chosen(data) == owner(data, 4) == owner(request(), 4)


# --- it says so where it cannot tell


@pytest.mark.parametrize("name", [b"i: ", b"Call-ID : ", b"Call-ID: \r\n ", b"Call-ID:  ", b"Call-ID:\t"])
def test_odd_forms_are_left_to_user_space(name: bytes) -> None:
    """Compact, spaced, folded."""
    assert chosen(request().replace(b"Call-ID: ", name)) == UNDECIDED


def test_what_is_too_far_or_too_long_is_left_to_user_space() -> None:
    """As far as a program can look."""
    branch, call_id, value = REACHES[0]
    assert chosen(request().replace(b"Call-ID", b"Subject: " + b"x" * call_id + b"\r\nCall-ID")) == UNDECIDED
    assert chosen(request(call_id=b"x" * value)) != UNDECIDED
    assert chosen(request(call_id=b"x" * (value + 1))) == UNDECIDED
    assert chosen(response(1, sent_by=b"x" * (branch + 16))) == UNDECIDED


@pytest.mark.parametrize("data", [b"", b"\0", b"\r\n\r\n", b"\0" * 20, b"SIP/2.0 200 OK\r\n\r\n"])
def test_a_keepalive_has_an_owner(data: bytes) -> None:
    """Worker 0, for want of anything that it could be known by; not handed over."""
    assert chosen(data) == owner(data, 4) == 0


def test_a_letter_that_is_none_of_ours() -> None:
    """Whoever has changed our branch."""
    data = response(0).replace(b"z9hG4bKa", b"z9hG4bK!")
    assert chosen(data) == owner(data, 4) == 0


@given(st.one_of(st.binary(max_size=2000), sip.requests.flatmap(sip.mutations)))
def test_it_always_ends_with_a_worker_or_undecided(data: bytes) -> None:
    """Whatever comes."""
    assert chosen(data) in (0, 1, 2, 3, UNDECIDED)


@given(call_ids(), st.integers(0, 400), st.integers(0, 400))
def test_nor_does_a_cut_datagram_lead_it_astray(call_id: bytes, before: int, cut: int) -> None:
    """Loads from beyond the end."""
    data = request(call_id=call_id).replace(b"Call-ID", b"Subject: " + b"x" * before + b"\r\nCall-ID")
    assert chosen(data[: len(data) - cut]) in (0, 1, 2, 3, UNDECIDED)


# --- its form


@pytest.mark.parametrize("reach", REACHES)
def test_the_kernel_would_take_it(reach: Reach) -> None:
    """Within the limits of its checker: size, forward jumps to instructions that are there."""
    program = steering(64, reach)
    assert len(program) <= MOST_INSTRUCTIONS
    for at, (code, if_true, if_false, operand) in enumerate(program, 1):
        assert 0 <= if_true < 256 > if_false >= 0
        assert at + max(if_true, if_false, operand if code == 0x05 else 0) < len(program) or code in (0x06, 0x16)
    assert len(packed(program)) == 8 * len(program)


def test_what_is_too_long_is_an_error_of_ours() -> None:
    """Rather than a program that the kernel refuses, or one that jumps elsewhere."""
    asm = Assembler()
    asm.emit(0x15, 0, then="end")
    for _ in range(256):
        asm.emit(0x00)
    asm.mark("end")
    with pytest.raises(ValueError, match="too long a jump"):
        asm.program()
    for _ in range(MOST_INSTRUCTIONS):
        asm.emit(0x00)
    with pytest.raises(ValueError, match="too many instructions"):
        asm.program()
