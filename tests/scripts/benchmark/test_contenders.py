"""How the proxies are started."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from scripts.benchmark import contenders
from scripts.benchmark.contenders import CONTENDERS, KAMAILIO_CONFIG, ends, kamailio_modules, kamailio_program
from scripts.benchmark.errors import BenchError


def test_ends_are_told_apart_by_address() -> None:
    found = ends()
    assert found.caller[0] != found.trunk[0]


def test_no_kamailio(monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence that says what to do."""
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    with pytest.raises(BenchError, match="apt-get install kamailio"):
        kamailio_program()
    monkeypatch.setattr(contenders, "KAMAILIO_MODULES", ("/nowhere",))
    with pytest.raises(BenchError, match=r"topoh\.so"):
        kamailio_modules()


def test_kamailio_does_all_of_the_job() -> None:
    """The rival is not made cheaper by leaving something out."""
    text = KAMAILIO_CONFIG.read_text()
    parts = ("topoh.so", '"mask_callid", 1', "uac_replace_from", '"restore_dlg", 1', "dlg_manage", "a=candidate:")
    assert [part for part in parts if part not in text] == []


@pytest.mark.parametrize("name", CONTENDERS)
def test_named_as_listed(name: str) -> None:
    assert CONTENDERS[name].name == name


def test_sipveil_answers(tmp_path: Path) -> None:
    with CONTENDERS["sipveil"].start(tmp_path, ends(), ()) as proxy:
        proxy.check()
