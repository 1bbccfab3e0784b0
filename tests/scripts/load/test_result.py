"""A result as plain data."""

from __future__ import annotations

import json
from dataclasses import fields

from scripts.load.result import Leak, Result
from tests.scripts.load.results import GOOD, result


def test_every_field_is_there() -> None:
    """Nothing but what JSON has."""
    data = result(leaks=[Leak("cell", "INVITE", 2)]).as_json()
    assert set(data) == {field.name for field in fields(Result)}
    assert json.loads(json.dumps(data)) == data
    assert GOOD.as_json()["leaks"] == []
