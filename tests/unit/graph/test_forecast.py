"""What a tenant will probably need, by its ledger."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from m365audit.graph.forecast import expected_reports
from m365audit.graph.planning import KnownWindow
from m365audit.graph.values import Window

NOW = datetime(2026, 9, 14, tzinfo=UTC)
DAY = timedelta(days=1)


def row(collection: str, days_ago: int, records: int | None) -> KnownWindow:
    """Return a window of one day that was read."""
    begin = NOW - days_ago * DAY
    return KnownWindow(collection, collection, Window(begin, begin + DAY), "drained", records=records)


def test_who_was_never_read_is_not_known() -> None:
    assert expected_reports([], NOW) == 0
    assert expected_reports([row("audit_exchange", 1, 9_000_000), row("sign_ins_interactive", 1, None)], NOW) == 0


def test_a_day_takes_what_a_day_took_and_a_request_each() -> None:
    known = [row("sign_ins_interactive", day, 40_000) for day in (1, 2)]
    known += [row("sign_ins_non_interactive", day, 200_000) for day in (1, 2)]
    assert expected_reports(known, NOW) == pytest.approx(240 + 2)


def test_after_an_outage_there_is_more_to_read() -> None:
    known = [row("directory_audits", 5, 10_000)]
    assert expected_reports(known, NOW) == pytest.approx(4 * 11)
