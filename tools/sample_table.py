"""Prints what becomes of every real sample: each is imported into a store of its own, by the way that users go.

Usage: python tools/sample_table.py SAMPLES_FOLDER [FILE…]

SAMPLES_FOLDER holds MANIFEST.csv. Nothing is written outside a temporary folder; the table goes to standard output as
Markdown, and ends with the totals. Fails when a count differs from the manifest's, or an account does not add up.
"""

from __future__ import annotations

import csv
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from m365audit import pipeline
from m365audit.config import load_policy, load_settings
from m365audit.pipeline import Import, Step
from m365audit.store.arrivals import Landed

TENANT: Final = "11111111-1111-4111-8111-111111111111"
HEADER: Final = ("file", "events", "kind", "records", "stored", "duplicate", "quarantined", "outcome", "message")
HOLDS_NONE: Final = "negative"
"""Samples that hold no event, by what their manifest says of their kind."""


class _Quiet:
    def file(self, landed: Landed, number: int, total: int) -> None:
        """Say nothing."""

    def working(self, path: str, doing: str, done: int, total: int) -> None:
        """Hear of the progress in a file."""

    def skipped(self, path: Path, reason: str) -> None:
        """Say nothing: a sample named itself is never skipped."""

    def stage(self, name: str) -> None:
        """Say nothing."""

    def gathering(self, step: Step) -> None:
        """Nothing is collected."""


def land(sample: Path) -> Landed:
    """Import one file into a new store and return what became of it."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "m365audit.yaml").write_text(f"tenants: [{{id: {TENANT}, name: Samples}}]\n", encoding="utf-8")
        (home / "policy.yaml").write_text("schema: m365audit.policy/1\n", encoding="utf-8")
        (home / "consent").mkdir()
        settings = load_settings(home / "m365audit.yaml").settings
        wanted = [Import(sample, TENANT)]
        policy = load_policy(settings.policy)
        return pipeline.run(settings, policy, wanted, _Quiet(), command="import", evaluate=False).landed[0]


def manifest(folder: Path, wanted: list[str]) -> Iterator[tuple[str, str, int]]:
    """Yield name, kind and number of events of each sample, as its manifest has them."""
    with (folder / "MANIFEST.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if not wanted or row["file"] in wanted:
                yield row["file"], row["kind"], int(row["events"])


def problem(kind: str, events: int, landed: Landed) -> str:
    """Return what is wrong with how a sample was taken, empty when nothing is."""
    if landed.records != landed.stored + landed.duplicate + landed.quarantined:
        return "the account does not add up"
    if landed.outcome == "refused":
        return "" if landed.message else "refused without a word"
    if kind == HOLDS_NONE:
        return "something of it was stored" if landed.stored else ""
    return "" if landed.records == events else f"{landed.records} records of {events} events"


def main(folder: Path, wanted: list[str]) -> int:
    """Print the table; return 1 when something is wrong."""
    lines, wrong = [], []
    totals = dict.fromkeys(("imported", "partial", "refused"), 0)
    for name, kind, events in manifest(folder, wanted):
        landed = land(folder / name)
        totals[landed.outcome] += 1
        cells = (
            name, events, landed.kind or "", landed.records, landed.stored, landed.duplicate, landed.quarantined,
            landed.outcome, landed.message.replace("|", "\\|"),
        )  # fmt: skip
        lines.append("| " + " | ".join(str(cell) for cell in cells) + " |")
        if said := problem(kind, events, landed):
            wrong.append(f"{name}: {said}")
    sys.stdout.write("| " + " | ".join(HEADER) + " |\n" + "|---" * len(HEADER) + "|\n" + "\n".join(lines) + "\n\n")
    sys.stdout.write(f"{len(lines)} files: " + ", ".join(f"{count} {name}" for name, count in totals.items()) + ".\n")
    sys.stderr.write("".join(f"{line}\n" for line in wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
