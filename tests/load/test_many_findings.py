"""What overwhelms: many pieces in one finding, many findings, many tenants; counts stay right and every cut is said."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import duckdb
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks import many_findings
from m365audit import rules
from m365audit.report.room import COMMANDS
from m365audit.store.sandbox import LockedDatabase

SIZE = 3_000


def flooded(folder: Path, case: many_findings.Case) -> Path:
    """Generate a flood, run the rules, publish; return the published database."""
    many_findings.generate(folder, case, SIZE)
    many_findings.track(folder, many_findings.run_rules(folder))
    return folder / "publish" / "m365audit.duckdb"


def rendered(published: Path, form: str, section: str | None = None) -> str:
    with LockedDatabase(published, is_read_only=True) as locked:
        return b"".join(many_findings.pieces(locked, form, section)).decode("utf-8")


def ask(published: Path, sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(published), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return connection.execute(sql).fetchall()


def test_all_events_are_the_evidence_of_one_finding(tmp_path: Path) -> None:
    published = flooded(tmp_path, many_findings.Case("one", 1))
    assert ask(published, "SELECT rule, evidence_count, is_seen FROM findings") == [("used-not-recorded", SIZE, True)]
    page = rendered(published, "html")
    assert "Evidence: the first 20 and the last of 3,000" in page
    assert "2,979 more in between" in page
    assert len(rendered(published, "csv", "evidence").splitlines()) == SIZE + 1


def test_every_event_is_a_finding(tmp_path: Path) -> None:
    published = flooded(tmp_path, many_findings.Case("many", SIZE))
    counts = "SELECT (SELECT count(*) FROM findings), (SELECT count(*) FROM finding_evidence)"
    assert ask(published, counts) == [(SIZE, SIZE)]
    page = rendered(published, "html")
    assert "200 of 3,000 findings are shown, the gravest first; 2,800 more" in page
    assert "500 of 3,000 cells are shown, the gravest ones; 2,500 more" in page
    assert "150 of 3,000 kinds of use outside the record are shown" in page
    assert "2,988 more integrations</a>, 2,988 of them with use outside the record" in page
    assert len(page) < 3_000_000
    assert len(rendered(published, "csv", "findings").splitlines()) == SIZE + 1
    assert len(rendered(published, "csv", "cells").splitlines()) == SIZE + 1


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three hundred tenants with ten apps each, and five hundred files with trouble."""
    return flooded(tmp_path_factory.mktemp("wide"), many_findings.Case("wide", SIZE, 300, 500))


def test_a_wide_report_stays_small_and_says_what_it_leaves_out(wide: Path) -> None:
    page = rendered(wide, "html")
    assert len(page) < 3_000_000
    assert "25 of 300 tenants are shown, those that need it most; 275 more" in page
    assert "15 of 300 tenants are shown, the worst covered ones; 285 more" in page
    assert "296 more tenants, 296 of them with use outside the record" in page
    assert "100 of 500 files are shown, refused ones first; 400 more" in page
    assert ">3,000</a></dd>" in page  # uses outside: the total does not shrink with what is listed


@pytest.mark.parametrize("name", COMMANDS)
def test_what_shows_the_rest_works(wide: Path, name: str) -> None:
    words = shlex.split(COMMANDS[name])
    if words[1] == "query":
        ask(wide, words[words.index("--sql") + 1])
    else:
        assert rendered(wide, "csv", words[words.index("--section") + 1])


def test_evidence_of_what_nobody_could_look_at_is_kept(tmp_path: Path) -> None:
    published = flooded(tmp_path, many_findings.Case("one", 2))
    before = ask(published, "SELECT * FROM finding_evidence ORDER BY ALL")
    for kept in (before, []):
        blind = tmp_path / "blind.duckdb"
        blind.write_bytes(published.read_bytes())
        many_findings.generate_blind(blind, tmp_path)
        if not kept:
            published.unlink()
        many_findings.track(tmp_path, many_findings.run_rules(tmp_path))
        assert ask(published, "SELECT * FROM finding_evidence ORDER BY ALL") == kept
        states = "SELECT DISTINCT state, change, is_seen, evidence_count FROM findings"
        assert ask(published, states) == [("open", "unchanged", False, SIZE // 2)]
        page = rendered(published, "html")
        assert "This run could not look at it again, so it stays open." in page
        assert ("Of its 1,500 pieces of evidence 0 are still at hand" in page) == (not kept)
        assert ("This publication holds none of them" in page) == (not kept)


def test_a_rule_that_spoke_resolves_and_lets_the_evidence_go(tmp_path: Path) -> None:
    published = flooded(tmp_path, many_findings.Case("one", 2))
    blind = tmp_path / "blind.duckdb"
    blind.write_bytes(published.read_bytes())
    many_findings.generate_blind(blind, tmp_path)
    ((tenant,),) = ask(tmp_path / "publish" / ".unfinished-0.duckdb", "SELECT tenant_id FROM tenants")
    said = rules.RuleOutcome(str(tenant), "used-not-recorded", "clean", None, 0, is_covered=True)
    many_findings.run_rules(tmp_path)
    many_findings.track(tmp_path, rules.RuleResults((said,), {}))
    assert ask(published, "SELECT DISTINCT state, evidence_count FROM findings") == [("resolved", SIZE // 2)]
    assert ask(published, "SELECT count(*) FROM finding_evidence") == [(0,)]
    assert "evidence is kept while a finding is open" in rendered(published, "html")
