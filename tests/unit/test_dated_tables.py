"""Tables of law by date: what was in force on a day, what is refused, and that somebody has looked at them lately."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from m365audit.config import load_adequacy, load_clocks, months_after
from m365audit.config.dated import in_force, utc_day
from m365audit.errors import ConfigurationError
from m365audit.resources import data_dir

ADEQUACY = (data_dir("config") / "adequacy.yml").read_text("utf-8")


@pytest.mark.parametrize(
    ("code", "day", "expected"),
    [
        ("BR", date(2026, 1, 25), "third"),
        ("BR", date(2026, 1, 26), "adequate"),
        ("GB", date(2020, 12, 31), "eu"),
        ("GB", date(2021, 1, 1), "adequate"),
        ("GB", date(2025, 12, 27), "adequate"),
        ("GB", date(2025, 12, 28), "adequate"),
        ("GB", date(2031, 12, 27), "adequate"),
        ("GB", date(2031, 12, 28), "third"),
        ("US", date(2020, 7, 15), "adequate_conditional"),
        ("US", date(2021, 1, 1), "third"),
        ("US", date(2023, 7, 10), "adequate_conditional"),
        ("HR", date(2013, 6, 30), "third"),
        ("HR", date(2013, 7, 1), "eu"),
        ("NO", date(2026, 1, 1), "eea"),
        ("CH", date(2026, 1, 1), "adequate"),
        ("IN", date(2026, 1, 1), "third"),
    ],
)
def test_class_of_a_country_is_that_of_the_day(code: str, day: date, expected: str) -> None:
    held = [line.country_class for line in in_force(load_adequacy().countries, day) if line.code == code]
    assert held == ([] if expected == "third" else [expected])


def test_day_of_an_event_is_the_one_in_utc() -> None:
    assert utc_day(datetime.fromisoformat("2026-01-26T00:30:00+01:00")) == date(2026, 1, 25)
    with pytest.raises(ValueError, match="without a zone"):
        utc_day(datetime(2026, 1, 26))  # noqa: DTZ001  (that is the case)


def test_groups_are_those_of_the_day() -> None:
    now = load_adequacy().groups(date(2026, 1, 1))
    assert "GB" not in now["EU"]
    assert "GB" in load_adequacy().groups(date(2019, 1, 1))["EU"]
    assert now["EEA"] - now["EU"] == {"IS", "LI", "NO"}
    assert len([code for code in now["EU"] if code not in {"AX", "GF", "GP", "MF", "MQ", "RE", "YT"}]) == 27


@pytest.mark.parametrize(
    ("start", "law", "policy"),
    [
        ("2026-01-31", "2026-02-28", "2026-03-02"),
        ("2026-07-31", "2026-08-31", "2026-08-30"),
        ("2026-11-22", "2026-12-22", "2026-12-22"),
        ("2028-01-31", "2028-02-29", "2028-03-01"),
        ("2026-12-31", "2027-01-31", "2027-01-30"),
    ],
)
def test_month_and_days_are_not_the_same(start: str, law: str, policy: str) -> None:
    begin = datetime.fromisoformat(f"{start}T00:00:00+00:00")
    clocks = load_clocks()
    assert clocks.at("request.law", begin).after(begin).date().isoformat() == law
    assert clocks.at("request.policy", begin).after(begin).date().isoformat() == policy


def test_breach_hours_are_hours_in_utc() -> None:
    start = datetime(2026, 3, 28, 12, tzinfo=UTC)  # summer time begins in the night after
    clock = load_clocks().at("breach.authority", start)
    assert clock.text == "72 hours"
    assert clock.after(start) - start == timedelta(hours=72)


def test_business_days_leave_weekends_out() -> None:
    friday = datetime(2026, 11, 20, 9, tzinfo=UTC)
    assert load_clocks().at("view.medium", friday).after(friday) == datetime(2026, 11, 27, 9, tzinfo=UTC)
    assert months_after(friday, 14).isoformat() == "2028-01-20T09:00:00+00:00"


def test_no_clock_is_guessed() -> None:
    assert load_clocks().find("breach.authority", date(2018, 5, 24)) is None
    with pytest.raises(ConfigurationError, match=r"no clock breach\.authority was in force on 2018-05-24"):
        load_clocks().at("breach.authority", date(2018, 5, 24))


def test_a_change_of_the_law_is_a_line(tmp_path: Path) -> None:
    old = "{clock: breach.authority, amount: 72, unit: hours, valid_from: 2018-05-25,"
    text = (data_dir("config") / "clocks.yml").read_text("utf-8")
    new = old.replace("valid_from", "valid_until: 2027-06-01, valid_from")
    later = "  - {clock: breach.authority, amount: 96, unit: hours, valid_from: 2027-06-01, source: a new law}\n"
    text = text.replace(old, new) + later
    (tmp_path / "clocks.yml").write_text(text, encoding="utf-8")
    clocks = load_clocks(tmp_path)
    assert [clocks.at("breach.authority", date(2027, month, 1)).amount for month in (5, 6)] == [72, 96]


@pytest.mark.parametrize("own", [None, 3])
def test_a_file_from_before_a_clock_was_added_has_the_products_own(tmp_path: Path, own: int | None) -> None:
    lines = (data_dir("config") / "clocks.yml").read_text("utf-8").splitlines(keepends=True)
    text = "".join(line for line in lines if "clock: evidence.listing" not in line and "clock: view.medium" not in line)
    if own is not None:
        text += f"  - {{clock: evidence.listing, amount: {own}, unit: days, valid_from: 2027-01-01, source: ours}}\n"
    (tmp_path / "clocks.yml").write_text(text, encoding="utf-8")
    clocks = load_clocks(tmp_path)
    assert clocks.at("evidence.listing", date(2027, 2, 1)).amount == (own or 7)
    assert (clocks.find("evidence.listing", date(2026, 12, 1)) is None) == (own is not None), (
        "one line of its own: its word"
    )
    assert clocks.find("view.medium", date(2027, 2, 1)) is None, "a clock that was taken out stays out"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("code: CH,", "code: CX1,", "'CX1' is not a country code"),
        ("class: adequate, decision: 2000/518/EC", "class: fine, decision: 2000/518/EC", "'fine' is not a known value"),
        ("valid_until: 2031-12-28", "valid_until: 2025-12-28", "ends before it begins"),
        ("valid_until: 2025-12-28", "valid_until: 2026-12-28", "two lines of 'GB' hold on the same day"),
        ("verified_on: 2026-11-22", "verified_on: soon", "'soon' is not a day"),
        ("verified_on: 2026-11-22\n", "", "the key verified_on is missing"),
        ("schema: m365audit.adequacy/1", "schema: m365audit.adequacy/2", "m365audit.adequacy/1"),
        ("countries:\n", "countries: [\n", "this is not YAML"),
    ],
)
def test_an_unreadable_table_is_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in ADEQUACY
    (tmp_path / "adequacy.yml").write_text(ADEQUACY.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigurationError, match="cannot be used") as caught:
        load_adequacy(tmp_path)
    assert said in str(caught.value)
    assert "adequacy.yml:" in str(caught.value)


def test_a_table_beside_the_policy_is_read_instead(tmp_path: Path) -> None:
    assert load_adequacy(tmp_path).verified_on == load_adequacy().verified_on
    (tmp_path / "adequacy.yml").write_text(ADEQUACY.replace("verified_on: 2026-11-22", "verified_on: 2026-12-01"))
    assert load_adequacy(tmp_path).verified_on == date(2026, 12, 1)


def test_somebody_compared_the_tables_with_their_sources_lately() -> None:
    """This test fails by itself one day: then compare both tables with their sources and set ``verified_on``."""
    today = datetime.now(UTC).date()
    for table in (load_adequacy(), load_clocks()):
        assert today - table.verified_on <= timedelta(days=table.verify_within_days)
