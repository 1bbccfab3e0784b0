"""Small files of secrets: read only while private, replaced as a whole, one writer at a time."""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


class StateFileError(Exception):
    """A state file that cannot be trusted or used; says which and why, never what is in it."""


@dataclass(frozen=True, slots=True)
class StateFile:
    """A file in the state folder. What goes wrong is raised as `error`, so that callers tell their files apart."""

    path: Path
    error: type[StateFileError]

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder against other commands; make it (mode 0700) if it is not there.

        The lock is on the folder, because the file itself is replaced by every write.
        """
        descriptor = self._open_folder()
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def read(self) -> bytes | None:
        """Return the content, None where there is no such file; refuse it where others have any access."""
        try:
            with self.path.open("rb") as file:
                mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
                content = file.read()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self.error(f"{self.path}: cannot be read: {error.strerror}") from error
        if mode & _OTHERS:
            raise self.error(f"{self.path}: others may access it (mode {mode:04o}); chmod 600 {self.path}")
        return content

    def write(self, content: bytes) -> None:
        """Replace the file, mode 0600, so that a crash leaves either the old or the new. Only while `locked`."""
        fresh = self.path.with_name(f"{self.path.name}.new")
        try:
            fresh.unlink(missing_ok=True)  # what a crash left behind: under the lock it is nobody else's
            _create(fresh, content)
            fresh.replace(self.path)
            _sync(self.path.parent)
        except OSError as error:
            raise self.error(f"{self.path}: cannot be written: {error.strerror}") from error

    def _open_folder(self) -> int:
        """Open the folder, made if need be; what others may write to, others may replace."""
        folder = self.path.parent
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise self.error(f"{folder}: cannot be used as state folder: {error.strerror}") from error
        mode = stat.S_IMODE(os.fstat(descriptor).st_mode)
        if mode & _OTHERS_WRITE:
            os.close(descriptor)
            raise self.error(f"{folder}: others may write to it (mode {mode:04o}); chmod 700 {folder}")
        return descriptor


def _create(path: Path, content: bytes) -> None:
    """Write a new file that was never open to anybody else, down to the disk."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    """Make the new name outlast a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
