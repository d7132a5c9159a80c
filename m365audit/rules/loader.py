"""Finds, reads and proves rule and hunt files. Needs an empty schema, never data; changes nothing anywhere."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from m365audit.errors import QueryError, RuleError
from m365audit.model import Problem
from m365audit.resources import data_dir
from m365audit.rules import sql_tree
from m365audit.rules.evidence import (
    COLLECTION_TABLES,
    OPTIONAL_COLUMNS,
    REGISTER_TABLES,
    RESULT_TABLES,
    ROW_COLUMNS,
    TABLE_FEEDS,
)
from m365audit.rules.hunt import Hunt, read_hunt
from m365audit.rules.rule import Rule, read_rule
from m365audit.rules.sql_tree import Columns, Database, Tree
from m365audit.store.schema_print import SCHEMA_PRINT

_TABLE_FUNCTIONS: Final = frozenset({"unnest", "range", "generate_series"})
_RENAMED: Final = re.compile(r"[_:]\d+\Z")
"""How DuckDB ends a subquery's column whose name stood there already: ``app_id_1``."""

_PROVEN: Final[dict[tuple[str, str, str], Rule]] = {}
"""Rules that were proven in this process, by schema, file and text: binding the same against the same says the same."""
_MOST_PROVEN: Final = 512


def load_rules(schema: Database, folder: Path | None = None) -> tuple[Rule, ...]:
    """Read and prove every rule file under ``folder`` (default: the product's), in the order of their ids.

    Raises:
        RuleError: with every problem of every file.
    """
    root = folder or data_dir("queries") / "rules"
    rules: list[Rule] = []
    problems: list[Problem] = []
    known = str(schema.execute(SCHEMA_PRINT)[0][0])
    for path in sorted(root.rglob("*.sql")):
        rule, found = _proven(schema, known, str(path.relative_to(root)), path.read_text("utf-8"))
        problems += found
        rules += [rule] if rule is not None else []
    problems += _names_taken_twice(rules)
    _refuse(problems, "rule")
    return tuple(sorted(rules, key=lambda rule: rule.id))


def _proven(schema: Database, known: str, file: str, text: str) -> tuple[Rule | None, tuple[Problem, ...]]:
    """Return what ``check_rule`` says; a rule that is sound is proven once for each schema that is ``known``."""
    key = known, file, text
    if key in _PROVEN:
        return _PROVEN[key], ()
    rule, problems = check_rule(schema, file, text)
    if rule is not None:
        if len(_PROVEN) >= _MOST_PROVEN:
            _PROVEN.clear()
        _PROVEN[key] = rule
    return rule, problems


def read_rules() -> tuple[Rule, ...]:
    """Return the product's rules as their headers have them, without proving their SELECTs: for ids and names."""
    root = data_dir("queries") / "rules"
    read = (
        read_rule(path.name, path.read_text("utf-8"), name=path.stem, family=path.parent.name)[0]
        for path in sorted(root.rglob("*.sql"))
    )
    return tuple(rule for rule in read if rule is not None)


def load_hunts(schema: Database, folder: Path | None = None) -> tuple[Hunt, ...]:
    """Read and prove every hunt file of ``folder`` (default: the product's), in the order of their ids.

    Raises:
        RuleError: with every problem of every file.
    """
    hunts: list[Hunt] = []
    problems: list[Problem] = []
    for path in sorted((folder or data_dir("queries") / "hunts").glob("*.sql")):
        hunt, found = check_hunt(schema, path.name, path.read_text("utf-8"))
        problems += found
        hunts += [hunt] if hunt is not None else []
    _refuse(problems, "hunt")
    return tuple(hunts)


def hunt_names() -> list[str]:
    """Return the names of the product's hunts."""
    return sorted(path.stem for path in (data_dir("queries") / "hunts").glob("*.sql"))


def read_hunts(names: Sequence[str] | None = None) -> tuple[Hunt, ...]:
    """Read the product's hunts, or those named, without a database: that they bind was proven when they were built.

    Raises:
        RuleError: with every problem of every file.
    """
    hunts: list[Hunt] = []
    problems: list[Problem] = []
    for name in hunt_names() if names is None else names:
        path = data_dir("queries") / "hunts" / f"{name}.sql"
        hunt, found = read_hunt(path.name, path.read_text("utf-8"), name=name)
        problems += found
        hunts += [hunt] if hunt is not None else []
    _refuse(problems, "hunt")
    return tuple(hunts)


def check_rule(schema: Database, file: str, text: str) -> tuple[Rule | None, tuple[Problem, ...]]:
    """Read one rule file and prove it against the empty schema; ``file`` is its path under the rules' folder."""
    path = Path(file)
    rule, problems = read_rule(file, text, name=path.stem, family=path.parent.name)
    if rule is None or problems:
        return None, problems
    read, given, problems = _bound(schema, file, rule.sql, {})
    if read is not None:
        problems = (*_row_problems(schema, rule, given), *_table_problems(rule, read))
    return (None if problems else rule), problems


def check_hunt(schema: Database, file: str, text: str) -> tuple[Hunt | None, tuple[Problem, ...]]:
    """Read one hunt file and prove it against the empty schema."""
    hunt, problems = read_hunt(file, text, name=Path(file).stem)
    if hunt is None or problems:
        return None, problems
    defaults = {parameter.name: parameter.default for parameter in hunt.parameters}
    read, _, problems = _bound(schema, file, hunt.sql, defaults)
    if read is not None:
        given = tuple(name for name, _ in sql_tree.columns(schema, hunt.sql, defaults))
        if given != hunt.columns:
            what = f"the SELECT gives {', '.join(given)}"
            problems = (Problem(file, 1, "columns", what, "declare these columns", "columns"),)
        problems += _unknown_tables(file, read, {*TABLE_FEEDS, *RESULT_TABLES})
    return (None if problems else hunt), problems


