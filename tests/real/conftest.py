"""Fixtures for tests with real processes, and their output beside a failure."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

pytest.register_assert_rewrite("tests.real.agent", "tests.real.harness", "tests.real.sipp")

from tests.real.harness import Lab, Sipveil  # noqa: E402 - its asserts shall say what they compared


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """Return a place to start processes in; all of them are ended after the test."""
    place = Lab(tmp_path)
    try:
        yield place
    finally:
        place.close()


@pytest.fixture
def sipveil(lab: Lab) -> Iterator[Sipveil]:
    """Return a proxy, not yet configured; at the end it must stop cleanly and have logged nobody."""
    proxy = Sipveil(lab)
    yield proxy
    proxy.stop()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what the processes wrote when a test fails."""
    report = yield
    place = getattr(item, "funcargs", {}).get("lab")
    if report.failed and isinstance(place, Lab):
        report.sections += place.report()
    return report
