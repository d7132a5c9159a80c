"""What is too old goes from every byte, what a hold keeps stays, and what remains is judged as before."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from landed import TENANT, Desk

from m365audit.config import load_policy, load_settings
from m365audit.errors import ReviewError
from m365audit.pipeline import holding, retention
from m365audit.pipeline.retention import PurgeResult, before, keeping
from m365audit.pipeline.verification import verify
from m365audit.store.journal import Actor

from .aged import GONE, evidence
from .marked import every_value, search

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
ADDRESSES = ("203.0.113.141", "2001:db8:77:1::beef")
BERT, CARLA = Actor("os:bert", "bert", "Bert", (), "os"), Actor("os:carla", "carla", "Carla", (), "os")


@pytest.fixture(scope="module")
def taken_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A desk with evidence of three ages, each with marks of its own."""
    desk = Desk(tmp_path_factory.mktemp("aged") / "desk")
    desk.run(*evidence(desk), evaluate=True)
    return desk.folder


@pytest.fixture
def aged(taken_in: Path, tmp_path: Path) -> Desk:
    """That desk, for a test of its own."""
    shutil.copytree(taken_in, tmp_path / "desk")
    return Desk(tmp_path / "desk")


def _purge(desk: Desk, *, is_applied: bool = True, at: datetime = NOW) -> PurgeResult:
    policy = load_policy(desk.settings.policy)
    result = retention.purge(desk.settings, policy, actor=BERT, is_applied=is_applied, at=at)
    if result.is_done:
        desk.run(evaluate=True)
    return result


def _folders(desk: Desk) -> list[Path]:
    return [desk.settings.state, desk.settings.publish]


def _remaining(desk: Desk) -> list[tuple[object, ...]]:
    return desk.published(
        "SELECT feed, event_id, verdict, reasons FROM judged_accesses WHERE occurred_at >= TIMESTAMPTZ '2025-06-15' "
        "ORDER BY ALL"
    )


def test_what_is_too_old_is_in_no_byte_and_the_rest_is_judged_as_before(aged: Desk) -> None:
    assert {needle for _, needle in search(_folders(aged), GONE + ADDRESSES)} == {*GONE, *ADDRESSES}
    verdicts = _remaining(aged)
    assert verdicts
    stored = aged.ask("SELECT sum(stored) FROM sources")
    result = _purge(aged)
    assert result.purged.rows == {"landed_calls": 1, "landed_records": 3, "sightings": 1}
    assert search(_folders(aged), GONE + ADDRESSES) == []
    assert _remaining(aged) == verdicts
    there = "(SELECT count(*) FROM landed_calls) + (SELECT count(*) FROM landed_records)"
    assert aged.ask(f"SELECT {there} + (SELECT sum(records) FROM removals)") == stored  # noqa: S608 - no value in it
    text = every_value(aged.settings.state / "m365audit.duckdb").decode()
    assert all(kept in text for kept in ("203.0.113.0", "2001:db8:77::", "192.0.2.55", "203.0.113.142"))


def test_coverage_says_that_it_was_removed_and_no_finding_resolves_by_it(aged: Desk) -> None:
    before_findings = aged.published("SELECT finding_id FROM findings WHERE state = 'open' ORDER BY 1")
    _purge(aged)
    states = aged.published("SELECT DISTINCT feed, state FROM coverage WHERE reason = 'purged_by_retention' ORDER BY 1")
    assert ("graph_activity", "gap") in states
    assert ("sign_ins_interactive", "gap") in states
    after = aged.published("SELECT finding_id FROM findings WHERE state = 'open' ORDER BY 1")
    assert set(before_findings) <= set(after)
    assert aged.published("SELECT sum(accesses) FROM kept_use") != [(None,)]
    assert [check for check in verify(aged.settings) if check.state == "damaged"] == []


def test_purging_again_changes_nothing(aged: Desk) -> None:
    _purge(aged)
    values = every_value(aged.settings.state / "m365audit.duckdb")
    again = _purge(aged)
    assert again.purged.total == 0
    assert every_value(aged.settings.state / "m365audit.duckdb") == values


def test_a_dry_run_counts_and_changes_nothing(aged: Desk) -> None:
    result = _purge(aged, is_applied=False)
    assert result.purged.total > 5
    assert not result.is_done
    assert len(search(_folders(aged), GONE)) >= len(GONE)


