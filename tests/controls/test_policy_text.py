"""What the policy's own text lacks: each weakness from its facts, and none from a text without it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
import yaml

from m365audit.config import Policy, load_adequacy, load_clocks, load_policy
from m365audit.config.commitments import RetentionCommitment
from m365audit.controls import policy_findings, policy_rows
from m365audit.controls.policy_text import CHECKS, read_texts
from m365audit.errors import ConfigurationError
from m365audit.resources import data_dir

SEED: Final = (data_dir("config") / "policy.yaml").read_text("utf-8")
OFFICER: Final = "{office: data_protection_officer, name: "
ALL: Final = "mail, calendar, contacts, teams_chat, teams_channel, teams_meeting, presence, telephony"
INTERESTS: Final = "purposes: [improving_services, security]"
MENDED: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "POL-01": ((OFFICER + "Michiel Klein Horsman", OFFICER + "A. Bakker"),),
    "POL-02": (('workloads: [contacts], clause: "2"}     #', f'workloads: [{ALL}], clause: "2"}}     #'),),
    "POL-03": (
        ('with_consent: true, clause: "6"', 'with_consent: true, of_consent: person, clause: "6"'),
        ("    with_consent: true\n", "    with_consent: true\n    of_consent: customer_administrator\n"),
    ),
    "POL-04": (("  # eu_share_min: 95", "  eu_share_min: 95"), ("  # safeguards:", "  safeguards:")),
    "POL-05": (
        ("object, withdraw_consent]", "object, withdraw_consent, complain, no_automated_decision]"),
        ("  # authority: Autoriteit", "  authority: Autoriteit"),
        ("  # postal_address:             # the text names a country only", "  postal_address: Kerkstraat 1, Utrecht"),
    ),
    "POL-06": (("processors: []", 'processors: [{name: Example Hosting B.V., clause: "6"}]'),),
    "POL-07": (("choice: browser_settings", "choice: opt_in"),),
    "POL-08": (("response: {days: 30,", "response: {days: 30, months: 1,"),),
    "POL-09": (("# role: {stated: [processor]", "role: {stated: [processor]"),),
    "POL-10": (("defines_material: false, states_version: false", "defines_material: true, states_version: true"),),
    "POL-11": ((INTERESTS, f"balancing_test: LIA-2025.pdf, {INTERESTS}"),),
}  # fmt: skip
"""For every weakness, what a better policy says instead."""


def found(tmp_path: Path, text: str) -> list[str]:
    file = tmp_path / "policy.yaml"
    file.write_text(text, encoding="utf-8")
    loaded = load_policy(file)
    assert loaded.problems == ()
    return [finding.rule for finding in policy_findings(loaded.policy, load_clocks())]


def mended(text: str, *rules: str) -> str:
    for rule in rules:
        for old, new in MENDED[rule]:
            assert old in text, old
            text = text.replace(old, new)
    return text


def test_the_seed_has_exactly_its_eleven_weaknesses(tmp_path: Path) -> None:
    assert found(tmp_path, SEED) == [f"POL-{number:02}" for number in range(1, 12)]


@pytest.mark.parametrize("rule", MENDED)
def test_each_is_gone_when_the_text_says_it(tmp_path: Path, rule: str) -> None:
    assert found(tmp_path, mended(SEED, rule)) == [name for name in MENDED if name != rule]


def test_a_policy_without_weaknesses_has_none(tmp_path: Path) -> None:
    assert found(tmp_path, mended(SEED, *MENDED)) == []


def test_one_person_in_two_spellings_is_one(tmp_path: Path) -> None:
    text = SEED.replace(
        "{office: data_protection_officer, name: Michiel Klein Horsman",
        "{office: data_protection_officer, name: 'michiel  KLEIN horsman'",
    )
    assert "POL-01" in found(tmp_path, text)


def test_days_that_no_month_undercuts_are_fine(tmp_path: Path) -> None:
    assert "POL-08" not in found(tmp_path, SEED.replace("response: {days: 30,", "response: {days: 28,"))
    assert "POL-08" in found(tmp_path, SEED.replace("response: {days: 30,", "response: {days: 29,"))


def test_titles_say_what_is_missing() -> None:
    titles = {
        each.rule: each.title
        for each in policy_findings(load_policy(data_dir("config") / "policy.yaml").policy, load_clocks())
    }
    assert titles["POL-02"].endswith("mail, calendar, teams_chat, teams_channel, teams_meeting, presence, telephony")
    assert titles["POL-04"].endswith("no share, no safeguard")
    assert titles["POL-08"].startswith("30 days")
    assert not any("{" in title for title in titles.values())


def test_a_policy_that_nobody_wrote_is_not_blamed(tmp_path: Path) -> None:
    rows = policy_rows(load_policy(tmp_path / "none.yaml"), load_adequacy(), load_clocks())
    assert rows["policy_findings"] == []
    assert policy_findings(Policy(), load_clocks()) != []


def test_rows_hold_facts_and_no_names() -> None:
    rows = policy_rows(load_policy(data_dir("config") / "policy.yaml"), load_adequacy(), load_clocks())
    facts = {str(row["key"]): row["value"] for row in rows["policy_commitments"]}
    assert facts["retention.system_logs.duration"] == "P12M"
    assert facts["persons.data_protection_officer.office"] == "data_protection_officer"
    periods = {str(row["key"]): row["period"] for row in rows["policy_commitments"] if row["period"] is not None}
    assert periods["retention.system_logs.duration"] == "12 months 0 microseconds"
    assert set(periods) == {key for key in facts if key.endswith(".duration")}
    assert "regions.eu_share_min" not in facts
    assert "Horsman" not in str(rows)
    assert {row["dated_table"]: row["verify_within_days"] for row in rows["dated_tables"]} == {
        "adequacy": 180,
        "clocks": 180,
    }


@pytest.mark.parametrize(
    ("written", "interval"),
    [
        ("P1Y6M", "18 months 0 microseconds"),
        ("P2W1DT12H", "0 months 1339200000000 microseconds"),
        ("PT720H", "0 months 2592000000000 microseconds"),
        ("P9999Y", "119988 months 0 microseconds"),
        ("P10000Y", None),
        ("P999999999Y999999999M", None),
        ("P99999999D", None),
    ],
)
def test_a_promised_time_is_an_interval_or_nothing(written: str, interval: str | None) -> None:
    kept = RetentionCommitment(clause="8", category="system_logs", duration=written)
    loaded = replace(load_policy(data_dir("config") / "policy.yaml"), policy=Policy(retention=(kept,)))
    rows = policy_rows(loaded, load_adequacy(), load_clocks())["policy_commitments"]
    assert [(row["value"], row["period"]) for row in rows if row["key"] == "retention.system_logs.duration"] == [
        (written, interval)
    ]


def test_every_check_has_its_words_and_no_other(tmp_path: Path) -> None:
    assert [entry.rule for entry in read_texts()] == list(CHECKS)
    texts = yaml.safe_load((data_dir("config") / "policy_findings.yml").read_text("utf-8"))
    texts["findings"][0]["rule"] = "POL-99"
    file = tmp_path / "policy_findings.yml"
    file.write_text(yaml.safe_dump(texts), encoding="utf-8")
    with pytest.raises(ConfigurationError, match="POL-99 is no check"):
        read_texts(file)
