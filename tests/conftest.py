"""What all tests share: which core they run against, and `--require-all`, which makes a skipped test a failed one."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

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


TESTS = Path(__file__).parent
IN_A_ROW = ("real", "scripts", "tap", "test_packaging.py")
"""Where tests start programs and watch the clock: one after another, beside one other test at most."""


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Run everything on two cores, and what somebody asks for by name in this process."""
    everything = config.args_source is pytest.Config.ArgsSource.TESTPATHS
    return 2 if everything and (os.cpu_count() or 1) > 1 else 0


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tell xdist what has to stay together, before it looks."""
    for item in items:
        folder = item.path.relative_to(TESTS).parts[0]
        if folder in IN_A_ROW:
            item.add_marker(pytest.mark.xdist_group("programs"))
        elif folder == "test_native.py":
            item.add_marker(pytest.mark.xdist_group("compiled"))


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
