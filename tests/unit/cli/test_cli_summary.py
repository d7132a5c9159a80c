"""What a run says at its end about what was and what was not seen."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from m365audit.cli.collected import collected_line
from m365audit.cli.output import as_json
from m365audit.cli.summary import folded, outcome_facts, outcome_lines
from m365audit.pipeline import Collected, Outcome
from m365audit.pipeline.values import Gathered, Unseen

LICENCE = "Microsoft keeps this only with Entra ID P1; buy the licence, or accept the gap"


def day(number: int) -> datetime:
    return datetime(2026, 9, number, tzinfo=UTC)


def lost(begin: int, end: int, reason: str = "licence", detail: str = LICENCE) -> Unseen:
    return Unseen(day(begin), day(end), reason, detail)


def outcome_of(*tenants: Collected) -> Outcome:
    return Outcome((), None, tenants)


def contoso(*gathered: Gathered, refusal: str = "", links: int = 0) -> Collected:
    return Collected(
        "t1", "Contoso", refusal, is_signed_in=not refusal, refused_links=links,
        collections={each.collection: each for each in gathered},
    )  # fmt: skip


def test_counts_add_up_over_the_collections() -> None:
    outcome = outcome_of(contoso(Gathered("users", 1, 12, 12), Gathered("audit_exchange", 7, 100, 88, 11, 1)))
    assert outcome_lines(outcome, brief=False) == [
        "Contoso: 8 windows and listings, 112 records read = 100 stored + 11 duplicate + 1 quarantined",
        "  seen      users: 12 records",
        "  seen      audit_exchange: 100 records",
    ]
    assert len(outcome_lines(outcome, brief=True)) == 1
    assert collected_line(outcome) == (
        "collected from 1 tenant: 112 records read = 100 stored + 11 duplicate + 1 quarantined"
    )


def test_windows_that_were_not_seen_for_the_same_reason_are_told_once() -> None:
    kinds = [Gathered(name, unseen=[lost(day, day + 1) for day in range(1, 15)]) for name in ("a", "b")]
    assert outcome_lines(outcome_of(contoso(*kinds)), brief=True)[1:] == [
        "  NOT SEEN  a, b, 2026-09-01 00:00 to 2026-09-15 00:00 UTC (licence)",
        f"            {LICENCE}",
    ]


def test_what_was_seen_in_between_is_not_said_to_be_unseen() -> None:
    gathered = Gathered("a", 3, unseen=[lost(9, 10), lost(1, 2), lost(2, 3)])
    assert outcome_lines(outcome_of(contoso(gathered)), brief=True)[1] == (
        "  NOT SEEN  a, 2 times between 2026-09-01 00:00 and 2026-09-10 00:00 UTC (licence)"
    )


def test_each_reason_has_a_line_and_a_listing_no_time() -> None:
    gathered = Gathered("a", unseen=[lost(1, 2), lost(2, 3, "expired", ""), Unseen(None, None, "permission", "ask")])
    assert outcome_lines(outcome_of(contoso(gathered)), brief=True)[1:] == [
        "  NOT SEEN  a (permission)",
        "            ask",
        "  NOT SEEN  a, 2026-09-01 00:00 to 2026-09-02 00:00 UTC (licence)",
        f"            {LICENCE}",
        "  NOT SEEN  a, 2026-09-02 00:00 to 2026-09-03 00:00 UTC (expired)",
    ]


def test_who_did_not_let_the_auditor_in_and_where_it_was_sent_is_told() -> None:
    refused = contoso(refusal="the secret has expired; make a new one")
    assert outcome_lines(outcome_of(refused), brief=True) == [
        "Contoso: NOT LET IN: the secret has expired; make a new one"
    ]
    assert outcome_of(refused).is_locked_out
    midway = contoso(Gathered("a", 3, unseen=[lost(1, 2)]), refusal="its token was not taken any more")
    assert [line.partition(",")[0] for line in outcome_lines(outcome_of(midway), brief=True)] == [
        "Contoso: NOT LET IN: its token was not taken any more",
        "Contoso: 3 windows and listings",
        "  NOT SEEN  a",
        f"            {LICENCE}".partition(",")[0],
    ]
    assert "  REFUSED   2 links to places" in "\n".join(outcome_lines(outcome_of(contoso(links=2)), brief=True))
    assert "from 0 tenants" in collected_line(outcome_of(refused))


def test_json_says_the_same_with_times_as_text() -> None:
    gathered = Gathered("a", 1, 5, 5, unseen=[lost(2, 3), lost(1, 2), Unseen(None, None, "permission", "ask")])
    facts = json.loads(as_json(outcome_facts(outcome_of(contoso(gathered)))))
    assert facts["evaluation"] is None
    (tenant,) = facts["tenants"]
    assert (tenant["name"], tenant["is_signed_in"], tenant["refusal"]) == ("Contoso", True, "")
    assert tenant["collections"]["a"]["records"] == 5
    assert tenant["collections"]["a"]["unseen"] == [
        {"begin": None, "end": None, "reason": "permission", "detail": "ask"},
        {"begin": "2026-09-01T00:00:00Z", "end": "2026-09-03T00:00:00Z", "reason": "licence", "detail": LICENCE},
    ]


@pytest.mark.parametrize("width", [40, 60, 100])
def test_on_a_terminal_lines_break_between_words_below_their_text(width: int) -> None:
    gathered = [Gathered(f"sign_ins_{name}", unseen=[lost(1, 15)]) for name in ("interactive", "of_apps", "others")]
    lines = outcome_lines(outcome_of(contoso(*gathered)), brief=True)
    shown = folded(lines, width)
    assert all(len(line) <= width for line in shown)
    assert " ".join(" ".join(shown).split()) == " ".join(" ".join(lines).split())
    assert all(line.startswith(("Contoso", "  ")) for line in shown)
    assert folded(lines, None) == lines


def test_a_path_is_never_broken_and_an_empty_line_stays() -> None:
    path = f"Report:   /srv/{'a' * 100}/report.html"
    assert folded(["", path, "  1  within"], 50) == ["", "Report:", f"  /srv/{'a' * 100}/report.html", "  1  within"]
