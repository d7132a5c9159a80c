"""A file with a broken line, all the way: no rule on its log is clean, and the report's first page says what lacks."""

from __future__ import annotations

import json
import re
from pathlib import Path

from click.testing import CliRunner, Result
from landed import TENANT, Desk, call

from m365audit.cli import main

RULE = "refused-attempts"
"""A rule that needs Graph activity alone, and finds nothing in two quiet calls."""
TOLD = "1 record(s) of 1 file(s) could not be taken in (table quarantine)"


def command(desk: Desk, *arguments: str) -> Result:
    return CliRunner().invoke(main, [arguments[0], "--config", str(desk.config), *arguments[1:]])


def imported(desk: Desk, path: Path) -> Result:
    return command(desk, "import", "--tenant", TENANT, str(path))


def outcome(desk: Desk) -> list[tuple[object, ...]]:
    """Return outcome, reason and coverage of the rule."""
    return desk.published(f"SELECT outcome, reason, is_covered FROM rule_outcomes WHERE rule = '{RULE}'")  # noqa: S608


def gaps(desk: Desk) -> list[tuple[object, ...]]:
    """Return the gaps of Graph activity."""
    return desk.published(
        "SELECT covered_from, covered_to, reason, detail FROM coverage WHERE feed = 'graph_activity' AND state = 'gap'"
    )


def page_one(desk: Desk) -> str:
    """Return the text of the report up to its second page."""
    page = (desk.settings.publish / "report.html").read_text(encoding="utf-8")
    return re.sub(r"<[^>]+>", " ", page.partition("</head>")[2].partition('id="changes"')[0])


def test_a_whole_file_is_clean_and_one_with_a_broken_line_is_not(desk: Desk) -> None:
    good = [json.dumps(call("1")), json.dumps(call("2"))]
    assert imported(desk, desk.write("calls.json", "\n".join(good))).exit_code == 0
    assert outcome(desk) == [("clean", None, True)]
    assert gaps(desk) == []
    assert "could not be taken in" not in page_one(desk)

    broken = desk.write("more.json", "\n".join([*good, '{"requestId": "3", "responseSta']))
    assert imported(desk, broken).exit_code == 4
    reason = f"graph_activity lacks records: {TOLD}"
    assert outcome(desk) == [("not_evaluated", reason, False)]
    assert gaps(desk) == [(None, None, "records_missing", TOLD)]
    assert "could not be taken in" in page_one(desk)
    document = json.loads(command(desk, "report", "--format", "json").stdout)
    (listed,) = [row for row in document["not_assessable"]["rules"] if row["rule"] == RULE]
    assert (listed["outcome"], listed["reason"]) == ("not_evaluated", reason)


def test_only_the_file_itself_mended_makes_the_rule_speak_again(desk: Desk) -> None:
    """Of another file nobody can tell whether the record that was broken is one that came with it."""
    broken = [json.dumps(call("1")), '{"requestId": "2", "responseSta']
    whole = "\n".join([broken[0], json.dumps(call("2"))])
    assert imported(desk, desk.write("calls.json", "\n".join(broken))).exit_code == 4
    assert imported(desk, desk.write("again.json", whole + "\n")).exit_code == 0
    assert outcome(desk) == [("not_evaluated", f"graph_activity lacks records: {TOLD}", False)]
    assert imported(desk, desk.write("calls.json", whole)).exit_code == 0
    assert (outcome(desk), gaps(desk)) == ([("clean", None, True)], [])