def _refuse(problems: Sequence[Problem], noun: str) -> None:
    if problems:
        count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''} in the {noun} files"
        raise RuleError(f"{count}:\n" + "\n".join(str(problem) for problem in problems))


def _names_taken_twice(rules: Sequence[Rule]) -> list[Problem]:
    problems: list[Problem] = []
    owners: dict[str, str] = {}
    for rule in rules:
        for name in (rule.id, *rule.aliases):
            if name in owners:
                what = f"the name {name} is taken by {owners[name]}"
                problems.append(Problem(rule.file, 1, "id", what, "choose another", "name_taken"))
            owners.setdefault(name, rule.file)
    return problems


def _bound(
    schema: Database, file: str, sql: str, values: Mapping[str, object]
) -> tuple[Tree | None, Columns, tuple[Problem, ...]]:
    """Return what ``sql`` reads and gives, or why it is not one SELECT that binds; wrapped as running wraps it."""
    try:
        read = sql_tree.tree(schema, sql)
        if read.statements != 1:
            what = f"{read.statements} statements"
            return None, (), (Problem(file, 1, "", what, "leave one SELECT", "not_one_select"),)
        given = sql_tree.columns(schema, wrapped(sql), values)
    except QueryError as error:
        what = f"does not bind: {error.message}"
        return None, (), (Problem(file, 1, "", what, "correct the SELECT", "does_not_bind"),)
    return read, given, ()


def wrapped(sql: str) -> str:
    """Return ``sql`` as a subquery: the only form in which a file's text is ever run."""
    return f"SELECT * FROM (\n{sql}\n)"  # noqa: S608  (the text has been checked to be one SELECT)


def _row_problems(schema: Database, rule: Rule, bound: Columns) -> tuple[Problem, ...]:
    if any(_RENAMED.search(name) for name, _ in bound):  # by the subquery, it may be: the SELECT's own names tell
        bound = sql_tree.columns(schema, rule.sql, {})
    given = dict(bound)
    if len(given) < len(bound):
        twice = sorted({name for name, _ in bound if [other for other, _ in bound].count(name) > 1})
        return (Problem(rule.file, 1, ", ".join(twice), "a column stands twice", "leave one", "repeated_column"),)
    expected = {**dict.fromkeys(rule.identity, "VARCHAR"), **ROW_COLUMNS}
    problems = [
        Problem(rule.file, 1, name, "the SELECT lacks this column", f"give it as {kind}", "missing_column")
        for name, kind in expected.items()
        if name not in given
    ]
    known = {**expected, **OPTIONAL_COLUMNS}
    for name, kind in given.items():
        if name not in known:
            todo = "name it in identity or leave it out"
            problems.append(Problem(rule.file, 1, name, "a column nobody reads", todo, "unread_column"))
        elif kind != known[name]:
            problems.append(Problem(rule.file, 1, name, f"is {kind}", f"cast it to {known[name]}", "column_type"))
    return tuple(problems)


def _unknown_tables(file: str, read: Tree, known: set[str]) -> tuple[Problem, ...]:
    return tuple(
        Problem(file, 1, name, "may not be read here", "read published tables only", "unknown_table")
        for name in sorted((read.tables - known) | (read.functions - _TABLE_FUNCTIONS))
    )


def _table_problems(rule: Rule, read: Tree) -> tuple[Problem, ...]:
    unknown = _unknown_tables(rule.file, read, set(TABLE_FEEDS))
    return unknown or (
        *_need_problems(rule, read.tables),
        *_register_problems(rule, read.tables),
        *_collection_problems(rule, read.tables),
    )


def _need_problems(rule: Rule, tables: frozenset[str]) -> list[Problem]:
    """Compare ``needs`` with the tables that are read: none may be missing, none may be there for nothing."""
    problems = [
        Problem(rule.file, 1, "needs", f"{table} is read, but none of its feeds is needed",
                f"add one of {', '.join(TABLE_FEEDS[table])}", "needs_too_little")
        for table in sorted(tables)
        if TABLE_FEEDS[table] and not set(TABLE_FEEDS[table]) & set(rule.needs)
    ]  # fmt: skip
    filled = {feed for table in tables for feed in TABLE_FEEDS[table]}
    problems += [
        Problem(rule.file, 1, "needs", f"{feed} fills no table that is read", "remove it", "needs_too_much")
        for feed in rule.needs
        if feed not in filled
    ]
    return problems


def _collection_problems(rule: Rule, tables: frozenset[str]) -> list[Problem]:
    if rule.needs_collection == bool(tables & COLLECTION_TABLES):
        return []
    what = "a table of the collector's is read" if tables & COLLECTION_TABLES else "no table of the collector's is read"
    todo = "remove it" if rule.needs_collection else "set it to true"
    return [Problem(rule.file, 1, "needs_collection", what, todo, "needs_collection")]


def _register_problems(rule: Rule, tables: frozenset[str]) -> list[Problem]:
    reads = sorted(tables & REGISTER_TABLES)
    if reads and not rule.needs_register:
        what = f"{', '.join(reads)} say nothing while the register is invalid"
        return [Problem(rule.file, 1, "needs_register", what, "set it to true", "needs_register")]
    if rule.needs_register and not reads:
        return [
            Problem(rule.file, 1, "needs_register", "no table of the register is read", "remove it", "needs_register")
        ]
    return []
