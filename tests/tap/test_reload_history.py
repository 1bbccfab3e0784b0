"""Reloads on the metrics page."""

from __future__ import annotations

from prometheus_client import generate_latest

from tap.metrics import registry
from tap.reload_history import History


def test_what_runs_and_what_became_of_reloads() -> None:
    """All series are there from the start; one hash at a time."""
    history = History("aaaa", 1000.0)
    page = generate_latest(registry(history)).decode()
    assert "sipveil_configuration_generation 1.0\n" in page
    assert 'sipveil_reloads_total{result="ok"} 0.0\n' in page
    history.adopted("bbbb", 2000.0)
    history.refused()
    page = generate_latest(registry(history)).decode()
    assert "sipveil_configuration_generation 2.0\n" in page
    assert 'sipveil_configuration_info{hash="bbbb"} 1.0\n' in page
    assert "aaaa" not in page
    assert "sipveil_configuration_loaded_timestamp_seconds 2000.0\n" in page
    assert 'sipveil_reloads_total{result="ok"} 1.0\n' in page
    assert 'sipveil_reloads_total{result="refused"} 1.0\n' in page
