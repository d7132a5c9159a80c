"""Compiles the audit log's operations, services and record types from audit.yml and the source tables."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from catalogue_build.names import KINDS, Names, permission_cell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from catalogue_build.sources import Sources

_DASHES = re.compile(r"[\u2010-\u2015\u2212\ufe58\ufe63\uff0d-]")


def folded(operation: str) -> str:
    """Return an operation's name as it is compared: lower-case, one kind of dash, single blanks, no end stop."""
    return " ".join(_DASHES.sub("-", operation).split()).lower().rstrip(". ")


def audit_operations(sources: Sources, names: Names, rules: dict[str, Any]) -> list[tuple[str, ...]]:
    """Return the rows of audit_operations.csv.

    Raises:
        SystemExit: an operation of the sources is in no table, or a permission does not exist.
    """
    lists = {
        name: {kind: names.closed(kind, names.demand(kind, held[kind])) for kind in KINDS}
        for name, held in rules["permission_lists"].items()
    }
    rows = [row for service in ("exchange", "teams") for row in _service(rules[service], lists)]
    for row in sources.audit_operations:
        if row["workload"] == "AzureActiveDirectory" or row["source"] == "directoryAudits":
            name = folded(row["operation"])
            access = "delete" if name.startswith("remove ") else "write"
            rows.append(("AzureActiveDirectory", name, "", "directory", access, "", "", "", "", ""))
    known = {row[1] for row in rows}
    if missing := [row["operation"] for row in sources.audit_operations if folded(row["operation"]) not in known]:
        raise SystemExit(f"audit.yml says nothing about {missing}")
    return rows


def _service(service: dict[str, Any], lists: dict[str, dict[str, set[str]]]) -> Iterator[tuple[str, ...]]:
    for entry in service["operations"]:
        held = lists.get(entry.get("permissions", ""), {})
        cells = [permission_cell(held.get(kind, ())) for kind in KINDS]
        kind = entry.get("resource_kind", service.get("resource_kind", ""))
        for name in entry["names"]:
            yield (
                service["audit_workload"], folded(name), str(entry.get("record_type", "")),
                entry.get("workload", ""), entry.get("operation", ""), kind, entry.get("decided_by", ""), *cells,
                entry.get("note", ""),
            )  # fmt: skip


def audit_workloads(rules: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the rows of audit_workloads.csv."""
    return [(service, workload) for workload, services in rules["audit_workloads"].items() for service in services]


def record_types(sources: Sources, rules: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return the rows of audit_record_types.csv: number, name, feed."""
    feeds = [(re.compile(pattern), feed) for feed, patterns in rules["feeds"].items() for pattern in patterns]
    return [
        (
            row["value"].zfill(3),
            row["name"],
            next((feed for p, feed in feeds if p.fullmatch(row["name"])), "audit_other"),
        )
        for row in sources.audit_record_types
    ]
