"""Counters: closed labels, and every place that counts uses them."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from proxy.counters import COUNTERS, METHODS, Counters, CounterSpec
from proxy.parse import KNOWN_METHODS

CORE_FILES = sorted((Path(__file__).parents[2] / "proxy").glob("*.py"))
BY_NAME = {spec.name.removeprefix("sipveil_").removesuffix("_total"): spec for spec in COUNTERS}


@pytest.mark.parametrize("spec", COUNTERS, ids=lambda spec: spec.name)
def test_a_counter_is_named_as_prometheus_wants(spec: CounterSpec) -> None:
    """Prefix, unit suffix, a sentence of help, and a closed set of labels."""
    assert spec.name.startswith("sipveil_")
    assert spec.name.endswith("_total")
    assert spec.help.endswith(".")
    assert len(set(spec.values)) == len(spec.values) > 0


def test_every_known_method_has_a_label() -> None:
    """And all others share one: a method is the sender's text."""
    assert {method.decode() for method in KNOWN_METHODS} | {"other"} == set(METHODS)


def _literal_counts() -> list[tuple[str, str, set[str]]]:
    found = []
    for path in CORE_FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "add":
                owner = node.func.value
                if getattr(owner, "attr", getattr(owner, "id", "")) != "counters" or not node.args:
                    continue
                name, label = node.args
                if isinstance(name, ast.Constant):
                    labels = {
                        leaf.value
                        for leaf in ([label] if isinstance(label, ast.Constant) else [])
                        if isinstance(leaf.value, str)
                    }
                    found.append((path.name, str(name.value), labels))
    return found


def test_every_count_in_the_core_has_its_row() -> None:
    """A name or label that is in no CounterSpec would be invisible at scrape."""
    counts = _literal_counts()
    assert len(counts) > 10
    for file, name, labels in counts:
        assert name in BY_NAME, file
        assert labels <= set(BY_NAME[name].values), (file, labels)


def test_counting_is_adding_one() -> None:
    """Plain integers, by name and label."""
    counters = Counters()
    counters.add("dropped", "late")
    counters.add("dropped", "late")
    counters.add("dropped", "keepalive")
    assert counters.values == {("dropped", "late"): 2, ("dropped", "keepalive"): 1}
