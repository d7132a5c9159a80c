"""What the loader refuses, and what it says about it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
from rule_database import MemoryDatabase

from m365audit.errors import RuleError
from m365audit.rules.loader import check_rule, load_hunts, load_rules

GOOD: Final = """\
/*---
id: example
version: 1
severity: high
title: "{app_id} was seen"
question: Who was here?
identity: [app_id]
needs: [graph_activity]
evidence: Accesses.
misses: The rest.
advice: Ask.
references: ["GDPR Art. 5(1)(b)", "Policy §5"]
---*/
SELECT
    tenant_id, app_id, feed, event_id, occurred_at, ['seen'] AS reasons,
    CAST(NULL AS VARCHAR) AS record, CAST(NULL AS VARCHAR) AS process
FROM access_events
"""

HEADER_FAULTS: Final = [
    ("/*---", "/*", "no_header"),
    ("id: example\n", "id: example\nid: other\n", "duplicate_key"),
    ("severity: high", "severity: {high: 1, high: 2}", "duplicate_key"),
    ("id: example", "id: other", "id_is_not_file_name"),
    ("id: example", "id: Example_1", "bad_id"),
    ("version: 1", "version: 0", "bad_version"),
    ("version: 1", "version: true", "bad_version"),
    ("version: 1", "version: 1\nkey_version: one", "bad_key_version"),
    ("version: 1", "version: 1\nneeds_complete: maybe", "bad_needs_complete"),
    ("version: 1", "version: 1\naliases: [example]", "bad_aliases"),
    ("version: 1", 'version: 1\ncontrol: ["clause 12"]', "bad_control"),
    ("version: 1\n", "", "missing_key"),
    ("severity: high", "severity: hihg", "bad_severity"),
    ("severity: high", "severity: high\nseverty: low", "unknown_key"),
    ("severity: high", "severity: &a high\ntitle2: *a", "yaml"),
    ("severity: high", "severity: [", "yaml"),
    ("{app_id} was", "{event_id} was", "title_placeholder"),
    ("{app_id} was", "{app_id.__class__} was", "title_placeholder"),
    ('title: "{app_id} was seen"', "title: ''", "bad_title"),
    ("Who was here?", "Somebody was here.", "bad_question"),
    ("identity: [app_id]", "identity: []", "bad_identity"),
    ("identity: [app_id]", "identity: [app_id, app_id]", "bad_identity"),
    ("identity: [app_id]", "identity: [app_id, event_id]", "bad_identity"),
    ("identity: [app_id]", "identity: ['app_id\"; --']", "bad_identity"),
    ("needs: [graph_activity]", "needs: [graph_activty]", "bad_needs"),
    ("needs: [graph_activity]", "needs: []", "needs_too_little"),
    ("evidence: Accesses.", "evidence: '  '", "bad_evidence"),
    ("advice: Ask.", "advice: 7", "bad_advice"),
    ('"GDPR Art. 5(1)(b)"', "article 5", "bad_references"),
]

SQL_FAULTS: Final = [
    ("FROM access_events", "FROM access_events;", "semicolon"),
    ("FROM access_events", "FROM access_events; SELECT 1", "semicolon"),
    ("FROM access_events", "FROM access_events) ; DROP TABLE access_events; SELECT (1", "writes"),
    ("SELECT\n", "DELETE FROM access_events\n", "writes"),
    ("SELECT\n", "WITH x AS (INSERT INTO access_events (app_id) VALUES ('x') RETURNING 1) SELECT\n", "writes"),
    ("SELECT\n", "COPY (SELECT 1) TO 'x'; SELECT\n", "writes"),
    ("SELECT\n", "EXPLAIN SELECT\n", "not_a_select"),
    ("FROM access_events", "FROM access_events WHERE occurred_at < now()", "not_repeatable"),
    ("FROM access_events", "FROM access_events WHERE occurred_at < current_timestamp", "not_repeatable"),
    ("FROM access_events", "FROM access_events WHERE random() < 1", "not_repeatable"),
    ("FROM access_events", "FROM access_events WHERE app_id = $app_id", "parameter"),
    ("FROM access_events", "FROM access_events WHERE app_id = ?", "unnamed_parameter"),
    ("FROM access_events", "FROM access_events, read_csv('/etc/passwd')", "outside"),
    ("FROM access_events", "FROM access_events WHERE getenv('HOME') = ''", "outside"),
    ("FROM access_events", "FROM access_events, 'secret.csv'", "does_not_bind"),
    ("FROM access_events", "FROM access_events WHERE app_id = 'x", "unclosed"),
    ("FROM access_events", "FROM access_events WHERE app_id = $$x$$", "dollar_quote"),
    ("FROM access_events", "FROM access_events WHERE app_id = E'\\'; DROP'", "escape_string"),
    ("FROM access_events", "FROM access_events /* /* */", "nested_comment"),
    ("['seen']", "list_transform(['seen'], x -> x)", "arrow"),
    ("FROM access_events", "FROM acces_events", "does_not_bind"),
    ("FROM access_events", "FROM access_events WHERE no_such_column", "does_not_bind"),
    ("FROM access_events", "FROM access_events GROUP BY", "does_not_bind"),
    ("FROM access_events", "FROM access_events WHERE app_id IN (SELECT app_id FROM findings)", "unknown_table"),
    ("FROM access_events", "FROM access_events, information_schema.tables", "unknown_table"),
    ("FROM access_events", "FROM access_events, summary((SELECT 1)) AS s (y)", "unknown_table"),
    ("event_id, ", "", "missing_column"),
    ("['seen'] AS reasons", "'seen' AS reasons", "column_type"),
    ("app_id, feed", "app_id, app_name, feed", "unread_column"),
    ("app_id, feed", "app_id, feed, feed", "repeated_column"),
    ("needs: [graph_activity]", "needs: [sign_ins_interactive]", "needs_too_little"),
    ("needs: [graph_activity]", "needs: [graph_activity, groups]", "needs_too_much"),
    ("version: 1", "version: 1\nneeds_register: true", "needs_register"),
    ("FROM access_events", "FROM access_events SEMI JOIN verdicts USING (tenant_id)", "needs_register"),
]


@pytest.fixture(scope="module")
def schema() -> MemoryDatabase:
    return MemoryDatabase()


def codes(schema: MemoryDatabase, text: str) -> set[str]:
    rule, problems = check_rule(schema, "use/example.sql", text)
    assert (rule is None) == bool(problems)
    return {problem.code for problem in problems}


def test_a_good_file_is_a_rule(schema: MemoryDatabase) -> None:
    rule, problems = check_rule(schema, "use/example.sql", GOOD)
    assert problems == ()
    assert rule is not None
    assert (rule.id, rule.family, rule.key_name, rule.identity) == ("example", "use", "example", ("app_id",))


@pytest.mark.parametrize(("good", "bad", "code"), HEADER_FAULTS + SQL_FAULTS)
def test_a_fault_is_refused_by_name(schema: MemoryDatabase, good: str, bad: str, code: str) -> None:
    assert good in GOOD
    assert code in codes(schema, GOOD.replace(good, bad, 1))


def test_a_fault_names_the_line(schema: MemoryDatabase) -> None:
    text = GOOD.replace("FROM access_events", "FROM access_events\nWHERE occurred_at < now()")
    _, (problem,) = check_rule(schema, "use/example.sql", text)
    assert str(problem).startswith("use/example.sql:18: now gives another answer")


def test_the_nearest_word_is_named(schema: MemoryDatabase) -> None:
    _, problems = check_rule(schema, "use/example.sql", GOOD.replace("severity: high", "severity: hihg"))
    assert "did you mean high?" in str(problems[0])


def test_words_in_texts_comments_and_quoted_names_are_no_statements(schema: MemoryDatabase) -> None:
    text = GOOD.replace("['seen']", "['it''s; delete now()'] /* DROP; */ -- COPY\n")
    text = text.replace("FROM access_events", 'FROM (SELECT *, 1 AS "delete" FROM access_events)')
    assert codes(schema, text) == set()


def test_a_common_table_expression_is_not_a_table_and_may_hide_none(schema: MemoryDatabase) -> None:
    assert codes(schema, GOOD.replace("SELECT\n", "WITH mine AS (SELECT 1) SELECT\n").replace(
        "FROM access_events", "FROM access_events, mine")) == set()  # fmt: skip
    hidden = "WITH verdicts AS (SELECT * FROM verdicts) SELECT\n"
    text = GOOD.replace("SELECT\n", hidden).replace("FROM access_events", "FROM access_events, verdicts")
    assert codes(schema, text.replace("tenant_id, app_id, feed, event_id", "access_events.tenant_id, app_id, "
        "access_events.feed, access_events.event_id")) == {"needs_register"}  # fmt: skip


def test_all_faults_of_all_files_come_at_once(schema: MemoryDatabase, tmp_path: Path) -> None:
    (tmp_path / "example.sql").write_text(GOOD.replace("version: 1", "version: 0"), "utf-8")
    (tmp_path / "other.sql").write_text(GOOD, "utf-8")
    with pytest.raises(RuleError) as caught:
        load_rules(schema, tmp_path)
    assert "2 problems" in str(caught.value)
    assert "example.sql:3 version" in str(caught.value)
    assert "other.sql:2 id" in str(caught.value)


def test_a_name_is_taken_once(schema: MemoryDatabase, tmp_path: Path) -> None:
    (tmp_path / "example.sql").write_text(GOOD, "utf-8")
    second = GOOD.replace("id: example", "id: second\naliases: [example]")
    (tmp_path / "second.sql").write_text(second, "utf-8")
    with pytest.raises(RuleError, match="name example is taken"):
        load_rules(schema, tmp_path)


def test_a_rule_is_proven_anew_for_another_schema_and_for_another_text(tmp_path: Path) -> None:
    file, schema = tmp_path / "example.sql", MemoryDatabase()
    file.write_text(GOOD, "utf-8")
    assert [rule.id for rule in load_rules(schema, tmp_path)] == ["example"]
    assert [rule.id for rule in load_rules(schema, tmp_path)] == ["example"]
    schema.connection.execute("ALTER TABLE access_events ALTER COLUMN feed TYPE VARCHAR[] USING [feed]")
    with pytest.raises(RuleError, match=r"is VARCHAR\[\]"):
        load_rules(schema, tmp_path)
    schema.connection.execute("ALTER TABLE access_events RENAME COLUMN feed TO fed")
    with pytest.raises(RuleError, match="does not bind"):
        load_rules(schema, tmp_path)
    file.write_text(GOOD.replace("feed,", "fed AS feed,").replace("severity: high", "severity: hihg"), "utf-8")
    with pytest.raises(RuleError, match="severity"):
        load_rules(schema, tmp_path)


def test_the_products_files_are_sound(schema: MemoryDatabase) -> None:
    assert len(load_rules(schema)) >= 10
    assert len(load_hunts(schema)) >= 6


def test_every_rule_refers_to_the_law_and_reads_short(schema: MemoryDatabase) -> None:
    for rule in load_rules(schema):
        assert any(reference.startswith("GDPR") for reference in rule.references), rule.id
        assert len(rule.title) <= 80, rule.id
