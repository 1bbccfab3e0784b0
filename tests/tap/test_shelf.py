"""The shelf holds what counts and what may count next, each whole."""

from __future__ import annotations

from pathlib import Path

from config.subscribers import Subscribers
from tap.candidate import Candidate, prepare
from tap.shelf import Shelf
from tap.state import prepare as start
from tests.tap.fakes import CONFIG, settings_of

OWN = '[headers."x-own"]\ncategory = "device"\n'


def candidate(folder: Path, trunk: str) -> Candidate:
    """Return what a reload makes of a configuration with a catalogue file and a trunk of this name."""
    (folder / "own.toml").write_text(OWN)
    settings = settings_of(folder, 'catalogue = ["own.toml"]\n' + CONFIG.replace("carrier", trunk))
    start(settings, 1000.0)
    return prepare(folder / "sipveil.toml", settings, Subscribers(), 1000.0)


def name(found: Candidate | None) -> str:
    return found.settings.trunks[0].name if found is not None else ""


def test_only_what_was_committed_counts(tmp_path: Path) -> None:
    """Laid, read, committed; laid again and dropped."""
    shelf, subscribers = Shelf(), Subscribers()
    assert shelf.current(subscribers) is None
    shelf.lay(candidate(tmp_path, "one"))
    assert (name(shelf.spare(subscribers)), shelf.current(subscribers)) == ("one", None)
    shelf.commit()
    assert name(shelf.current(subscribers)) == "one"
    for number in range(5):
        shelf.lay(candidate(tmp_path, f"more-{number}"))
        assert (name(shelf.spare(subscribers)), name(shelf.current(subscribers))) == (f"more-{number}", "one")
    shelf.commit()
    assert name(shelf.current(subscribers)) == "more-4"
    shelf.close()
    shelf.close()


def test_it_comes_back_as_it_was_whatever_the_files_say_by_now(tmp_path: Path) -> None:
    """Keys, retired trunks, hash; and the policy knows the operator's catalogue."""
    shelf = Shelf()
    laid = candidate(tmp_path, "one")
    shelf.lay(laid)
    (tmp_path / "own.toml").write_text("broken")
    (tmp_path / "sipveil.toml").write_text("broken")
    found = shelf.spare(Subscribers())
    assert found.settings == laid.settings
    assert (found.ring, found.retired, found.digest) == (laid.ring, laid.retired, laid.digest)
    assert found.catalogue == (OWN.encode(),)
    shelf.close()
