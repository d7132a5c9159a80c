"""What ``--help`` says, word for word, and what it costs. After a wanted change: run it with UPDATE_SNAPSHOTS=1."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from m365audit.cli import main

SNAPSHOT = Path(__file__).resolve().parents[2] / "snapshots" / "cli" / "help.txt"


def _commands(group: click.Group, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    context = click.Context(group)
    found = [path]
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        found += _commands(command, (*path, name)) if isinstance(command, click.Group) else [(*path, name)]
    return found


def _help(path: tuple[str, ...]) -> str:
    result = CliRunner().invoke(
        main, [*path, "--help"], terminal_width=100, max_content_width=100, prog_name="m365audit"
    )
    assert result.exit_code == 0
    return f"$ m365audit {' '.join((*path, '--help'))}\n{result.stdout}"


def test_help_is_as_it_was() -> None:
    text = "\n".join(map(_help, _commands(main)))
    if os.environ.get("UPDATE_SNAPSHOTS"):
        SNAPSHOT.parent.mkdir(parents=True, exist_ok=True)
        SNAPSHOT.write_text(text, encoding="utf-8")
    assert text == SNAPSHOT.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", _commands(main), ids=" ".join)
def test_every_option_is_explained(path: tuple[str, ...]) -> None:
    command: click.Command = main
    for name in path:
        assert isinstance(command, click.Group)
        command = command.get_command(click.Context(command), name) or pytest.fail(name)
    options = [option for option in command.params if isinstance(option, click.Option)]
    assert [option.name for option in options if not option.help] == []


def test_help_imports_nothing_heavy() -> None:
    heavy = ("duckdb", "pydantic", "jinja2", "yaml", "structlog", "m365audit.pipeline", "m365audit.config")
    start = (
        "import sys; from m365audit.cli import main\n"
        "try: main(['--help'])\n"
        f"except SystemExit: print([name for name in {heavy!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", start], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
