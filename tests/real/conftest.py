"""Fixtures for tests with real processes, and their output beside a failure."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

pytest.register_assert_rewrite("tests.real.agent", "tests.real.harness", "tests.real.house", "tests.real.sipp")

from tests.real.harness import Lab, Sipveil  # noqa: E402 - its asserts shall say what they compared
from tests.real.house import House  # noqa: E402


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


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Return a running proxy for phones, shared by the tests of a file."""
    place = Lab(tmp_path_factory.mktemp("house"))
    try:
        made = House(place)
        yield made
        made.stop()
    finally:
        place.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what the processes wrote when a test fails."""
    report = yield
    if report.failed:
        for each in getattr(item, "funcargs", {}).values():
            place = each.lab if isinstance(each, House) else each
            if isinstance(place, Lab):
                report.sections += place.report()
    return report
