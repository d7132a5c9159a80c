"""Commands for the first minutes: the demo, and a configuration to fill in."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from m365audit.cli.collected import collected_line
from m365audit.cli.evidence import print_outcome, run_pipeline, standing_imports
from m365audit.cli.session import load, shown_path
from m365audit.cli.streams import say, show_lines
from m365audit.config import Settings
from m365audit.pipeline import Wanted
from m365audit.resources import data_dir

_COLLECTIONS: Final = 2
"""The first reads everything, the second, a simulated day later, finds it settled."""
_PACE: Final = 200.0
"""How fast time passes for Microsoft's limits in the demo: its service's clock is simulated as well."""


@click.command()
@click.option(
    "--dir", "folder", type=click.Path(path_type=Path, file_okay=False), default=Path("m365audit-demo"),
    show_default=True, help="Where to write the invented world and what comes of it.",
)  # fmt: skip
def demo(folder: Path) -> None:
    """Audit an invented world, live: three tenants, four integrations, known wrongs.

    Starts a small simulated Microsoft 365 on this machine (loopback, TLS), signs in to its tenants with a certificate
    and with secrets, collects what they log and what they granted, waits until the simulated clock has moved on by a
    day, and collects again: what did not change is settled. Graph activity logs come as files, as a diagnostic setting
    writes them. Then every access is judged, and a database and a report are published. Invented people decide on some
    findings, and say that they are invented. No account is needed, and nothing leaves this machine. Running it again
    finds everything already there.
    """
    from m365audit.simulator.demonstration import demonstration  # noqa: PLC0415 - a server, for this command alone

    say("starting a simulated Microsoft 365 on this machine …")
    with demonstration(folder) as show:
        world = show.world
        loaded, policy = load(world.config)
        wanted = Wanted(loaded.settings.tenants, (), *show.watched, pace=_PACE)
        imports, tenants = standing_imports(loaded.settings), len(loaded.settings.tenants)
        *earlier, last = show.live.collected_at[:_COLLECTIONS]
        for moment in show.collections(_COLLECTIONS):
            when = f"{moment:%-d %B %H:%M}"
            say(f"it is {when} there: collecting from {tenants} tenants at {show.simulator.origin} …")
            outcome = run_pipeline(
                loaded.settings,
                policy,
                [] if moment in earlier else imports,
                "demo",
                wanted=wanted,
                evaluate=moment == last,
            )
            show_lines([f"{when}: {collected_line(outcome)}"])
    print_outcome(outcome, "text", brief=True)
    _show_decided(loaded.settings)
    page, config = shown_path(loaded.settings.publish / "report.html"), shown_path(world.config)
    show_lines(
        [
            "",
            f"Next: open {page} in a browser; page 1 says what is wrong, what is not known, what to do first.",
            "Then decide: the same report live, with evidence, decisions, a second person and breach cases:",
            f"  m365audit serve --config {config}",
            "Or ask the database:",
            f"  m365audit query --config {config} outside-accesses",
        ]
    )


def _show_decided(settings: Settings) -> None:
    """Let the demo's people decide, the first time, so that page 1 shows a world in which somebody is at work."""
    from m365audit.pipeline import demonstrating  # noqa: PLC0415 - for this command alone

    taken = demonstrating.decide(settings, datetime.now(UTC))
    if taken:
        show_lines([
            "",
            f"{taken} steps of invented people (demo:dpo, demo:analyst, demo:risk_owner) are in the journal: a breach",
            "whose clock runs, an accepted risk that ends soon, a false positive, a repair, a request, two statements,",
            "and a decision that waits for a second person: you. `m365audit findings list --waiting` shows it.",
        ])  # fmt: skip


_WRITTEN: Final = {
    "m365audit.example.yaml": "m365audit.yaml",
    "policy.yaml": "policy.yaml",
    "consent.example.yaml": "consent/example.yaml",
    "schemas/settings.schema.json": "schemas/settings.schema.json",
    "schemas/policy.schema.json": "schemas/policy.schema.json",
    "schemas/consent.schema.json": "schemas/consent.schema.json",
}
"""Shipped file → where it goes. The schemas are what the files' first lines name: editors check with them."""


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path())
def init(folder: Path) -> None:
    """Write a commented configuration, a policy and one example consent record to FOLDER (default: here).

    Files that are there already are left alone. The folder `schemas` is for editors that complete and check YAML.

    Hours, days and countries of the law come with the product; a `clocks.yml` or `adequacy.yml` beside the policy goes
    first.
    """
    for source, place in _WRITTEN.items():
        target = folder / place
        if target.exists():
            say(f"{target} is there already and stays as it is")
            continue
        content = (data_dir("config") / source).read_bytes()
        if target.parent != folder and target.suffix == ".yaml":
            content = content.replace(b"$schema=schemas/", b"$schema=../schemas/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        show_lines([str(target)])
    say(f"next: put your tenant's id and credential into {folder / 'm365audit.yaml'}")
    say(f"and the commitments of your own privacy policy into {folder / 'policy.yaml'}: one company's stand there now")
    say("then: `m365audit doctor` says what may be read, `m365audit register check` whether the records are right")
