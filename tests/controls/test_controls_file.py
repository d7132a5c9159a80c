"""What is refused in ``controls.yml``, with file and line; and that its words fit together."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

from m365audit.controls import RuleFacts, load_controls
from m365audit.errors import RuleError
from m365audit.resources import data_dir
from m365audit.store.queries import read_queries

from .world import catalogue, rule_facts

SHIPPED = (data_dir("config") / "controls.yml").read_text("utf-8")


def refusal(tmp_path: Path, text: str, rules: tuple[RuleFacts, ...] | None = None) -> str:
    file = tmp_path / "controls.yml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(RuleError) as caught:
        load_controls(rule_facts() if rules is None else rules, file)
    return str(caught.value)


def line_of(text: str, words: str) -> int:
    return text[: text.index(words)].count("\n") + 1


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("rules: [granted-after-end]", "rules: [granted-after-the-end]", "'granted-after-the-end' is no rule; did you"),
        ("query: eu-share", "query: eu-shares", "'eu-shares' is no query; did you mean eu-share?"),
        ("query: eu-share", "query: unjudged", "'unjudged' is no query"),
        ("gates: [unjudged]", "gates: [requests]", "'requests' is no gate"),
        ("control: C01-2", "control: C01-1", "C01-1 stands twice"),
        ("control: C01-2", "control: C1-2", "'C1-2' is not the number of a control"),
        ("attestation: vendor_side", "attestation: vendors_side", "did you mean vendor_side?"),
        (
            "    query: eu-share\n",
            "    query: eu-share\n    attestation: no_source\n",
            "C10-2 has 2 ways to an outcome",
        ),
        ("    query: eu-share\n", "", "C10-2 has 0 ways to an outcome"),
        ("    object: website cookies\n", "", "C11-1 does not say what cannot be seen"),
        ("severity: critical", "severity: fatal", "'fatal' is not a known value"),
        ("owner: dpo", "owner: dpo\n    owners: x", "'owners' is not known here; did you mean owner?"),
        ("  vendor_side: only", "  vendor_sides: only", "vendor_side has no words"),
    ],
)
def test_fault_is_refused_with_its_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    text = SHIPPED.replace(old, new, 1)
    assert text != SHIPPED
    message = refusal(tmp_path, text)
    assert said in message
    assert re.search(r"controls\.yml:\d+", message)


def test_an_unknown_rule_is_named_with_its_line(tmp_path: Path) -> None:
    text = SHIPPED.replace("rules: [granted-after-end]", "rules: [gone]", 1)
    assert f"controls.yml:{line_of(text, 'rules: [gone]')} " in refusal(tmp_path, text)


def test_a_rule_that_names_an_unknown_control_is_refused(tmp_path: Path) -> None:
    rules = (*rule_facts(), RuleFacts("new-rule", controls=("C12-33",), file="use/new-rule.sql"))
    message = refusal(tmp_path, SHIPPED, rules)
    assert "use/new-rule.sql control: the rule names the control 'C12-33'" in message
    assert "did you mean C12-3" in message


def test_a_query_that_reads_an_unknown_rule_is_refused(tmp_path: Path) -> None:
    rules = tuple(rule for rule in rule_facts() if rule.id != "impersonation-granted")
    message = refusal(tmp_path, SHIPPED, rules)
    assert "queries/controls/exchange-rights.sql rules: 'impersonation-granted' is no rule" in message


def test_every_rule_that_a_query_reads_stands_in_its_header() -> None:
    for query in catalogue().queries:
        assert {rule.id for rule in rule_facts() if f"'{rule.id}'" in query.sql} <= set(query.rules), query.name
    assert {query.name for query in catalogue().queries if query.rules} == {
        "employee-consent", "exchange-rights", "marketing-after-end", "teams", "teams-calling",
    }  # fmt: skip


def test_every_rule_that_a_control_names_exists() -> None:
    assert catalogue().awaited == ()
    assert "awaited: []" in SHIPPED


def test_rules_and_controls_name_each_other() -> None:
    """A control may use a rule that names another one first, but what a rule names has to look at it in some way."""
    for rule in rule_facts():
        assert rule.controls, rule.id
        for number in rule.controls:
            (control,) = [each for each in catalogue().controls if each.control == number]
            names = {use.rule for use in catalogue().rules_of(control)}
            assert control.rules is None or rule.id in names


def test_the_policy_s_clauses_all_have_controls() -> None:
    assert {control.clause for control in catalogue().controls} == {str(number) for number in range(1, 17)}
    assert len(catalogue().controls) == 81


def words_of(text: str) -> set[str]:
    """Return the ``{words}`` of a sentence."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_every_sentence_is_said_somewhere_and_every_word_is_known() -> None:
    package = Path(__file__).parents[2] / "m365audit"
    sources = (*(package / "controls").glob("*.py"), package / "config" / "sentences.py")
    code = "".join(path.read_text("utf-8") for path in sources)
    said = code + "".join(query.sql for query in read_queries("controls"))
    for key in catalogue().sentences:
        assert f"'{key}'" in said or f'"{key}"' in said, key
    for query in read_queries("controls"):
        keys = {key for key in catalogue().sentences if f"'{key}'" in query.sql}
        assert keys, query.name
        facts = set(re.findall(r"'([a-z_]+)',", query.sql))
        # This word is a reason, too.
        reasons = set() if "'what'" in query.sql else {"definition_missing"}
        for key in keys - {"gap"} - reasons:
            assert words_of(catalogue().sentences[key]) <= facts | {"owner", "attach"}, (query.name, key)


def test_a_query_says_which_controls_it_answers() -> None:
    used = {
        query.name: {c.control for c in catalogue().controls if query.name in {c.query, *(c.gates or ())}}
        for query in catalogue().queries
    }
    assert {query.name: set(query.header["controls"]) for query in read_queries("controls")} == used


def test_there_is_no_score() -> None:
    assert "score" not in SHIPPED.replace("There is no score.", "")
