"""Rule and hunt files: reading, checking, running. Knows no DuckDB and keeps no finding's history."""

from m365audit.rules.hunt import Hunt, Parameter
from m365audit.rules.loader import load_hunts, load_rules, read_rules
from m365audit.rules.rule import Rule
from m365audit.rules.runner import RuleOutcome, RuleResults, run_rules
from m365audit.rules.sql_tree import Database

__all__ = [
    "Database",
    "Hunt",
    "Parameter",
    "Rule",
    "RuleOutcome",
    "RuleResults",
    "load_hunts",
    "load_rules",
    "read_rules",
    "run_rules",
]
