"""Which core runs: the sources as they are, or the same sources compiled by `scripts/compile`.

The profile of the core is flat: what it costs is the interpreter. So proxy/ and filters/ have a compiled twin, made by
mypyc from the very same typed files (scripts/native). It lies in .native/, in a folder named by the checksum of all
that it was made from: a source that was edited since has another checksum, and its twin is simply not found.

What is compiled then comes first in the paths of the packages `proxy` and `filters`; what is not (their `__init__` and
where they meet Twisted) still comes from the sources. Where a C file stands beside a module (`proxy/scan.c`), that is
what was compiled in its place. The choice is made when `tap` is imported, which is before
anything of the core is.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from hashlib import sha256
from importlib import import_module, invalidate_caches
from pathlib import Path
from typing import NamedTuple

import filters
import proxy

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / ".native"
VARIABLE = "SIPVEIL_CORE"
"""`pure` or `native`; where it is not set, the compiled core runs if there is one of these sources."""
LIBRARY = "sipveil__mypyc"
"""The one library that holds all compiled modules; what lies in proxy/ and filters/ only points to it."""
_COMPILED = {"proxy": proxy, "filters": filters}
_SOURCES = ("proxy", "filters", "config")
"""config/ is not compiled, but its types are compiled in."""
_SUFFIXES = (".py", ".c")


class Core(NamedTuple):
    """The core of this process."""

    native: bool
    why: str = ""
    """Why it is not the compiled one, where that needs a word."""

    def __str__(self) -> str:
        """Return it for the log: `compiled`, `pure Python (…)`."""
        name = "compiled" if self.native else "pure Python"
        return f"{name} ({self.why})" if self.why else name


def checksum(root: Path = ROOT) -> str:
    """Return the name of the twin of these sources under this Python."""
    found = sha256(f"{sys.version} {sysconfig.get_config_var('SOABI')}".encode())
    files = (path for folder in _SOURCES for path in sorted((root / folder).iterdir()))
    for path in (path for path in files if path.suffix in _SUFFIXES):
        data = path.read_bytes()
        found.update(f"\n{path.relative_to(root).as_posix()} {len(data)}\n".encode() + data)
    return found.hexdigest()[:16]


def choose(wish: str | None, folder: Path = FOLDER) -> Core:
    """Let the core be what wish says, see VARIABLE, and return what it is.

    Raises:
        SystemExit: with a sentence, where the wish cannot be granted.
    """
    if wish == "pure":
        return Core(False, f"{VARIABLE}=pure")
    if wish not in (None, "", "native"):
        raise SystemExit(f"{VARIABLE} is {wish!r}; write pure or native, or leave it out")
    why_not = _use(folder)
    if wish == "native" and why_not is not None:
        raise SystemExit(
            f"{VARIABLE} is native, but {why_not or 'there is no compiled core; make it: scripts/compile'}"
        )
    return Core(why_not is None, why_not or "")


def _use(folder: Path) -> str | None:
    """Let imports find the compiled core; else return why not, empty where nobody ever made one."""
    if not folder.is_dir():
        return ""
    twin = folder / checksum()
    if not twin.is_dir():
        return "the compiled one is of other sources or another Python; make it anew: scripts/compile"
    if any(name.startswith(tuple(f"{package}." for package in _COMPILED)) for name in sys.modules):
        return "its modules were imported before anybody could choose"
    sys.path.append(str(twin))
    try:
        import_module(LIBRARY)
    except ImportError:
        return "the compiled one cannot be loaded; make it anew: scripts/compile --force"
    finally:
        sys.path.remove(str(twin))
    for name, package in _COMPILED.items():
        package.__path__.insert(0, str(twin / name))
    invalidate_caches()
    return None


CORE = choose(os.environ.get(VARIABLE))
