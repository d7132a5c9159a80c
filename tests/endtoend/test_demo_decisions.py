"""The demo's invented people: every step that they take is let through, shows, is theirs, and is taken once."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from m365audit.config import load_settings
from m365audit.pipeline import casework, demonstrating, reviewing
from m365audit.pipeline.reviewing import FindingKey
from m365audit.simulator.demonstration_decisions import STEPS
from m365audit.store.journal import Actor, open_journal

from .audited import Audited

NOW = datetime.now(UTC)


def test_everything_is_decided_once_by_invented_people_and_shows(audited: Audited, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    shutil.copytree(audited.world.folder, folder)
    settings = load_settings(folder / "m365audit.yaml").settings

    assert demonstrating.decide(settings, NOW) == len(STEPS)
    assert demonstrating.decide(settings, NOW + timedelta(hours=1)) == 0

    with open_journal(settings.state) as journal:
        entries = journal.entries()
    assert {entry.actor.how for entry in entries} == {"os"}
    assert all(entry.actor.id.startswith("demo:") and entry.actor.name.endswith("(demo)") for entry in entries)
    assert all(entry.body["reason"].startswith("Demo:") for entry in entries if entry.body.get("reason"))
    with reviewing.open_reviewed(settings, NOW) as database:
        decided = dict(
            database.execute("SELECT decision, count(*) FROM findings WHERE decision IS NOT NULL GROUP BY 1")
        )
        waiting = database.execute("SELECT tenant_id, finding_id FROM findings WHERE pending = 'explained'")
        ends = database.execute("SELECT expires_at FROM finding_reviews WHERE decision = 'accepted'")
    assert decided == {"accepted": 1, "confirmed": 1, "false_positive": 1, "remediating": 1}
    assert timedelta(0) < ends[0][0] - NOW < timedelta(days=14)
    ((case,), (request,)) = (casework.all_cases(settings), casework.all_requests(settings))
    assert case.is_running
    assert request.is_running
    page = (settings.publish / "report.html").read_text(encoding="utf-8")
    assert case.case_id in page
    assert "demo:" not in page

    ((tenant, finding),) = waiting
    visitor = Actor("os:visitor", "os:visitor", "Visitor", (), "os")
    key = FindingKey(str(tenant), str(finding))
    reviewing.approve(settings, visitor, key, "I have read the annex and agree.", expected_version=None, now=NOW)
    assert sum(entry.kind == "attestation" for entry in entries) == 2
