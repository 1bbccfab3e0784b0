"""Prefixes that are dialled in front of a number say one thing each."""

from __future__ import annotations

from collections.abc import Iterator

from config.draft import EACH, Draft, texts
from config.lines import Path
from config.problem import Mistake
from config.settings import Emergency


def prefix_mistakes(draft: Draft) -> Iterator[Mistake]:
    """Yield each prefix that both withholds and shows, and each that begins an emergency number.

    Where one prefix begins another, the longer is tried first, so that is no contradiction.
    """
    withhold = {text: path for path, text in texts(draft, "privacy", "withhold", EACH)}
    show = texts(draft, "privacy", "show", EACH)
    for path, text in show:
        if text in withhold:
            wrong = f'"{text}" cannot show the number and withhold it:'
            yield Mistake(path, wrong, "leave it out of one", withhold[text])
    numbers: list[tuple[Path | None, str]] = [*texts(draft, "emergency", "numbers", EACH)]
    numbers = numbers or [(None, number) for number in Emergency().numbers]
    for path, text in [*((path, text) for text, path in withhold.items()), *show]:
        for there, number in numbers:
            if text and number.startswith(text):
                wrong = f'"{text}" begins the emergency number {number}' + (":" if there else "")
                yield Mistake(path, wrong, "take a prefix that no number begins with, such as *67", there)
