"""Where wishes for privacy outlive a restart and kill -9: `proxy/wish_table.py` in a file that all workers map.

What a worker writes there the others see at once, and the system keeps it, whichever process dies; no thread and no
transaction is between. The supervisor maps it before it forks, if there is a recorder by then; else each worker does so
when a reload brings the first one. Room on the disk is taken at the start, since a page that finds none later would end
the process.

What cannot be used keeps nobody from starting: recordings tell all participants as private then, and the log says so.
"""

from __future__ import annotations

import mmap
import os
import stat
from pathlib import Path

from twisted.logger import Logger

from config.settings import Settings
from config.statefile import StateFile, StateFileError
from proxy.wish_table import FOREVER, WishTable, in_memory, is_table, size_of

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_HEAD = 64
"""Bytes that tell whether a file is such a table."""


class WishFileError(StateFileError):
    """The file of wishes cannot be used."""


class WishFile:
    """The file of one configuration, and its memory once it is mapped."""

    def __init__(self, settings: Settings, log: Logger) -> None:
        """Open nothing yet; the state folder and the number of workers stay, whatever a reload brings."""
        self._path = wishes_path(settings)
        self._workers = settings.workers
        self._life = settings.limits.max_dialog_age
        self._log = log
        self._block: memoryview | None = None
        self._lost = False
        """Whether there may be calls that the file does not know of, and nobody has been told so there."""

    def map(self) -> None:
        """Map the file, made if need be; what is wrong with it is logged, and asked for again by `table`."""
        try:
            self._block = self._mapped()
        except (StateFileError, OSError) as error:
            self._lost = True
            reason = str(error) if isinstance(error, StateFileError) else error.strerror
            self._log.error("wishes for privacy are not kept, recordings tell all as private: {reason}", reason=reason)

    def table(self, worker: int, wall: float) -> WishTable:
        """Return a worker's view of the file at wall (Unix seconds); where it cannot be used, one that is strict."""
        if self._block is None:
            self.map()
        if self._block is None:
            table = in_memory()
            table.is_shared = False
            table.be_strict(FOREVER)
            return table
        table = WishTable(self._block, worker, self._workers)
        table.begin(int(wall))
        if self._lost:
            self._lost = False
            table.be_strict(int(wall) + self._life)
        return table

    def _mapped(self) -> memoryview:
        """Return the memory of the file.

        Raises:
            StateFileError: the folder cannot be used, or others have access to the file.
            OSError: the file cannot be opened, made or mapped.
        """
        with StateFile(self._path, WishFileError).locked():
            descriptor = self._opened()
            try:
                if not self._is_usable(descriptor):
                    self._lost = True
                    self._log.error(
                        "{path} is no table of wishes for privacy and made anew: recordings tell all as private for "
                        "{life} s", path=str(self._path), life=self._life,
                    )  # fmt: skip
                    self._path.unlink()
                    os.close(descriptor)
                    descriptor = self._opened()
                os.posix_fallocate(descriptor, 0, size_of())
                return memoryview(mmap.mmap(descriptor, size_of()))
            finally:
                os.close(descriptor)

    def _opened(self) -> int:
        return os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)

    def _is_usable(self, descriptor: int) -> bool:
        """Tell whether a file is empty or such a table.

        Raises:
            StateFileError: others have access to it.
        """
        found = os.fstat(descriptor)
        mode = stat.S_IMODE(found.st_mode)
        if mode & _OTHERS:
            raise WishFileError(f"{self._path}: others may access it (mode {mode:04o}); chmod 600 {self._path}")
        return not found.st_size or (found.st_size == size_of() and is_table(os.pread(descriptor, _HEAD, 0)))


def wishes_path(settings: Settings) -> Path:
    """Return the file of wishes for privacy."""
    return Path(settings.state_dir) / "privacy-wishes"
