"""The purge as it is typed: nothing is removed for good while nobody can read how long it may be kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from landed import Desk

from m365audit.cli import main

from .aged import GONE, evidence
from .marked import search

BROKEN = {
    "policy": ("policy.yaml", "retention: [{category: system_logs, duration: for ever}]\n"),
    "configuration": ("m365audit.yaml", "privacy: {keep_lags: P3Y}\n"),
}


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_nothing_is_removed_by_a_period_that_nobody_wrote(tmp_path: Path, name: str) -> None:
    desk = Desk(tmp_path / "desk")
    desk.run(*evidence(desk))
    file, text = BROKEN[name]
    with (desk.folder / file).open("a", encoding="utf-8") as opened:
        opened.write(text)
    found = search([desk.settings.state], GONE)
    result = CliRunner().invoke(main, ["purge", "--apply", "--config", str(desk.config)])
    assert result.exit_code == 2
    assert "nothing was removed" in result.stderr
    assert search([desk.settings.state], GONE) == found != []
    counted = CliRunner().invoke(main, ["purge", "--config", str(desk.config)])  # what it would do can be asked
    assert (counted.exit_code, "nothing was changed" in counted.stderr) == (0, True)
