"""Builds a twin: copies the sources, translates them, compiles the C, and puts the result in place at once."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from scripts.native.errors import CompileError
from scripts.native.finals import with_finals
from scripts.native.translate import Extension, read
from tap.native import FOLDER, ROOT, checksum

PACKAGES = ("proxy", "filters")
STAY_PYTHON = ("__init__", "resolver", "transport")
"""How the names of files begin that are not compiled: no code, or half of each line is a call of Twisted's."""
SUFFIX = sysconfig.get_config_var("EXT_SUFFIX")
KEEP = 3
"""Twins that are kept, so that going back and forth between two branches compiles nothing."""

Progress = Callable[[str, int, int], None]
"""(what is done, how many of it are, of how many)"""


def modules(root: Path = ROOT) -> list[str]:
    """Return the files that mypyc compiles, from the root: all but those that are written in C besides."""
    paths = (path for package in PACKAGES for path in sorted((root / package).glob("*.py")))
    return [
        path.relative_to(root).as_posix()
        for path in paths
        if not path.name.startswith(STAY_PYTHON) and not path.with_suffix(".c").exists()
    ]


def written_in_c(root: Path = ROOT) -> list[str]:
    """Return the C files, from the root; each has its module's name, and takes its place."""
    return [path.relative_to(root).as_posix() for package in PACKAGES for path in sorted((root / package).glob("*.c"))]


def build(progress: Progress, *, force: bool = False, root: Path = ROOT, folder: Path = FOLDER) -> Path:
    """Return the folder of the twin of these sources; made if it is not there, or if forced.

    Raises:
        CompileError: with a sentence that says what is missing.
    """
    twin = folder / checksum(root)
    if twin.is_dir() and not force:
        return twin
    compiler = c_compiler()
    folder.mkdir(exist_ok=True)
    with _workshop(folder) as work:
        for package in (*PACKAGES, "config"):
            shutil.copytree(root / package, work / package, ignore=shutil.ignore_patterns("__pycache__"))
        if checksum(work) != twin.name:
            raise CompileError("the sources changed while they were copied; start again")
        progress("translating to C", 0, 0)
        for name in modules(work):
            (work / name).write_text(with_finals((work / name).read_text()))
        _translate(work)
        made = work / "made"
        _compile(compiler, [*read(work), *map(extension, written_in_c(work))], work, made, progress)
        if twin.exists():
            shutil.rmtree(twin)
        made.rename(twin)
    _forget_old(folder)
    return twin


@contextmanager
def _workshop(folder: Path) -> Iterator[Path]:
    """Yield a folder to work in, on the same disk as the twin; a rename puts that in place."""
    with tempfile.TemporaryDirectory(prefix="making-", dir=folder) as name:
        yield Path(name)


def c_compiler() -> list[str]:
    """Return the C compiler that Python itself was compiled with, or what $CC says, as words of a command.

    Raises:
        CompileError: there is none, or Python's headers are missing.
    """
    words = shlex.split(os.environ.get("CC") or str(sysconfig.get_config_var("CC")))
    if shutil.which(words[0]) is None:
        raise CompileError(f"there is no C compiler ({words[0]}); on Debian: apt-get install build-essential")
    if not (_headers() / "Python.h").is_file():
        raise CompileError("the headers of Python (Python.h) are missing; on Debian: apt-get install python3-dev")
    return words


def _headers() -> Path:
    return Path(sysconfig.get_path("include"))


def _translate(work: Path) -> None:
    """Let mypyc write C.

    Raises:
        CompileError: mypyc could not; its own words are in the message.
    """
    command = [sys.executable, "-m", "scripts.native.translate", *modules(work)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "1", "SIPVEIL_CORE": "pure"}
    done = subprocess.run(command, check=False, cwd=work, env=environment, capture_output=True, text=True)  # noqa: S603
    if done.returncode:
        words = [line for line in (done.stdout + done.stderr).splitlines() if "warning: " not in line]
        raise CompileError("mypyc cannot compile these sources:\n" + "\n".join(words[-20:]))


def _compile(
    compiler: Sequence[str], extensions: Sequence[Extension], work: Path, made: Path, progress: Progress
) -> None:
    """Compile and link, the longest files first so that no core waits for the last.

    Raises:
        CompileError: the compiler could not.
    """
    jobs = [(each, source) for each in extensions for source in each.sources]
    jobs.sort(key=lambda job: -(work / job[1]).stat().st_size)
    objects: dict[str, str] = {}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        waiting = [
            (source, pool.submit(_object, compiler, each, work, work / "build" / f"{number}.o", source))
            for number, (each, source) in enumerate(jobs)
        ]
        for number, (source, result) in enumerate(waiting, 1):
            objects[source] = result.result()
            progress("compiling", number, len(jobs))
    for each in extensions:
        library = made.joinpath(*each.name.split(".")).with_suffix(SUFFIX)
        library.parent.mkdir(parents=True, exist_ok=True)
        _run([*compiler, "-shared", *(objects[source] for source in each.sources), "-o", str(library)], work)


def extension(source: str) -> Extension:
    """Return what is to be made of a C file that is a module by itself, given from the root."""
    return Extension(source.removesuffix(".c").replace("/", "."), [source], [], [], ["-O2", "-Wall", "-Wextra"])


def _object(compiler: Sequence[str], extension: Extension, work: Path, target: Path, source: str) -> str:
    """Compile one file; -fwrapv and -DNDEBUG are what Python's own extensions have."""
    folders = [*extension.include_dirs, "build", str(_headers())]
    macros = [key if value is None else f"{key}={value}" for key, value in extension.macros]
    _run(
        [*compiler, "-fPIC", "-fwrapv", "-DNDEBUG", *extension.flags, *(f"-I{name}" for name in folders),
         *(f"-D{macro}" for macro in macros), "-c", source, "-o", str(target)], work,
    )  # fmt: skip
    return str(target)


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, check=False, cwd=folder, capture_output=True, text=True)  # noqa: S603
    if done.returncode:
        raise CompileError(f"the C compiler failed ({shlex.join(command[:1])}):\n{done.stderr[-2000:]}")


def _forget_old(folder: Path) -> None:
    """Remove all twins but the last few."""
    twins = sorted((path for path in folder.iterdir() if "-" not in path.name), key=lambda path: -path.stat().st_mtime)
    for path in twins[KEEP:]:
        shutil.rmtree(path, ignore_errors=True)
