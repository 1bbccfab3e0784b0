"""Files, pipes and secrets."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from tap.input_file import MAX_SECRETS, InputFileError, open_input, secrets


def test_files_and_pipes(tmp_path: Path) -> None:
    """Both can be read twice."""
    (tmp_path / "file").write_bytes(b"one")
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=lambda: (tmp_path / "pipe").write_bytes(b"one"))
    writer.start()
    for name in ("file", "pipe"):
        with open_input(str(tmp_path / name)) as stream:
            assert stream.read() == b"one"
            stream.seek(0)
            assert stream.read() == b"one"
    writer.join()


def test_what_cannot_be_read(tmp_path: Path) -> None:
    """Is named, with the reason."""
    with pytest.raises(InputFileError, match=r"absent: cannot be read: No such file"):
        open_input(str(tmp_path / "absent"))
    with pytest.raises(InputFileError, match="directory"):
        open_input(str(tmp_path))


def test_secrets(tmp_path: Path) -> None:
    """Of the command line first, then the file's: one a line, empty lines left out, any bytes."""
    file = tmp_path / "secrets"
    file.write_bytes(b"\xef\xbb\xbfone two \r\n\n\xff\xfe\xfd\n")
    assert secrets(("J\u00fcrgen", "b\udcff"), str(file)) == [
        "J\u00fcrgen".encode(),
        b"b\xff",
        b"one two",
        b"\xff\xfe\xfd",
    ]
    assert secrets((), None) == []
    with pytest.raises(InputFileError, match="secrets"):
        secrets(("abc",) * (MAX_SECRETS + 1), None)
