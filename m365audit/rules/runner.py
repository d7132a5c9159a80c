"""Runs rules against the candidate database and says, per tenant, what came out. Keeps no finding's history.

A rule's SELECT runs once for all tenants. Its rows, its findings and their evidence stay in the database: what comes
back to Python is one line per rule and tenant, whether there are ten findings or a million. Every rule has a limit of
time, and of memory and disk by the database it runs on; one that goes over it is an ``error`` of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from m365audit.errors import QueryError
from m365audit.rules import statements
from m365audit.rules.loader import wrapped
from m365audit.rules.rule import Rule
from m365audit.rules.sql_tree import Database
from m365audit.rules.watch import Tenant, tenants

Identify = Callable[[str, int, Sequence[str], str], str]
"""Gives the SELECT that adds ``finding_id`` to a table: from the rule's key name, its key version, the identity columns
and the table's name."""

OutcomeName = Literal["findings", "clean", "not_evaluated", "error"]

RULE_SECONDS: Final = 900
"""How long one rule may work for all tenants together; a rule that needs more is stopped, and the others go on."""
_LONGEST_REASON: Final = 300


class RuleDatabase(Database, Protocol):
    """A database that can stop what takes too long (``m365audit.store.sandbox.LockedDatabase``)."""

    def limited(self, seconds: float) -> AbstractContextManager[None]:
        """Stop every statement inside of the block that goes on for longer: it ends with QueryError."""


@dataclass(frozen=True, slots=True)
class RuleOutcome:
    """What one rule came to for one tenant.

    Attributes:
        reason: why not, in words; with outcome ``findings`` the evidence that was missing all the same; else None.
        is_covered: all the evidence that the rule needs was there: only then may a finding that is gone be resolved.
    """

    tenant_id: str
    rule: str
    outcome: OutcomeName
    reason: str | None
    findings: int
    is_covered: bool


@dataclass(frozen=True, slots=True)
class RuleResults:
    """What one evaluation came to; findings and evidence are in ``present_findings`` and ``finding_evidence``.

    Attributes:
        outcomes: one for every rule and tenant.
        aliases: earlier rule ids and today's, for findings that were made under the old name.
    """

    outcomes: tuple[RuleOutcome, ...]
    aliases: Mapping[str, str]


def run_rules(
    database: RuleDatabase, rules: Sequence[Rule], identify: Identify, *, seconds: float = RULE_SECONDS
) -> RuleResults:
    """Run every rule for every tenant; a rule that fails is an ``error`` of its own and stops no other.

    Fills the tables ``finding_evidence`` and ``present_findings``.

    Args:
        database: the candidate; all derived tables stand in it. Its memory limit is every rule's.
        rules: proven rules.
        identify: makes finding ids (``m365audit.findings.identity.with_finding_ids``).
        seconds: how long one rule may work.

    Raises:
        QueryError: the candidate itself cannot be read (not: one rule's SELECT failed).
    """
    known = tenants(database)
    for statement in statements.RESULT_TABLES:
        database.execute(statement)
    outcomes = [said for rule in rules for said in _run_rule(database, rule, known, identify, seconds)]
    return RuleResults(tuple(outcomes), {alias: rule.id for rule in rules for alias in rule.aliases})


def _run_rule(
    database: RuleDatabase, rule: Rule, known: Sequence[Tenant], identify: Identify, seconds: float
) -> list[RuleOutcome]:
    refused = {tenant.id: reason for tenant in known if (reason := tenant.refusal(rule))}
    open_tenants = [tenant.id for tenant in known if tenant.id not in refused]
    try:
        counts = _found(database, rule, open_tenants, identify, seconds) if open_tenants else {}
    except QueryError as error:
        reason = _in_short(error.message)
        return [RuleOutcome(tenant.id, rule.id, "error", reason, 0, is_covered=False) for tenant in known]
    return [_outcome(rule, tenant, counts.get(tenant.id, 0), refused.get(tenant.id, "")) for tenant in known]


def _in_short(message: str) -> str:
    """Return the first line of an error: the others quote the SQL, which stands in the rule's file."""
    line = next(iter(message.strip().splitlines()), "") or "it failed without a word"
    return line if len(line) <= _LONGEST_REASON else line[: _LONGEST_REASON - 1] + "…"


def _outcome(rule: Rule, tenant: Tenant, findings: int, refusal: str) -> RuleOutcome:
    uncovered = tenant.uncovered(rule)
    if refusal:
        return RuleOutcome(tenant.id, rule.id, "not_evaluated", refusal, 0, is_covered=False)
    if findings:
        return RuleOutcome(tenant.id, rule.id, "findings", uncovered or None, findings, is_covered=not uncovered)
    if uncovered:
        return RuleOutcome(tenant.id, rule.id, "not_evaluated", uncovered, 0, is_covered=False)
    return RuleOutcome(tenant.id, rule.id, "clean", None, 0, is_covered=True)


def _found(
    database: RuleDatabase, rule: Rule, open_tenants: list[str], identify: Identify, seconds: float
) -> dict[str, int]:
    """Run one rule, store what it found, and return how many findings each tenant has."""
    made: tuple[str, ...] = statements.WORK_TABLES
    try:
        with database.limited(seconds):
            found = _make(database, rule, open_tenants, identify)
        if not found:
            made = ("rule_rows",)
            return {}
        _store(database)
    finally:
        for table in made:
            database.execute(f"DROP TABLE IF EXISTS temp.{table}")
    return {str(tenant): int(found) for tenant, found in database.execute(statements.COUNT_SQL, {"rule": rule.id})}


def _make(database: RuleDatabase, rule: Rule, open_tenants: list[str], identify: Identify) -> bool:
    """Make the rule's findings and evidence as temporary tables; False when there are none."""
    ((rows,),) = database.execute(statements.rows_sql(wrapped(rule.sql)), {"tenants": open_tenants})
    if not rows:
        return False
    columns = {row[0] for row in database.execute("DESCRIBE rule_rows")}
    database.execute(statements.subjects_sql(rule))
    select = identify(rule.key_name, rule.key_version, rule.identity, "rule_subjects")
    database.execute(statements.identified_sql(select))
    database.execute(statements.keyed_sql(rule, has_last="last_seen_at" in columns))
    database.execute("DROP TABLE temp.rule_rows")
    database.execute(statements.EVIDENCE_SQL)
    database.execute(statements.findings_sql(rule))
    return True


def _store(database: RuleDatabase) -> None:
    """Add evidence and findings together: a rule that runs out of room in between leaves neither."""
    database.execute("BEGIN")
    try:
        for statement in statements.STORE_SQL:
            database.execute(statement)
        database.execute("COMMIT")
    except QueryError:
        database.execute("ROLLBACK")
        raise