@pytest.mark.parametrize(("what", "kept"), [("tenant", GONE), ("feed:graph_activity", ("old-marker-call",))])
def test_a_hold_keeps_what_it_names(aged: Desk, what: str, kept: tuple[str, ...]) -> None:
    holding.set_hold(aged.settings, TENANT, what, reason="lawsuit 2026/44 is going on", until=NOW + timedelta(days=30),
                     actor=BERT, now=NOW)  # fmt: skip
    _purge(aged)
    assert {needle for _, needle in search(_folders(aged), GONE)} >= set(kept)
    _purge(aged, at=NOW + timedelta(days=31))  # a hold ends by itself
    assert search(_folders(aged), GONE) == []


def test_a_hold_is_released_by_another_person_only(aged: Desk) -> None:
    held = holding.set_hold(aged.settings, TENANT, "tenant", reason="lawsuit 2026/44 is going on",
                            until=NOW + timedelta(days=30), actor=BERT, now=NOW)  # fmt: skip
    with pytest.raises(ReviewError, match="the same person"):
        holding.release_hold(aged.settings, TENANT, held.hold_id, reason="it was settled today", actor=BERT, now=NOW)
    holding.release_hold(aged.settings, TENANT, held.hold_id, reason="it was settled today", actor=CARLA, now=NOW)
    assert holding.active_holds(aged.settings.state, NOW) == []


@pytest.mark.parametrize(
    ("what", "reason", "days", "wanted"),
    [("ann@contoso.example", "r" * 30, 9, "cannot be held"), ("tenant", "short", 9, "has 5 characters"),
     ("tenant", "r" * 30, 400, "twelve months"), ("tenant", "r" * 30, -1, "twelve months"),
     ("feed:nothing", "r" * 30, 9, "cannot be held")],
)  # fmt: skip
def test_a_hold_that_says_too_little_is_refused(aged: Desk, what: str, reason: str, days: int, wanted: str) -> None:
    with pytest.raises(ReviewError, match=wanted):
        holding.set_hold(aged.settings, TENANT, what, reason=reason, until=NOW + timedelta(days=days), actor=BERT,
                         now=NOW)  # fmt: skip
    assert holding.holds(aged.settings.state) == []


@pytest.mark.parametrize(
    ("moment", "period", "wanted"),
    [("2026-03-31", "P1M", "2026-02-28"), ("2024-02-29", "P1Y", "2023-02-28"), ("2026-01-15", "P12M", "2025-01-15"),
     ("2026-01-15", "P30D", "2025-12-16"), ("2026-11-22", "P3Y", "2023-11-22")],
)  # fmt: skip
def test_how_long_ago(moment: str, period: str, wanted: str) -> None:
    assert before(datetime.fromisoformat(f"{moment}T17:00:00+00:00"), period) == datetime.fromisoformat(
        f"{wanted}T00:00:00+00:00"
    )


def test_what_is_kept_follows_the_policy_unless_configured(aged: Desk) -> None:
    (aged.folder / "policy.yaml").write_text(
        'clauses: [{number: "9", title: Retention}]\n'
        'retention: [{clause: "9", category: system_logs, duration: P6M}]\n',
        encoding="utf-8",
    )
    policy = load_policy(aged.settings.policy).policy
    assert keeping(aged.settings, policy).logs == "P6M"
    with aged.config.open("a", encoding="utf-8") as config:
        config.write("privacy: {keep_logs: P9M, keep_addresses: P7D}\n")
    kept = keeping(load_settings(aged.config).settings, policy)
    assert (kept.logs, kept.addresses, kept.aggregates) == ("P9M", "P7D", "P3Y")


def test_damage_is_told_in_a_sentence(aged: Desk) -> None:
    assert {check.state for check in verify(aged.settings)} == {"whole"}
    kept = next(path for path in (aged.settings.state / "spool").rglob("*.json") if path.is_file())
    kept.write_bytes(kept.read_bytes() + b" ")
    (aged.settings.publish / "report.html").write_text("nothing is wrong", encoding="utf-8")
    damaged = {check.name: check.sentences for check in verify(aged.settings) if check.state == "damaged"}
    assert len(damaged) == 2
    assert any("another hash" in sentence for sentences in damaged.values() for sentence in sentences)
