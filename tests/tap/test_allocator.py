"""The allocator's settings, in a process of their own."""

from __future__ import annotations

import ctypes
import platform
import subprocess
import sys

import pytest

from tap import allocator

# A block of 8 MiB is taken and given back, and then one of 1 MiB is taken: the last line tells whether it is the
# system's own (mallinfo2(3), hblkhd).
BLOCKS = """
import ctypes
class Info(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in "arena ordblks smblks hblks hblkhd use fsm uord ford keep".split()]
asked = ctypes.CDLL(None).mallinfo2
asked.restype = Info
held = bytearray(8 << 20)
del held
before = asked().hblkhd
block = bytearray(1 << 20)
print(asked().hblkhd > before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the setting is glibc's: this C library has none")
@pytest.mark.parametrize(("wish", "own"), [("", "False"), ("from tap.allocator import give_back; give_back()", "True")])
def test_a_large_block_is_the_systems_own_whatever_was_freed_before(wish: str, own: str) -> None:
    """In processes of their own: the test's keeps its settings. Without the wish glibc's threshold has moved."""
    done = subprocess.run([sys.executable, "-c", wish + BLOCKS], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == own


def test_another_c_library_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    class Other:
        """A C library without mallopt."""

    monkeypatch.setattr(ctypes, "CDLL", lambda _: Other())
    assert allocator.give_back() is False
