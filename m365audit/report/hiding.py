"""Owns the one way by which rows reach the report: every text in them passes the tokens, so that none can be forgotten.

Columns that only the product writes, from closed lists, are left alone; so are ids of tenants, apps and findings.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from m365audit.report.people import People
from m365audit.report.rows import Reader, Row, parts_of

_CLOSED: Final = frozenset({
    "tenant_id", "workload", "verdict", "recorded", "granted", "coverage", "state", "severity", "change", "outcome",
    "feed",
})  # fmt: skip
"""Columns that the product fills from closed lists of its own, and the tenant that a person's token belongs to."""
_PERSONS: Final = frozenset({"owner", "person", "actor", "actor_id", "user_id", "user_name", "principal_id"})
"""Columns that hold nothing but persons, whether anything knows them or not."""
_ROLES: Final = frozenset({"dpo", "risk_owner", "analyst", "admin", "reviewer", "machine"})
_PERSON_PARTS: Final = frozenset({"owner", "grantee", "user", "mailbox", "principal"})
"""Parts of a finding's identity that are persons."""
_KEPT: Final = 100_000


@dataclass(frozen=True)
class HidingReader:
    """Gives another reader's rows with tokens in place of persons."""

    reader: Reader
    people: People
    seen: dict[tuple[str, str], str] = field(default_factory=dict)

    def rows(self, query_name: str, **params: object) -> list[Row]:
        """Run one named query; persons are tokens."""
        return [self.row(row) for row in self.reader.rows(query_name, **params)]

    def batches(self, query_name: str, **params: object) -> Iterator[list[Row]]:
        """Run one named query, some thousands of rows at a time; persons are tokens."""
        for rows in self.reader.batches(query_name, **params):
            yield [self.row(row) for row in rows]

    def row(self, row: Row) -> Row:
        """Return one row, of this reader or of another query of the same database; persons are tokens."""
        tenant = str(row.get("tenant_id") or "")
        changed = {name: self._value(name, value, tenant) for name, value in row.items()}
        if row.get("resource_kind") == "user" and isinstance(row.get("resource_id"), str):
            changed["resource_id"] = self.people.person(tenant, str(row["resource_id"]))
        if isinstance(row.get("subject"), str) and "title" in row:
            self._hide_parts(changed, row, tenant)
        return changed

    def _hide_parts(self, changed: Row, row: Row, tenant: str) -> None:
        """Put tokens into the parts of a finding's subject that are persons, and into the title that names them."""
        for name, value in parts_of(str(row["subject"])):
            if name not in _PERSON_PARTS or not value or (name == "grantee" and row.get("app_id") is not None):
                continue
            shown = self.people.person(tenant, value)
            for column in ("subject", "title"):
                # Both the value as it is and as the text around it was already changed.
                for form in (value, self.people.hide(value, tenant)):
                    changed[column] = str(changed[column]).replace(form, shown)

    def _value(self, name: str, value: object, tenant: str) -> object:
        if value is None or name in _CLOSED or isinstance(value, (bool, int, float, datetime, date)):
            return value
        if isinstance(value, list):
            return [self._value(name, item, tenant) for item in value]
        if not isinstance(value, str):
            return value
        if name in _PERSONS:
            return self.people.person(tenant, value) if value and value not in _ROLES else value
        known = self.seen.get((tenant, value))
        if known is None:
            known = self.people.hide(value, tenant)
            if len(self.seen) < _KEPT:
                self.seen[tenant, value] = known
        return known


def hidden(reader: Reader, people: People) -> HidingReader:
    """Return a reader whose rows name nobody, but where ``people`` shows names.

    It asks the database once who is a person.
    """
    if isinstance(reader, HidingReader):
        return reader
    people.learn(row for rows in reader.batches("report-people") for row in rows)
    return HidingReader(reader, people)
