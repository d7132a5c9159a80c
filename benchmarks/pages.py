"""Asks the review page for its pages, over a small world, and prints the CPU seconds of each.

Run: python -m benchmarks.pages [--rounds 4]

Each page is asked for twice: after something was written to the journal, so that everything is read anew, and again.
What counts is CPU seconds of this process, in which the page is served; the least of all rounds.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from web.serving import ANNA, NOW, Browser, publish, serving, settings_in  # noqa: E402 - as above

from m365audit.config import Settings  # noqa: E402 - runs from a checkout, whose tests have the world
from m365audit.store.journal import Draft, open_journal  # noqa: E402 - as above


def _write(settings: Settings, number: int) -> None:
    """Put an entry into the journal, as any decision does."""
    with open_journal(settings.state) as journal:
        draft = Draft("view", "any", f"any-{number}", "opened", ANNA, {})
        journal.append(draft, expected_version=None, at=NOW)


def _cost(browser: Browser, path: str) -> float:
    began = time.process_time()
    answer = browser.get(path)
    spent = time.process_time() - began
    if answer.status_code != 200:  # noqa: PLR2004 - of HTTP
        raise SystemExit(f"{path} answered {answer.status_code}")
    return spent


def _measure(settings: Settings, rounds: int) -> dict[str, tuple[float, float]]:
    """Return for each page what it costs after an entry of the journal, and again."""
    costs: dict[str, list[tuple[float, float]]] = {}
    with serving(settings) as served:
        browser = served.browser(ANNA)
        found = re.search(r'href="(/findings/[^"?]+/[^"?]+)"', browser.get("/findings").text)
        pages = {
            "a finding": found[1] if found else "/findings",
            **{path: path for path in ("/findings", "/controls", "/")},
        }
        for number in range(rounds):
            for place, (name, path) in enumerate(pages.items()):
                _write(settings, number * len(pages) + place)
                costs.setdefault(name, []).append((_cost(browser, path), _cost(browser, path)))
    return {name: (min(first for first, _ in each), min(again for _, again in each)) for name, each in costs.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=4)
    rounds = parser.parse_args().rounds
    with TemporaryDirectory() as folder:
        settings = settings_in(Path(folder))
        publish(settings)
        costs = _measure(settings, rounds)
    print(f"{'page':<12}{'after an entry':>16}{'again':>10}   CPU seconds")
    for name, (first, again) in costs.items():
        print(f"{name:<12}{first:>16.3f}{again:>10.3f}")


if __name__ == "__main__":
    main()
