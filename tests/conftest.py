"""What all tests share: which core they run against, and `--require-all`, which makes a skipped test a failed one."""

from __future__ import annotations

import gc
import os
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

# The sources, whether or not somebody has compiled them; tests/test_native.py says otherwise in processes of its own.
os.environ.setdefault("SIPVEIL_CORE", "pure")
from tap import CORE

settings.register_profile(
    "sipveil",
    # A loaded machine is no failure, and what decides whether a change lands tries the same examples every time.
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize="CI" in os.environ,
)
settings.load_profile("sipveil")


gc.disable()  # until all tests are collected: thousands of objects, none of which is garbage
TESTS = Path(__file__).parent
IN_A_ROW = {"real": "calls", "scripts": "commands", "tap": "commands", "test_packaging.py": "commands"}
"""Where tests start programs and watch the clock → the row in which they run one after another: two, side by side."""
COMPILED = "test_native.py"
"""What takes longest at a stretch but for the calls."""
BEGINNING = ("calls", COMPILED, "commands")
"""What each of the processes begins with; then come further parts of COMPILED, and then files as they are free."""
GIVING_WAY = {COMPILED: 5}
"""The niceness of what computes beside tests that watch the clock."""
GIVING_MOST_WAY = 10
"""That of all else: it gets a tenth of a core, or what is left, which is more than half of both."""


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Run everything on two cores, and what somebody asks for by name in this process."""
    everything = config.args_source is pytest.Config.ArgsSource.TESTPATHS
    return len(BEGINNING) if everything and (os.cpu_count() or 1) > 1 else 0


def _scope(nodeid: str) -> str:
    """Return what a test belongs to: a row, a part of COMPILED, or its file, for the fixtures that are shared there."""
    file, _, name = nodeid.partition("::")
    folder = file.removeprefix("tests/").split("/")[0]
    if folder == COMPILED:
        return name if "[apart:" in name else folder
    return IN_A_ROW.get(folder, file)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put first what is to begin first: the scheduler keeps the order."""
    rank = {scope: number for number, scope in enumerate(BEGINNING)}
    last = len(rank)
    items.sort(key=lambda item: rank.get(scope := _scope(item.nodeid), last + scope.startswith("tests/")))


def pytest_collection_finish() -> None:
    """Take what was read and collected out of the garbage collector's sight: it stays to the end."""
    gc.freeze()
    gc.enable()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Give way to what watches the clock, where both run at the same time."""
    folder = item.path.relative_to(TESTS).parts[0]
    if hasattr(item.config, "workerinput") and folder not in IN_A_ROW:
        way = GIVING_WAY.get(folder, GIVING_MOST_WAY)
        if os.getpriority(os.PRIO_PROCESS, 0) < way:
            os.setpriority(os.PRIO_PROCESS, 0, way)


class Scheduler(LoadScopeScheduling):
    """Keeps together what has to be.

    xdist's own way to say so, `xdist_group`, does nothing under pytest 9.2.
    """

    def _split_scope(self, nodeid: str) -> str:
        return _scope(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduler:
    """Give the work to the processes."""
    return Scheduler(config, log)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --require-all; SIPVEIL_REQUIRE_ALL=1 says the same."""
    text = "a skipped test is a failure (also: SIPVEIL_REQUIRE_ALL=1)"
    parser.addoption("--require-all", action="store_true", help=text)


def pytest_report_header() -> list[str]:
    """Say at the top which core is tested, and what will be skipped and why (exported by scripts/test)."""
    reason = os.environ.get("SIPVEIL_SKIP")
    return [f"core: {CORE}", *([f"tests with real programs are skipped: {reason}"] if reason else [])]


def _required(config: pytest.Config) -> bool:
    """Tell whether no test may be skipped."""
    return bool(config.getoption("--require-all")) or os.environ.get("SIPVEIL_REQUIRE_ALL", "0") not in ("", "0")


def _fail_if_skipped(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Make a skip a failure that still gives the reason; an expected failure stays one."""
    if report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, but everything is required: {report.longrepr}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Watch each test."""
    report = yield
    if _required(item.config):
        _fail_if_skipped(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Watch modules that skip themselves as a whole."""
    report = yield
    if _required(collector.config):
        _fail_if_skipped(report)
    return report
