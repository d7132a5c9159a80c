"""The policy, its dated tables and its weaknesses as rows for the store. Never judges a tenant."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import Final

from m365audit.config import Adequacy, Clock, Clocks, Country, LoadedPolicy, Policy
from m365audit.config.commitments import Commitment
from m365audit.config.dated import DatedTable, Line
from m365audit.config.durations import parse_period
from m365audit.controls.policy_text import PolicyFinding, policy_findings

Row = Mapping[str, object]

_NAMES: Final = ("office", "category", "recipient", "integration", "basis", "name")
"""What tells the entries of a list apart; the first one that an entry has becomes part of its key."""
_HIDDEN: Final = {("persons", "name")}
"""Facts that stay in the file: nobody is named where tokens are the rule."""
_PERIODS: Final = {"duration"}
"""Facts that are calendar durations."""
_LONGEST: Final = (12 * 9_999, timedelta(days=366 * 9_999))
"""Months, and fixed length, that a period of any calendar has at most."""


def policy_rows(loaded: LoadedPolicy, adequacy: Adequacy, clocks: Clocks) -> dict[str, list[Row]]:
    """Return the rows of every table that policy and dated tables fill (``store.inputs.POLICY_COLUMNS``)."""
    policy = loaded.policy
    findings = [] if loaded.is_default or loaded.problems else policy_findings(policy, clocks)
    return {
        "policy_commitments": list(_commitments(policy)),
        "policy_recipients": [
            {"name": entry.name, "purpose": entry.purpose, "country": entry.country, "clause": entry.clause}
            for entry in policy.processors
        ],
        "policy_findings": [_weakness(found) for found in findings],
        "countries": [_country(entry) for entry in adequacy.countries],
        "clocks": [_clock(entry) for entry in clocks.clocks],
        "dated_tables": [
            _dated("adequacy", adequacy, len(adequacy.countries)),
            _dated("clocks", clocks, len(clocks.clocks)),
        ],
    }


def _weakness(found: PolicyFinding) -> Row:
    return {
        "rule": found.rule,
        "clauses": list(found.clauses),
        "title": found.title,
        "why": found.why,
        "severity": found.severity,
        "gdpr": found.gdpr,
        "words": json.dumps(dict(found.words)),
    }


def _country(entry: Country) -> Row:
    return {
        "code": entry.code,
        "class": entry.country_class,
        "decision": entry.decision,
        "scope": entry.scope,
        "exporters": entry.exporters,
        **_validity(entry),
    }


def _clock(entry: Clock) -> Row:
    return {"clock": entry.clock, "amount": entry.amount, "unit": entry.unit, **_validity(entry)}


def _validity(line: Line) -> Row:
    return {"valid_from": _iso(line.valid_from), "valid_until": _iso(line.valid_until), "source": line.source}


def _dated(name: str, table: DatedTable, lines: int) -> Row:
    return {
        "dated_table": name,
        "verified_on": _iso(table.verified_on),
        "verify_within_days": table.verify_within_days,
        "lines": lines,
    }


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _commitments(policy: Policy) -> Iterator[Row]:
    """Yield every fact of every commitment: clause, key (``retention.system_logs.duration``), value, period, note."""
    notes = {entry.number: entry.note for entry in policy.clauses}
    for path, entry in policy.commitments():
        group = str(path[0])
        told_by = next((key for key in _NAMES if len(path) > 1 and hasattr(entry, key)), None)
        name = str(getattr(entry, told_by)) if told_by else ""
        facts = list(_facts(entry))
        for key, value in facts:
            if (group, key) not in _HIDDEN and (key != told_by or len(facts) == 1 or group == "persons"):
                parts = [group, name, key]
                dotted = ".".join(part for part in parts if part)
                period = _period(value) if key in _PERIODS else None
                note = notes.get(entry.clause)
                yield {"clause": entry.clause, "key": dotted, "value": value, "period": period, "note": note}


def _period(text: str) -> str | None:
    """Return a duration as DuckDB reads an INTERVAL; None for one that reaches beyond any calendar."""
    period = parse_period(text)
    months = 12 * period.years + period.months
    if months > _LONGEST[0] or period.rest > _LONGEST[1]:
        return None
    return f"{months} months {period.rest // timedelta(microseconds=1)} microseconds"


def _facts(entry: Commitment) -> Iterator[tuple[str, str]]:
    for key, value in entry.model_dump(exclude_none=True, exclude={"clause"}).items():
        if isinstance(value, bool):
            yield key, str(value).lower()
        elif isinstance(value, str):
            yield key, value
        elif isinstance(value, Iterable):
            yield key, ", ".join(str(member) for member in value)
        else:
            yield key, str(value)
