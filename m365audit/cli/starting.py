"""Commands for the first minutes: the demo, and a configuration to fill in."""

from __future__ import annotations

from pathlib import Path

import click

from m365audit.cli.evidence import print_outcome, run_pipeline, standing_imports
from m365audit.cli.session import errors_to_exit_codes, load, say, show, shown_path
from m365audit.resources import data_dir
from m365audit.simulator import write_world


@click.command()
@click.option(
    "--dir", "folder", type=click.Path(path_type=Path, file_okay=False), default=Path("m365audit-demo"),
    show_default=True, help="Where to write the invented world and what comes of it.",
)  # fmt: skip
@errors_to_exit_codes
def demo(folder: Path) -> None:
    """Audit an invented world: three tenants, four integrations, known wrongs.

    Writes log exports and a consent register as files, imports them, judges every access, and publishes a database
    and a report. Running it again finds everything already there.
    """
    say(f"writing an invented world to {folder} …")
    world = write_world(folder)
    loaded, policy = load(world.config)
    outcome = run_pipeline(loaded.settings, policy, standing_imports(loaded.settings), "demo")
    print_outcome(outcome, "text", brief=True)
    show(f"\nNext: open {shown_path(loaded.settings.publish / 'report.html')} in a browser, then try")
    show(f"  m365audit query --config {shown_path(world.config)} outside-accesses")


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path())
@errors_to_exit_codes
def init(folder: Path) -> None:
    """Write a commented configuration, a policy and one example consent record to FOLDER (default: here).

    Files that are there already are left alone.
    """
    wanted = {
        "m365audit.example.yaml": folder / "m365audit.yaml",
        "policy.yaml": folder / "policy.yaml",
        "consent.example.yaml": folder / "consent" / "example.yaml",
    }
    for source, target in wanted.items():
        if target.exists():
            say(f"{target} is there already and stays as it is")
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((data_dir("config") / source).read_bytes())
        show(str(target))
    say("next: put your tenant ids into m365audit.yaml, then `m365audit register check`")
