"""Commands for the first minutes: the demo, and a configuration to fill in."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from m365audit.cli.evidence import print_outcome, run_pipeline, standing_imports
from m365audit.cli.session import load, shown_path
from m365audit.cli.streams import say, show_lines
from m365audit.resources import data_dir
from m365audit.simulator import write_world


@click.command()
@click.option(
    "--dir", "folder", type=click.Path(path_type=Path, file_okay=False), default=Path("m365audit-demo"),
    show_default=True, help="Where to write the invented world and what comes of it.",
)  # fmt: skip
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
    page, config = shown_path(loaded.settings.publish / "report.html"), shown_path(world.config)
    show_lines(
        ["", f"Next: open {page} in a browser, then try", f"  m365audit query --config {config} outside-accesses"]
    )


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
    say(f"next: put your tenant's id into {folder / 'm365audit.yaml'}, then `m365audit register check`")
